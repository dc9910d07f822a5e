"""The commit's store in memory: state, outbox and rejected records as the bytes that tables and bucket would hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import ShopItem, decode_shop, encode_shop
from service_quality.commit.transactions import Commit, positions_in
from service_quality.errors import ConflictError
from service_quality.events.log_records import Rejection
from spark_jobs.backtest.pending_timers import PendingTimers


@dataclass
class MemoryStore:
    """Implements `commit.store.Store`: items by shop and key, rows by their keys, rejections by shop and position.

    `alerts` are the rows that announce an alert, in the order of their commits; `timers` those that wait for time.
    """

    shops: dict[str, bytes] = field(default_factory=dict)
    items: dict[tuple[str, str], bytes] = field(default_factory=dict)
    rows: dict[tuple[str, str], OutboxRow] = field(default_factory=dict)
    rejected: dict[tuple[str, str], Rejection] = field(default_factory=dict)
    alerts: list[OutboxRow] = field(default_factory=list)
    timers: PendingTimers = field(default_factory=PendingTimers)

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """The shop's item; None before its first commit."""
        return decode_shop(self.shops[shop_id]) if shop_id in self.shops else None

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """Stored items by key; a missing item is left out."""
        return {key: self.items[shop_id, key] for key in keys if (shop_id, key) in self.items}

    def commit(self, commit: Commit) -> None:
        """All of a transaction; ConflictError when the shop's version is not the expected one."""
        present = self.shops.get(commit.shop_id)
        if (decode_shop(present).version if present else 0) != commit.expected_version:
            raise ConflictError("found another version of the shop, expected the one read")
        self.shops[commit.shop_id] = encode_shop(commit.shop)
        self.items.update({(commit.shop_id, key): data for key, data in commit.items.items()})
        self.rows.update({(row.stream_key, row.sequence): row for row in commit.rows})
        self.alerts += [row for row in commit.rows if row.row_kind == "alert"]
        self.timers.note(commit.rows)

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        """Store rejected or parked records; a second time changes nothing."""
        self.rejected.update({(one.shop_id, one.record.position): one for one in rejections})

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        """Those of these positions that some archive row of the shop holds."""
        bodies = [row.body for row in self.rows.values() if row.row_kind == "archive" and row.shop_id == shop_id]
        return frozenset(positions) & frozenset().union(*map(positions_in, bodies))
