"""A chunk in the making: what was folded since the last commit, committed when the next event no longer fits."""

from dataclasses import dataclass, field, replace

from service_quality.commit.chunks import (
    ITEM_OVERHEAD,
    MAX_ITEM_BYTES,
    MAX_TRANSACTION_BYTES,
    Chunk,
    Commit,
    OutboxRow,
    refused_entry,
)
from service_quality.commit.shop_memory import ShopMemory
from service_quality.commit.state_items import Parked
from service_quality.commit.store import Store
from service_quality.errors import OverfullError, RejectedEventError
from service_quality.events.log_records import PARKED, LogRecord, Rejection

_MARK_BYTES = 300  # of an entry that holds no event
_MAX_KEPT_BYTES = 8_000_000  # of rejected and parked records that wait for the next commit


@dataclass(slots=True, eq=False, repr=False)
class ChunkWriter:
    """Collects a chunk and commits it when the next event no longer fits; `most_events` bounds it further."""

    store: Store
    memory: ShopMemory
    fold_version: str
    fingerprint: str
    most_events: int | None = None
    chunks: int = 0
    unfounded: list[Rejection] = field(default_factory=list)
    position: str = field(init=False)
    chunk: Chunk = field(init=False)
    _rejections: list[Rejection] = field(default_factory=list)
    _kept_bytes: int = 0
    _unreadable: int = 0

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
        if self.most_events is not None and len(self.chunk.entries) >= self.most_events:
            return False
        changed = self.memory.changed | keys
        return self.chunk.has_room(
            items=len(changed), item_bytes=sum(map(self.memory.stored_bytes, changed)), rows=rows, size=size
        )

    def add(self, position: str, entry: dict[str, object], *, size: int) -> None:
        """Put an entry; room was made for it."""
        self.chunk.add_entry(entry, size)
        self.position = position

    def mark(self, position: str, entry: dict[str, object]) -> None:
        """Put an entry that holds no event, with room made for it."""
        self.make_room(set(), rows=0, size=_MARK_BYTES)
        self.add(position, entry, size=_MARK_BYTES)

    def reject(self, record: LogRecord, error: RejectedEventError) -> None:
        """Mark a record as rejected; it is kept before the transaction that says so."""
        self._keep(Rejection(self.memory.shop_id, record, error.reason, str(error)))
        self.mark(record.position, refused_entry(record.position, error.reason, error.field))

    def count_unreadable(self) -> None:
        """Note that the record rejected last is no event and no control record of this shop."""
        self._unreadable += 1

    def park(self, record: LogRecord, *, position: str, failed_run: str = "") -> None:
        """Set a record aside: `record` is what will be put back, `position` where the log has it now.

        The shop stays parked until a run says that it knows of what the log had set aside by then: a record that comes
        back has an earlier position of its own, and may be set aside after a run has looked. `failed_run` names the run
        of put-back records that met trouble.
        """
        shop = self.memory.shop
        before = shop.parked or Parked("")
        parked = Parked(max(before.until, position), failed_run or before.failed_run)
        self._keep(Rejection(self.memory.shop_id, record, PARKED, "its shop is parked"))
        self.mark(position, refused_entry(position, PARKED, ""))
        self.memory.shop = replace(self.memory.shop, parked=parked)

    def _keep(self, rejection: Rejection) -> None:
        size = len(rejection.record.data)
        if self._kept_bytes + size > _MAX_KEPT_BYTES:
            self.flush()
        self._rejections.append(rejection)
        self._kept_bytes += size

    @property
    def founds_no_shop(self) -> bool:
        """Whether no state knows the shop, and nobody can read what was collected for it."""
        return not self.memory.shop.version and self._unreadable == len(self.chunk.entries)

    def flush(self) -> None:
        """Commit what was folded; nothing when nothing was. OverfullError where no table would take it.

        Records that nobody can read found no shop: each would be an item, a ledger and a row for a name that anybody
        may make up. They come to `unfounded`, and no chunk holds them.
        """
        if not self.chunk.entries:
            return
        if self.founds_no_shop:
            self.unfounded += self._rejections
            self._start_chunk(follows=self.chunk.follows)
            return
        before = self.memory.shop
        shop = replace(before, version=before.version + 1, fold_version=self.fold_version, last_position=self.position)
        archive = self.chunk.archive_row(
            last=self.position, fold_version=self.fold_version, fingerprint=self.fingerprint
        )
        commit = Commit(
            shop_id=self.memory.shop_id,
            shop=shop,
            expected_version=before.version,
            items=self.memory.take_changes(),
            rows=(*self.chunk.rows.values(), archive, *self.chunk.first_rows()),
        )
        self._refuse_overfull(commit)
        if self._rejections:
            self.store.keep_rejected(self._rejections)
        self.store.commit(commit)
        self.memory.shop = shop
        self._start_chunk(follows=self.position)
        self.chunks += 1

    def _start_chunk(self, *, follows: str) -> None:
        self.chunk = Chunk(self.memory.shop_id, follows)
        self._rejections, self._kept_bytes, self._unreadable = [], 0, 0

    def _refuse_overfull(self, commit: Commit) -> None:
        """A last look, since an item can grow in a chunk beyond what was known of it before."""
        sizes = [*map(len, commit.items.values()), *map(_row_bytes, commit.rows)]
        whole = sum(sizes) + ITEM_OVERHEAD * (len(sizes) + 1)
        events = len(self.chunk.entries)
        if max(sizes) > MAX_ITEM_BYTES:
            found, expected = f"an item of {max(sizes)} bytes", f"at most {MAX_ITEM_BYTES}"
        elif whole > MAX_TRANSACTION_BYTES:
            found, expected = f"a transaction of {whole} bytes", f"at most {MAX_TRANSACTION_BYTES}"
        else:
            return
        version = commit.expected_version
        raise OverfullError(events=events, position=self.position, version=version, found=found, expected=expected)


def _row_bytes(row: OutboxRow) -> int:
    return len(row.body)
