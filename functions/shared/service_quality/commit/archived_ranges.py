"""The archived part of a shop's chain: ranges of positions, which merge as rows arrive."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from service_quality.events.positions import START

#: Partition key and kind of the rows that hold each shop's archived ranges.
LEDGER = "archive_ledger"

#: The ledger of a shop without an archived row.
NOTHING_ARCHIVED = b"[]"

#: Days that rows of the outbox stay in the table.
OUTBOX_DAYS = 30

#: The sort key of a chain's first row: no key of a table is empty, and it sorts before every position.
FIRST_ROW = "0"
_MOST_RANGES = 50


class Range(NamedTuple):
    """The positions after `follows`, up to and including `last`."""

    follows: str
    last: str


class Gap(NamedTuple):
    """Rows missing from the archive: from the one that follows `after`, up to before the one that follows `before`.

    `before` is None for the open end, where rows still come.
    """

    after: str
    before: str | None


def row_key(follows: str) -> str:
    """The key, among a shop's archive rows, of the one that follows a position."""
    return follows or FIRST_ROW


def follows_of(key: str) -> str:
    """The position that the row of this key follows."""
    return START if key == FIRST_ROW else key


def just_the_row(key: str) -> Range:
    """The range of the row of a key alone, for a row whose last position cannot be read."""
    follows = follows_of(key)
    return Range(follows, f"{follows}!")  # sorts behind this position and before every later one


def add_ranges(ranges: Iterable[Range], new: Iterable[Range]) -> tuple[Range, ...]:
    """The ranges with further ones, in order; ranges that touch are merged.

    Beyond 50 ranges early ones are dropped, though never the first: their rows are archived a second time, and no row
    is lost.

    >>> [tuple(one) for one in add_ranges([Range("", "2"), Range("5", "7")], [Range("2", "5")])]
    [('', '7')]
    >>> [tuple(one) for one in add_ranges([Range("", "2")], [Range("5", "7")])]
    [('', '2'), ('5', '7')]
    """
    merged: list[Range] = []
    for one in sorted((*ranges, *new)):
        if merged and one.follows <= merged[-1].last:
            merged[-1] = Range(merged[-1].follows, max(merged[-1].last, one.last))
        else:
            merged.append(one)
    return (*merged[:1], *merged[1:][1 - _MOST_RANGES :])


def find_gaps(ranges: Iterable[Range]) -> list[Gap]:
    """The gaps between the ranges, in order; the last is the open end.

    >>> [tuple(one) for one in find_gaps([Range("", "2"), Range("5", "7")])]
    [('2', '5'), ('7', None)]
    >>> [tuple(one) for one in find_gaps([])]
    [('', None)]
    """
    gaps: list[Gap] = []
    after = START
    for one in ranges:
        if one.follows > after:
            gaps.append(Gap(after, one.follows))
        after = one.last
    return [*gaps, Gap(after, None)]


def encode_ranges(ranges: Iterable[Range]) -> bytes:
    """The stored form of a shop's ledger."""
    return json.dumps([list(one) for one in ranges], separators=(",", ":")).encode()


def decode_ranges(data: bytes) -> tuple[Range, ...]:
    """The ranges that `encode_ranges` wrote."""
    return tuple(Range(*one) for one in json.loads(data))
