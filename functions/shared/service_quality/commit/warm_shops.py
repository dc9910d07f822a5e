"""Whole shops kept in memory between batches: what a warm function need not read again."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from service_quality.commit.shop_memory import ShopMemory


@dataclass(slots=True, eq=False, repr=False)
class WarmShops:
    """Shops by id, each valid at one version or not at all; the longest unused goes when they hold too many items.

    Several threads may take and keep at once, each its own shop.
    """

    most_items: int
    items: int = 0
    _shops: OrderedDict[str, tuple[ShopMemory, int]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, shop_id: str) -> ShopMemory | None:
        """Take a shop out, if it is held; whoever fails with it simply does not keep it again."""
        with self._lock:
            memory, size = self._shops.pop(shop_id, (None, 0))
            self.items -= size
        return memory

    def keep(self, memory: ShopMemory) -> None:
        """Put a shop in as it stands, and let go what is then too much."""
        size = memory.size()
        with self._lock:
            self._shops[memory.shop_id] = memory, size
            self.items += size
            while self.items > self.most_items:
                _, (_, dropped) = self._shops.popitem(last=False)
                self.items -= dropped
