"""Values of a policy document: each reader returns what the policy holds, or raises ValueError."""

import json
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from service_quality.instants import parse_instant
from service_quality.policies.local_days import format_duration, parse_duration

LONGEST_TEXT = 100
CURRENCY = "three capital letters, a code of ISO 4217 such as CNY"
_LONGEST_SHOWN = 40

Value = TypeVar("Value")
JsonObject = Mapping[str, object]


class Problem(NamedTuple):
    """One mistake; `meant` is the known name that is nearest to an unknown one, if any is near."""

    path: str
    found: str
    expected: str
    meant: str | None = None

    def __str__(self) -> str:
        meant = f"; did you mean {self.meant}?" if self.meant else ""
        return f"{self.path}: found {self.found}, expected {self.expected}{meant}"


class Problems:
    """The mistakes of a document, in the order in which they are found."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, path: str, found: str, expected: str) -> None:
        """Enter a mistake: where, what was found and what is expected there."""
        self.found.append(Problem(path, found, expected))

    def read_word(self, path: str, value: object, *, words: tuple[str, ...], fallback: str) -> str:
        """One of the declared words; the fallback, and a problem with the word that may be meant, for another value."""
        if isinstance(value, str) and value in words:
            return value
        meant = nearest(value, words) if isinstance(value, str) else None
        self.found.append(Problem(path, shown(value), " or ".join(words), meant))
        return fallback

    def read(self, path: str, value: object, *, by: Callable[[object], Value], expected: str, fallback: Value) -> Value:
        """A value as its reader returns it; the fallback, and a problem, where the reader raises ValueError."""
        try:
            return by(value)
        except ValueError:
            self.add(path, shown(value), expected)
            return fallback

    def object_at(self, path: str, value: object, *, known: tuple[str, ...]) -> JsonObject:
        """A JSON object of known keys alone; each other key, and each other value than an object, is a problem."""
        if not isinstance(value, dict):
            self.add(path, shown(value), "a JSON object")
            return {}
        for key in (key for key in value if key not in known):
            expected = f"one of {', '.join(known)}"
            self.found.append(Problem(joined(path, key), "an unknown key", expected, nearest(key, known)))
        return value

    def list_at(self, path: str, value: object) -> list[object]:
        """A JSON array; any other value is a problem."""
        if isinstance(value, list):
            return value
        self.add(path, shown(value), "a JSON array")
        return []


def joined(path: str, key: str) -> str:
    """The path of a key within an object."""
    name = shown(key)[1:-1]
    return f"{path}.{name}" if path else name


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name that an unknown one most resembles; None where it resembles none.

    >>> nearest("tagets", ("targets", "zone")), nearest("colour", ("targets", "zone"))
    ('targets', None)
    """
    from difflib import get_close_matches  # noqa: PLC0415  # few documents have a mistake

    return next(iter(get_close_matches(name, known, n=1, cutoff=0.6)), None)


def shown(value: object) -> str:
    """A value as a message shows it: JSON, cut.

    >>> shown("Mars/Base"), shown([1, None])
    ('"Mars/Base"', '[1, null]')
    """
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 2]}…{text[-1]}"


def text(value: object) -> str:
    """A name in one form: NFC, blanks as one space, trimmed.

    >>> text(" first  line ")
    'first line'
    """
    if not isinstance(value, str):
        raise ValueError("no string")
    name = " ".join(unicodedata.normalize("NFC", value).split())
    name.encode()  # half of a surrogate pair is a ValueError, too
    if not 0 < len(name) <= LONGEST_TEXT or any(unicodedata.category(one) == "Cc" for one in name):
        raise ValueError("empty, too long or with control characters")
    return name


def one_of(*words: str) -> Callable[[object], str]:
    """A reader of declared words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError("another word")
        return value

    return read


def integer(lowest: int, highest: int) -> Callable[[object], int]:
    """A reader of whole numbers within bounds."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError("no such number")
        return value

    return read


def duration(lowest: int, highest: int) -> Callable[[object], int]:
    """A reader of ISO 8601 durations within bounds, in milliseconds."""

    def read(value: object) -> int:
        milliseconds = parse_duration(string(value))
        if not lowest <= milliseconds <= highest:
            raise ValueError("too short or too long")
        return milliseconds

    return read


def durations(lowest: int, highest: int) -> str:
    """What a reader of durations expects, in words.

    >>> durations(1_000, 3_600_000)
    'an ISO 8601 duration from PT1S to PT1H'
    """
    return f"an ISO 8601 duration from {format_duration(lowest)} to {format_duration(highest)}"


def instant(value: object) -> int:
    """An ISO 8601 instant with a zone, in UTC epoch milliseconds."""
    try:
        return parse_instant(string(value))
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def texts(value: object) -> tuple[str, ...]:
    """An array of one or more different names."""
    if not isinstance(value, list):
        raise ValueError("no array")
    names = tuple(map(text, value))
    if not names or len({*names}) < len(names):
        raise ValueError("empty, or with a name twice")
    return names


def zone(value: object) -> str:
    """The name of a time zone that this machine knows."""
    name = string(value)
    try:
        ZoneInfo(name)
    except (KeyError, OSError) as error:  # no such name, or a folder of names; a path is a ValueError
        raise ValueError("an unknown zone") from error
    return name


def currency(value: object) -> str:
    """The code of a currency, such as CNY; no list of them is looked up."""
    code = string(value)
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise ValueError("no code")
    return code


def string(value: object) -> str:
    """A string as it is."""
    if not isinstance(value, str):
        raise ValueError("no string")
    return value
