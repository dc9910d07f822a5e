"""A chunk in the making: what was folded since the last commit, committed when the next event no longer fits."""

from dataclasses import dataclass, field, replace

from service_quality.commit.chunks import Chunk, Commit, duplicate_entry, event_entry, refused_entry
from service_quality.commit.shop_memory import ShopMemory
from service_quality.commit.state_items import Import
from service_quality.commit.store import Store
from service_quality.errors import RejectedEventError
from service_quality.events.interaction_event import HistoryImported
from service_quality.events.log_records import LogRecord, Rejection


@dataclass(slots=True, eq=False, repr=False)
class ChunkWriter:
    """Collects a chunk and commits it when the next event no longer fits."""

    store: Store
    memory: ShopMemory
    fold_version: str
    fingerprint: str
    chunks: int = 0
    position: str = field(init=False)
    chunk: Chunk = field(init=False)

    def __post_init__(self) -> None:
        self.position = self.memory.shop.last_position
        self.chunk = Chunk(self.memory.shop_id, self.position)

    def make_room(self, keys: set[str], *, rows: int, size: int) -> None:
        """Commit first what an event would not fit beside; RejectedEventError for one that no transaction holds."""
        if self.chunk.entries and not self._has_room(keys, rows=rows, size=size):
            self.flush()
        if not self.chunk.entries and not self._has_room(keys, rows=rows, size=size):
            raise RejectedEventError(
                "changes_too_much",
                found=f"an event that changes {len(keys)} items",
                expected="as many as one transaction holds",
            )

    def _has_room(self, keys: set[str], *, rows: int, size: int) -> bool:
        changed = self.memory.changed
        return self.chunk.has_room(items=len(changed) + len(keys - changed), rows=rows, size=size)

    def refuse(self, record: LogRecord, error: RejectedEventError) -> None:
        self.make_room(set(), rows=0, size=300)
        self.store.keep_rejected([Rejection(self.memory.shop_id, record, error.reason, str(error))])
        self.chunk.add_entry(refused_entry(record.position, error.reason, error.field), 300)
        self.position = record.position

    def import_history(self, record: LogRecord, event: HistoryImported) -> None:
        """From here on the import counts: what was held before it is committed and read anew."""
        self.flush()
        shop = self.memory.shop
        known = any(one.import_id == event.import_id for one in shop.imports)
        if not known:
            shop = replace(
                shop,
                clock=max(shop.clock, event.clock),
                received_clock=max(shop.received_clock, event.clock),
                imports=(*shop.imports, Import(event.import_id, event.buckets, record.position)),
            )
        self.memory.shop = shop
        self.position = record.position
        entry = (
            duplicate_entry(record.position) if known else event_entry(record.position, event, None, clock=shop.clock)
        )
        self.chunk.add_entry(entry, len(record.data) + 200)
        self.flush()
        self.memory.forget_items()

    def flush(self) -> None:
        """Commit what was folded; nothing when nothing was."""
        if not self.chunk.entries:
            return
        before = self.memory.shop
        shop = replace(before, version=before.version + 1, fold_version=self.fold_version, last_position=self.position)
        archive = self.chunk.archive_row(
            last=self.position, fold_version=self.fold_version, fingerprint=self.fingerprint
        )
        self.store.commit(
            Commit(
                shop_id=self.memory.shop_id,
                shop=shop,
                expected_version=before.version,
                items=self.memory.take_changes(),
                rows=(*self.chunk.rows.values(), archive),
            )
        )
        self.memory.shop = shop
        self.chunk = Chunk(self.memory.shop_id, self.position)
        self.chunks += 1
