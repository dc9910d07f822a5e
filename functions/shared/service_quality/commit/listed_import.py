"""An import in its shop's item, for as long as some item has still to absorb its part of it."""

from typing import Literal, NamedTuple

from service_quality.conversations.conversation import is_remembered
from service_quality.histories.windows import WINDOWS

#: Imports that a shop has still to absorb, and imports done with whose marks are still known: at most so many.
MAX_IMPORTS = 50
MOST_DONE_IMPORTS = 200
_LONGEST_WINDOW = max(window.length + window.hop for window in WINDOWS.values())


ItemKind = Literal["histories", "conversations"]


class Import(NamedTuple):
    """A backfill that a shop's items absorb, each its part of one of `buckets` packs, when they next change.

    `histories` and `conversations` are how many items of a kind have still to absorb theirs, the clocks are the
    shop's after the import's mark.
    """

    import_id: str
    buckets: int
    histories: int
    conversations: int
    clock: int
    received_clock: int

    @property
    def is_done(self) -> bool:
        """Whether no item has anything to absorb any more."""
        return self.histories <= 0 and self.conversations <= 0

    def at(self, *, clock: int, received_clock: int) -> "Import":
        """The import at clocks of its shop: what no window and no retention reaches is nothing to absorb any more."""
        within_windows = clock - self.clock < _LONGEST_WINDOW
        return self._replace(
            histories=self.histories if within_windows else 0,
            conversations=self.conversations
            if is_remembered(self.received_clock, received_clock=received_clock)
            else 0,
        )
