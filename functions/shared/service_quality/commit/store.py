"""What the commit needs of the outside; errors of it are ConflictError, ShopTroubleError or SurroundingsError."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from service_quality.commit.chunks import Commit
from service_quality.commit.state_items import ShopItem
from service_quality.events.log_records import Rejection


class Store(Protocol):
    """Tables of state and outbox, and the bucket of what was rejected or parked."""

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """The shop's item, strongly consistent."""

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """Stored items by key, strongly consistent; what does not exist is left out."""

    def commit(self, commit: Commit) -> None:
        """All or nothing; ConflictError when the shop's version is not the expected one."""

    def keep_rejected(self, rejections: Sequence[Rejection]) -> None:
        """Keep records that were rejected or parked; keeping them again changes nothing."""

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        """Those of these positions that some archive row of the shop holds, strongly consistent."""
