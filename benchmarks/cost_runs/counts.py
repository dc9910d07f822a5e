"""The reads and writes of the real commit for a log, counted as DynamoDB counts them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from benchmarks.cost_runs.prices import STORED_OVERHEAD_BYTES
from benchmarks.cost_runs.timers import CountedTimers
from service_quality.commit.archived_ranges import LEDGER
from service_quality.commit.inserted_rows import InsertedRow
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import SHOP_KEY, ShopItem, encode_shop
from service_quality.commit.state_items import entity_name
from service_quality.commit.timers import TIMER
from service_quality.commit.transactions import Commit
from service_quality.conversations.conversation import KEY_NAMES
from service_quality.events.identifiers import SEPARATOR
from tests.stand_ins.memory_store import MemoryStore

_WRITE_BYTES, _READ_BYTES = 1024, 4096
_NUMBER_BYTES = 8  # at most, of an instant in seconds or a version
_TIMES_IN_A_TRANSACTION = 2
CONVERSATIONS = KEY_NAMES
_ROWS = {"archive": "archive rows", LEDGER: "ledgers of the archive", TIMER: "timers"}


@dataclass
class CountingStore(MemoryStore):
    """A store in memory that counts request units, calls and bytes."""

    read_units: int = 0
    write_units: Counter[str] = field(default_factory=Counter)
    written_items: Counter[str] = field(default_factory=Counter)
    index_units: int = 0
    api_calls: Counter[str] = field(default_factory=Counter)
    row_bytes: int = 0
    archive_rows: list[InsertedRow] = field(default_factory=list)
    counted_timers: CountedTimers = field(default_factory=CountedTimers)

    def start_counting(self) -> None:
        """Forget the counts, not the stored items."""
        fresh = CountingStore()
        for name in ("read_units", "write_units", "written_items", "index_units", "api_calls", "row_bytes"):
            setattr(self, name, getattr(fresh, name))
        self.archive_rows = []
        self.counted_timers = self.counted_timers.again()

    def read_shop(self, shop_id: str) -> ShopItem | None:
        self.api_calls["GetItem"] += 1
        self.read_units += 1
        return super().read_shop(shop_id)

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        self.api_calls["BatchGetItem"] += ceil(len(keys) / 100)
        for key in keys:
            stored = self.items.get((shop_id, key), b"")
            self.read_units += max(1, ceil(item_bytes(shop_id, key, stored) / _READ_BYTES))
        return super().read_items(shop_id, keys)

    def commit(self, commit: Commit) -> None:
        super().commit(commit)
        self.commits.clear()
        self.api_calls["TransactWriteItems"] += 1
        self._count("shop's item", item_bytes(commit.shop_id, SHOP_KEY, encode_shop(commit.shop)))
        for key, data in commit.items.items():
            kind = "conversations" if entity_name(key) in CONVERSATIONS else "histories"
            self._count(kind, item_bytes(commit.shop_id, key, data))
        self.counted_timers.put((row for row in commit.rows if row.row_kind == TIMER), commit.shop.received_clock)
        for row in commit.rows:
            self._count(_ROWS.get(row.row_kind, "alert rows"), row_bytes(row))
            self._count_row(row)

    def _count(self, kind: str, size: int) -> None:
        self.write_units[kind] += _TIMES_IN_A_TRANSACTION * ceil(size / _WRITE_BYTES)
        self.written_items[kind] += 1

    def _count_row(self, row: OutboxRow) -> None:
        """Only open alerts are in their index, which is not written by transaction; a timer takes its own place."""
        if row.row_kind == TIMER:
            return
        if row.row_kind == "state":
            self.index_units += ceil(row_bytes(row) / _WRITE_BYTES)
            return
        self.row_bytes += row_bytes(row) + STORED_OVERHEAD_BYTES
        if row.row_kind == "archive":
            self.archive_rows.append(InsertedRow(row.stream_key, row.sequence, row.shop_id, row.body, written_at=0))

    def stored_bytes(self, *, conversations: bool) -> int:
        """The bytes of conversations in the state table, or of histories."""
        return sum(
            item_bytes(shop_id, key, data) + STORED_OVERHEAD_BYTES
            for (shop_id, key), data in self.items.items()
            if (entity_name(key) in CONVERSATIONS) == conversations
        )


def item_bytes(shop_id: str, key: str, data: bytes) -> int:
    """An item of the state table: names and values of its three attributes."""
    names = len("item_key") + len("data") + len("expires_at")
    return names + len(f"{shop_id}{SEPARATOR}{key}".encode()) + len(data) + _NUMBER_BYTES


def row_bytes(row: OutboxRow) -> int:
    """A row of the alerts table: names and values of its attributes."""
    names = sum(map(len, ("stream_key", "sequence", "row_kind", "body", "shop_id", "expires_at")))
    values = (row.stream_key, row.sequence, row.row_kind, row.shop_id)
    opened = len("open_shop") + len(row.shop_id.encode()) if row.open else 0
    due = len("due_slot") + len("00000.00") + len("due_at") + _NUMBER_BYTES if row.due_at is not None else 0
    return names + sum(len(value.encode()) for value in values) + len(row.body) + _NUMBER_BYTES + opened + due
