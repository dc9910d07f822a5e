"""The progress of a shop's log, by its item."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cli.progress import Signs
from infra.operations.errors import NotYetThroughError
from service_quality.adapters.state_table import StateReader
from service_quality.commit.shop_item import ShopItem
from service_quality.events.positions import START, sequence_of

_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ShopLog:
    """The log of one shop; a wait ends after `patience` seconds without progress."""

    shop_id: str
    state: StateReader
    patience: float
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def read(self) -> ShopItem:
        """The shop's item, strongly consistent; an empty one for an unknown shop."""
        return self.state.read_shop(self.shop_id) or ShopItem()

    def wait_for(self, number: int, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until the log has come to a sequence number, and call `meanwhile` every second.

        NotYetThroughError when it makes no progress for `patience` seconds.
        """
        signs, position, moved = Signs("log"), START, self.clock()
        while sequence_of(found := self.read().last_position) < number:
            if found != position:
                position, moved = found, self.clock()
            if self.clock() - moved >= self.patience:
                raise NotYetThroughError(
                    f"found the shop's log unmoved for {self.patience:.0f} s, expected it to come to what was put "
                    "on it; see the alarms on score_interactions, then run again"
                )
            meanwhile()
            signs.show("waits for the shop's log to come to what was put on it")
            self.pause(_POLL_SECONDS)
