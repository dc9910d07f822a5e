"""State table, outbox and rejected store in dictionaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service_quality.commit.shop_item import ShopItem
from service_quality.commit.transactions import Commit
from service_quality.events.log_records import Rejection
from spark_jobs.backtest import memory_store
from tests.stand_ins.archive_chain import archived_entries

SHOP_KEY = "shop"
MOST_ITEMS = 100
MOST_ROW_BYTES = 400_000
MOST_BYTES = 4_000_000


class RefusedByTableError(BaseException):
    """A write that the table would always refuse; a BaseException, so that no code takes it for a bad record."""


@dataclass
class MemoryStore(memory_store.MemoryStore):
    """The store of a backtest, which also refuses what no table takes, and counts the calls that AWS would see."""

    commits: list[Commit] = field(default_factory=list)
    calls: int = 0

    def read_shop(self, shop_id: str) -> ShopItem | None:
        self.calls += 1
        return super().read_shop(shop_id)

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        self.calls += 1 + (len(keys) - 1) // 100
        return super().read_items(shop_id, keys)

    def commit(self, commit: Commit) -> None:
        self.calls += 1
        _refuse_what_no_table_takes(commit)
        super().commit(commit)
        self.commits.append(commit)

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        self.calls += 1
        super().store_rejected(rejections)

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        self.calls += 1
        archived = {entry["position"] for entry in archived_entries(self.rows, shop_id)}
        return frozenset(archived & set(positions))


def _refuse_what_no_table_takes(commit: Commit) -> None:
    """A transaction of DynamoDB: at most 100 items, each key once, none beyond 400 KB, together at most 4 MB."""
    state_keys = [SHOP_KEY, *commit.items]
    row_keys = [(row.stream_key, row.sequence) for row in commit.rows]
    if len(state_keys) + len(row_keys) > MOST_ITEMS:
        raise RefusedByTableError(f"found {len(state_keys) + len(row_keys)} items, expected at most {MOST_ITEMS}")
    if len({*state_keys}) + len({*row_keys}) != len(state_keys) + len(row_keys):
        raise RefusedByTableError("found a key twice in one transaction, expected each once")
    sizes = [len(data) for data in (*commit.items.values(), *(row.body for row in commit.rows))]
    if sum(sizes) > MOST_BYTES:
        raise RefusedByTableError(f"found a transaction of {sum(sizes)} bytes, expected at most {MOST_BYTES}")
    largest = max(sizes)
    if largest > MOST_ROW_BYTES:
        raise RefusedByTableError(f"found an item of {largest} bytes, expected at most {MOST_ROW_BYTES}")
