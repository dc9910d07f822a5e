"""Prepare this checkout on a machine that has only Python and make: `python3 -m tools.setup`.

This module stays readable for old Pythons, so that they get a sentence instead of a syntax error.
"""

import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def refuse_python(found: tuple[int, ...]) -> str:
    """Why this Python cannot be used; empty when it can.

    >>> refuse_python((3, 12))
    ''
    >>> refuse_python((3, 9))
    'found Python 3.9, expected 3.11 to 3.13; name another each time, as in: make demo PYTHON=python3.12'
    """
    if OLDEST <= found <= NEWEST:
        return ""
    expected = "{}.{} to {}.{}; name another each time, as in: make demo PYTHON=python3.12".format(*OLDEST, *NEWEST)
    return "found Python {}.{}, expected {}".format(*found, expected)


if __name__ == "__main__":
    refusal = refuse_python(sys.version_info[:2])
    if refusal:
        sys.exit("set-up stopped: " + refusal)
    from cli.endings import run_until_ended
    from tools.steps import main

    run_until_ended("set-up", lambda: main(sys.argv[1:]), ended="what is unfinished is made again next time")
