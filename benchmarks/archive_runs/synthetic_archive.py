"""An archive of many shops in a folder, in objects such as the archiver writes.

One shop's month is committed by the product's own fold; the others have the same rows under their own ids.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.cost_runs.counts import CountingStore
from benchmarks.cost_runs.scenarios import ARCHIVE_BATCH, START, batches_of, fold, in_order, take
from service_quality.commit.archive_objects import ArchiveRow, archive_objects, unpack_archive_row
from spark_jobs.synthetic_shop.world import World, events_of, shop_of

EVENTS_A_SHOP = 20_000
NEXT_EVENTS = 200
_EVENTS_A_ROW = 100
_PART_BYTES = 5_000_000  # of a batch of the table's stream, which is at most 6 MB


class ShopRows(NamedTuple):
    """One shop's archive rows: those of its past, and the next ones."""

    shop_id: str
    past: Sequence[ArchiveRow]
    coming: Sequence[ArchiveRow]


def commit_shop(*, past: int = EVENTS_A_SHOP, coming: int = NEXT_EVENTS) -> ShopRows:
    """A busy shop's archive rows of a number of events, as committed."""
    world = World(shops=1, days=31, contacts_per_day=150, seed=1, start=START)
    shop = shop_of(world, 0)
    events = in_order(events_of(world, shop, range(world.customers)))
    store = CountingStore()
    commit = fold(store)
    found: list[list[ArchiveRow]] = []
    for first, part in ((0, events[:past]), (past, events[past : past + coming])):
        store.archive_rows.clear()
        take(commit, shop.shop_id, batches_of(part, _EVENTS_A_ROW), first=first)
        found.append([unpack_archive_row(row) for row in store.archive_rows])
    return ShopRows(shop.shop_id, *found)


def write_objects(folder: Path, rows: Sequence[ArchiveRow], shop_id: str, shops: int) -> int:
    """Write these rows under the ids of a number of shops; returns the number of events.

    The shops commit at the same times, so an object holds rows of all shops of its bucket.
    """
    events = 0
    for batch in _batches(row for row in rows for row in _of_shops(row, shop_id, shops)):
        write_batch(folder, batch)
    for row in rows:
        events += shops * len(json.loads(row.line)["entries"])
    return events


def write_batch(folder: Path, batch: Sequence[ArchiveRow]) -> None:
    """Write the objects that the archiver makes of a batch of rows."""
    for one in archive_objects(batch):
        path = folder / one.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(one.lines, compresslevel=6, mtime=0))


def _of_shops(row: ArchiveRow, shop_id: str, shops: int) -> Iterator[ArchiveRow]:
    named = json.dumps(shop_id).encode()
    for number in range(shops):
        other = f"{shop_id}-{number:03d}"
        yield row._replace(shop_id=other, line=row.line.replace(named, json.dumps(other).encode()))


def _batches(rows: Iterator[ArchiveRow]) -> Iterator[list[ArchiveRow]]:
    """Batches as the event source makes them: a thousand rows, or as many bytes as it hands over."""
    held: list[ArchiveRow] = []
    size = 0
    for row in rows:
        held.append(row)
        size += len(row.line) // 4  # packed, and in base64
        if len(held) == ARCHIVE_BATCH or size >= _PART_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held
