"""A way to a store on which calls fail, land later, or are overtaken by another writer's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from service_quality.commit.shop_item import ShopItem
from service_quality.commit.transactions import Commit
from service_quality.errors import ConflictError, DependencyError
from service_quality.events.log_records import Rejection
from tests.stand_ins.memory_store import MemoryStore

Result = TypeVar("Result")

FAULTS = ("timeout before", "timeout after", "crash before", "crash after", "timeout, lands later")


class Crash(BaseException):  # not an error that the code under test may catch
    """The worker ends here and now."""


@dataclass
class FaultyStore:
    """One worker's way to the store; `faults` and `overtaken` by the number of the call, counted from 0."""

    store: MemoryStore
    faults: Mapping[int, str] = field(default_factory=dict)
    overtaken: Mapping[int, Callable[[], None]] = field(default_factory=dict)
    calls: int = 0
    _landing: list[Commit] = field(default_factory=list)

    def read_shop(self, shop_id: str) -> ShopItem | None:
        return self._call(lambda: self.store.read_shop(shop_id))

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        return self._call(lambda: self.store.read_items(shop_id, keys))

    def commit(self, commit: Commit) -> None:
        if self.faults.get(self.calls) == "timeout, lands later":
            self._landing.append(commit)
        self._call(lambda: self.store.commit(commit))

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        self._call(lambda: self.store.store_rejected(rejections))

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        return self._call(lambda: self.store.positions_archived(shop_id, positions))

    def land(self) -> None:
        """A delayed call arrives now, after the call that came next: a read before it is stale."""
        while self._landing:
            try:
                self.store.commit(self._landing.pop(0))
            except ConflictError:
                continue

    def _call(self, call: Callable[[], Result]) -> Result:
        number = self.calls
        self.calls += 1
        fault = self.faults.get(number, "")
        if number in self.overtaken:
            self.overtaken[number]()
        if fault == "timeout, lands later":
            raise DependencyError("timed out, under way")
        if fault == "timeout before":
            raise DependencyError("timed out")
        if fault == "crash before":
            raise Crash
        try:
            result = call()
        finally:
            self.land()
        if fault == "timeout after":
            raise DependencyError("timed out")
        if fault == "crash after":
            raise Crash
        return result
