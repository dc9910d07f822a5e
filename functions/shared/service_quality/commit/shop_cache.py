"""The cache of shops: whole states in memory between batches, which a function does not read again."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from service_quality.commit.shop_state import ShopState


@dataclass(slots=True, eq=False, repr=False)
class ShopCache:
    """States by shop, each valid at one version or not at all; beyond `most_items` the longest unused is dropped.

    Several threads may take and put at once, each its own shop.
    """

    most_items: int
    items: int = 0
    _shops: OrderedDict[str, tuple[ShopState, int]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, shop_id: str) -> ShopState | None:
        """Take a shop's state out; None where the cache does not hold it. After a failure it is not put back."""
        with self._lock:
            state, size = self._shops.pop(shop_id, (None, 0))
            self.items -= size
        return state

    def put(self, state: ShopState) -> None:
        """Put a shop's state in, and drop the longest unused states beyond `most_items`."""
        size = state.size()
        with self._lock:
            self._shops[state.shop_id] = state, size
            self.items += size
            while self.items > self.most_items:
                _, (_, dropped) = self._shops.popitem(last=False)
                self.items -= dropped
