"""An import in its shop's item, while some item has still to absorb its part of it."""

from typing import Literal, NamedTuple

from service_quality.conversations.conversation import is_within_retention
from service_quality.histories.windows import LONGEST_REACH

#: The most imports that a shop has still to absorb, and the most absorbed ones whose ids it still knows.
MAX_IMPORTS = 50
MOST_DONE_IMPORTS = 200


ItemKind = Literal["histories", "conversations"]


class Import(NamedTuple):
    """A backfill that a shop's items absorb when they next change, each its part of one of `buckets` packs.

    `histories` and `conversations` count the items of a kind that have still to absorb theirs; the clocks are the
    shop's after the import record, `revision` that of its counting.
    """

    import_id: str
    buckets: int
    histories: int
    conversations: int
    clock: int
    received_clock: int
    revision: int = 0

    @property
    def is_done(self) -> bool:
        """Whether every item has absorbed its part."""
        return self.histories <= 0 and self.conversations <= 0

    def at(self, *, clock: int, received_clock: int) -> "Import":
        """The import at clocks of its shop; parts beyond every window or beyond retention are not absorbed any more."""
        within_windows = clock - self.clock < LONGEST_REACH
        return self._replace(
            histories=self.histories if within_windows else 0,
            conversations=self.conversations
            if is_within_retention(self.received_clock, received_clock=received_clock)
            else 0,
        )
