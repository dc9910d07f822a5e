"""The readers of the table's stream: an archiver and a dispatcher that deliver late, twice, or in part."""

from collections import defaultdict
from dataclasses import dataclass, field

from service_quality.commit.archive_objects import ArchiveRow, archive_objects, unpack_archive_row
from service_quality.commit.inserted_rows import InsertedRow
from tests.simulation.outside import ALERTS, Outside
from tests.stand_ins.living_tables import Change, Item


@dataclass
class Outlets:
    """Pointers into the table's stream: what was acknowledged of it, by outlet; `published` is what people received."""

    outside: Outside
    archived: set[int] = field(default_factory=set)
    published: list[str] = field(default_factory=list)
    dispatched: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def rows(self, kind: str) -> list[tuple[int, Change]]:
        """The rows of one kind in the order of the table's stream, each with its place there."""
        changes = self.outside.tables.changes
        return [
            (place, change)
            for place, change in enumerate(changes)
            if change.table == ALERTS and change.item["row_kind"]["S"] == kind
        ]

    def archive(self, *, skip: int, size: int, objects: int | None = None, acknowledged: bool = True) -> None:
        """Write a batch of archive rows, those waiting from the `skip`-th on; at most `objects` objects of it."""
        waiting = [(place, change) for place, change in self.rows("archive") if place not in self.archived]
        batch = waiting[skip : skip + size]
        self._write([change for _, change in batch], objects)
        if acknowledged and objects is None:
            self.archived |= {place for place, _ in batch}

    def archive_again(self, first: int, size: int) -> None:
        """Write rows that were archived before, cut otherwise."""
        rows = [change for place, change in self.rows("archive") if place in self.archived]
        if rows:
            self.outside.counts["archived again"] += 1
            self._write(rows[first % len(rows) :][:size], None)

    def dispatch(self, which: int, *, size: int, dies_after: int | None = None) -> None:
        """Publish the next rows of one alert in order; a death before the end lets all of them come again."""
        waiting = self._waiting()
        if not waiting:
            return
        stream_key = sorted(waiting)[which % len(waiting)]
        for item in waiting[stream_key][:size][:dies_after]:
            self._publish(item)
        if dies_after is None:
            self.dispatched[stream_key] += len(waiting[stream_key][:size])
        else:
            self.outside.counts["dispatched in part"] += 1

    def drain(self) -> None:
        """Deliver all that waits."""
        self.archive(skip=0, size=10_000)
        while self._waiting():
            self.dispatch(0, size=10_000)

    def _waiting(self) -> dict[str, list[Item]]:
        waiting: dict[str, list[Item]] = defaultdict(list)
        for _, change in self.rows("alert"):
            waiting[change.item["stream_key"]["S"]].append(change.item)
        left = {key: rows[self.dispatched[key] :] for key, rows in waiting.items()}
        return {key: rows for key, rows in left.items() if rows}

    def _write(self, changes: list[Change], objects: int | None) -> None:
        for one in archive_objects(map(_archive_row, changes))[:objects]:
            self.outside.archive_bucket().write(one)

    def _publish(self, item: Item) -> None:
        self.published.append(item["body"]["B"].decode())  # as it is: wording is not what a fault could touch


def _archive_row(change: Change) -> ArchiveRow:
    stream_key, sequence, shop_id = (change.item[name]["S"] for name in ("stream_key", "sequence", "shop_id"))
    return unpack_archive_row(InsertedRow(stream_key, sequence, shop_id, change.item["body"]["B"], change.written_at))
