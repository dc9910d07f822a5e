"""The commit's store; it raises ConflictError, ShopTroubleError or DependencyError."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from service_quality.commit.shop_item import ShopItem
from service_quality.commit.transactions import Commit
from service_quality.events.log_records import Rejection


class Store(Protocol):
    """Tables of state and outbox, and the bucket of rejected and parked records."""

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """The shop's item, strongly consistent."""

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """Stored items by key, strongly consistent; a missing item is left out."""

    def commit(self, commit: Commit) -> None:
        """All or nothing; ConflictError when the shop's version is not the expected one."""

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        """Store records that were rejected or parked; a second time changes nothing."""

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        """Those of these positions that some archive row of the shop holds, strongly consistent."""
