"""Archive rows into objects: one per date and bucket of shops, named by its content."""

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from service_quality.commit.archived_ranges import Range, follows_of
from service_quality.commit.inserted_rows import InsertedRow
from service_quality.commit.shop_buckets import shop_bucket
from service_quality.errors import UnreadableRowError
from service_quality.instants import format_instant


class ArchiveRow(NamedTuple):
    """A link of a shop's chain: its JSON on one line, the range of its positions, its date."""

    shop_id: str
    range: Range
    line: bytes
    date: str


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """The rows of one date and bucket as JSON lines; a second delivery of the same rows has the same key."""

    key: str
    lines: bytes
    rows: int


def unpack_archive_row(row: InsertedRow) -> ArchiveRow:
    """The link in a row of the outbox; UnreadableRowError for bytes that are no link, or not this row's.

    The date is that of the last event's clock, UTC. A row without an event, only with rejections and duplicates, has no
    clock and gets the date on which it was written.
    """
    try:
        line = zlib.decompress(row.body)
        link = json.loads(line)
    except (zlib.error, ValueError, RecursionError) as error:
        raise UnreadableRowError("malformed_body", found=type(error).__name__, expected="a packed row") from None
    if not isinstance(link, dict) or b"\n" in line:
        raise UnreadableRowError("not_an_object", found="another form", expected="a row's object on one line")
    follows, last, entries = link.get("follows"), link.get("last"), link.get("entries")
    if link.get("shop_id") != row.shop_id or follows != follows_of(row.sequence) or not isinstance(entries, list):
        raise UnreadableRowError("wrong_row", found="another shop or position", expected="those of the row's key")
    if not isinstance(last, str) or last <= follows:
        raise UnreadableRowError("wrong_row", found="no later position as last", expected="the row's last position")
    clocks = [entry["clock"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("clock"), int)]
    return ArchiveRow(row.shop_id, Range(follows, last), line, _date(clocks[-1] if clocks else row.written_at))


def archive_objects(rows: Iterable[ArchiveRow]) -> list[ArchiveObject]:
    """Gather archive rows into one object per date and bucket of shops, so at most 16 a date."""
    folders: dict[str, list[ArchiveRow]] = {}
    for row in rows:
        folders.setdefault(object_folder(row.date, shop_bucket(row.shop_id)), []).append(row)
    return [_object(folder, found) for folder, found in folders.items()]


def object_folder(date: str, bucket: int) -> str:
    """The part of an object's key that names date and bucket.

    >>> object_folder("2026-11-20", 7)
    'archive/date=2026-11-20/bucket=07'
    """
    return f"archive/date={date}/bucket={bucket:02d}"


def ranges_by_shop(rows: Iterable[ArchiveRow]) -> dict[str, list[Range]]:
    """The ranges of positions of each shop's rows."""
    ranges: dict[str, list[Range]] = {}
    for row in rows:
        ranges.setdefault(row.shop_id, []).append(row.range)
    return ranges


def _object(folder: str, rows: list[ArchiveRow]) -> ArchiveObject:
    links = [[row.shop_id, *row.range] for row in rows]
    name = hashlib.sha256(json.dumps(links).encode()).hexdigest()[:32]
    lines = b"".join(row.line + b"\n" for row in rows)
    return ArchiveObject(f"{folder}/{name}.jsonl.gz", lines, len(rows))


def _date(instant: int) -> str:
    return format_instant(instant)[:10]
