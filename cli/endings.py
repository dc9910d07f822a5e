"""How a command ends: by its exit code, or by a signal, with one line that says so."""

import sys
from collections.abc import Callable
from typing import NoReturn

from cli.output import until_reader_goes
from cli.signals import EndedBySignal, end_once

_EXIT = "exit code "


def run_until_ended(name: str, main: Callable[[], int], *, ended: str) -> NoReturn:
    """Run `main` and leave the process with its exit code, or with 128 + number of the signal that ended it.

    `ended` says on the standard error what that signal leaves behind. A reader of the output that goes away, as `head`
    does, ends it without a word.
    """
    try:
        end_once()
        sys.exit(until_reader_goes(main))
    except EndedBySignal as signal:
        print(f"{name}: {signal}; {ended}", file=sys.stderr)
        sys.exit(signal.exit_code)


def exit_line(name: str, code: int) -> str:
    """The line by which a process that runs several commands in turn says how one ended.

    >>> exit_line("spark_jobs", 3)
    'spark_jobs: exit code 3'
    """
    return f"{name}: {_EXIT}{code}"


def exit_code_of(name: str, line: str) -> int | None:
    """The exit code in such a line; None for any other line.

    >>> exit_code_of("spark_jobs", "spark_jobs: exit code 3"), exit_code_of("spark_jobs", "done")
    (3, None)
    """
    start = f"{name}: {_EXIT}"
    return int(line.removeprefix(start)) if line.startswith(start) else None


def one_line(text: object) -> str:
    """Text with spaces for line breaks, so that a failure that quotes text stays one line.

    >>> one_line("found x,\\n  expected y")
    'found x, expected y'
    """
    return " ".join(str(text).split())
