"""Archive rows into objects: one per date, named by what it holds."""

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from service_quality.instants import format_instant


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """The rows of one date as JSON lines; a second delivery of the same rows has the same key."""

    key: str
    lines: bytes
    rows: int


def archive_objects(rows: Iterable[tuple[bytes, int]]) -> list[ArchiveObject]:
    """Gather archive rows, each with the instant it was written at, into one object per date.

    The date is that of the last event's clock, UTC. A row that holds no event, only refusals and duplicates, has no
    clock and goes by when it was written.
    """
    by_date: dict[str, list[tuple[bytes, dict[str, object]]]] = {}
    for packed, written_at in rows:
        line = zlib.decompress(packed)
        row = json.loads(line)
        by_date.setdefault(_date(row, written_at), []).append((line, row))
    return [_object(date, found) for date, found in by_date.items()]


def _object(date: str, rows: list[tuple[bytes, dict[str, object]]]) -> ArchiveObject:
    links = [[row["shop_id"], row["follows"], row["last"]] for _, row in rows]
    name = hashlib.sha256(json.dumps(links).encode()).hexdigest()[:32]
    lines = b"".join(line + b"\n" for line, _ in rows)
    return ArchiveObject(f"archive/date={date}/{name}.jsonl.gz", lines, len(rows))


def _date(row: dict[str, list[dict[str, int]]], written_at: int) -> str:
    clocks = [entry["clock"] for entry in row["entries"] if "clock" in entry]
    return format_instant(clocks[-1] if clocks else written_at)[:10]
