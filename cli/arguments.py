"""Arguments of command lines: parsers that name the nearest option, numbers, and values shown in errors."""

import argparse
import math
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

_MOST_SHOWN = 40
_MOST_DIGITS = 9


class OptionParser(argparse.ArgumentParser):
    """A parser that refuses an unknown option with the usage of the command that was called and the nearest option.

    The parsers of its commands are of this class, too.
    """

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]  # the overloads of argparse
        """As argparse does, but nothing is left unknown."""
        given = list(sys.argv[1:] if args is None else args)
        self._refuse_before_command(given)
        found, unknown = super().parse_known_args(given, namespace)
        if unknown:
            self.error(_unknown(unknown[0], self._option_string_actions))
        return found, unknown

    def _refuse_before_command(self, given: list[str]) -> None:
        """Refuse an unknown first option before a missing command is: it may be the mistyped one."""
        first = next(iter(given), "").partition("=")[0]
        known = any(option.startswith(first) for option in self._option_string_actions)
        if self._subparsers is not None and first.startswith("-") and not known:
            self.error(_unknown(first, self._option_string_actions))


def _unknown(word: str, options: Iterable[str]) -> str:
    """The error of a word that is no option.

    >>> _unknown("--versoin", ["--version", "--help"])
    "found '--versoin', expected an option of this command; the nearest is --version"
    """
    if not word.startswith("-"):
        return f"found {shown(word)}, expected no further word"
    nearest = get_close_matches(word.partition("=")[0], options, n=1)
    hint = f"; the nearest is {nearest[0]}" if nearest else ""
    return f"found {shown(word)}, expected an option of this command{hint}"


def shown(text: str) -> str:
    """Text in quotes for an error, on one line; of a long text the beginning and the length.

    >>> shown("a\\nb"), shown("x" * 5000) == f"'{'x' * 40}…' (5,000 characters)"
    ("'a\\\\nb'", True)
    """
    if len(text) <= _MOST_SHOWN:
        return repr(text)
    return f"{text[:_MOST_SHOWN] + '…'!r} ({len(text):,} characters)"


def positive(text: str) -> int:
    """A whole number of at least 1 and at most nine digits."""
    return whole_number(text, least=1, most_digits=_MOST_DIGITS)


def whole_number(text: str, *, least: int, most_digits: int = sys.int_info.default_max_str_digits) -> int:
    """A whole number of at least `least`.

    >>> whole_number("0", least=0)
    0
    """
    if not (text.isascii() and text.isdigit() and len(text) <= most_digits and int(text) >= least):
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected a whole number of at least {least}")
    return int(text)


def number_above_zero(text: str, *, expected: str = "a number above zero") -> float:
    """A finite number above zero.

    >>> number_above_zero("0.5")
    0.5
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected {expected}")
    return number


def number_up_to_one(text: str, *, expected: str) -> float:
    """A number from 0 to 1, such as a share or a probability.

    >>> number_up_to_one("0.9", expected="a share from 0 to 1")
    0.9
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected {expected}")
    return number
