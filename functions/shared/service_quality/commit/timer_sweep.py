"""The sweep of timers: what comes due soon and was written too early to be sent, and what should have rung already."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from service_quality.commit.timer_messages import AHEAD_MS, BEHIND_MS, TimerMessage
from service_quality.commit.timers import due_slots
from service_quality.instants import MINUTE

#: How often the sweep runs, as the stack's schedule says.
SWEEP_MS = 5 * MINUTE
#: A timer is lost that is pending so long after it should have rung.
LOST_MS = 1 * MINUTE


class PendingTimer(NamedTuple):
    """A timer of the index: its message, and when its row was written, in whole seconds."""

    message: TimerMessage
    written_at: int

    def comes_due(self, now: int) -> bool:
        """Whether it rings soon and was written too early for a message to be sent at once."""
        rings_at = self.message.rings_at
        was_far = rings_at - self.written_at > AHEAD_MS
        return was_far and now < rings_at <= now + AHEAD_MS

    def is_lost(self, now: int) -> bool:
        """Whether it should have rung already and is to be sent again.

        A message that is lost is sent again by the first sweep that sees it; the record of another may be on a log that
        nothing reads for hours, so later sweeps send it ever more seldom: 5, 10, 20, 40 … minutes after it was to ring.
        """
        overdue = now - self.message.rings_at
        if overdue <= LOST_MS or self.message.is_forgotten(now):
            return False
        sweeps = overdue // SWEEP_MS
        return sweeps & (sweeps - 1) == 0  # 0 or a power of two


class TimerIndex(Protocol):
    """Pending timers by due time."""

    def read(self, slot: str, first: int, last: int) -> Iterator[list[PendingTimer]]:
        """The timers of a part of the index that are due from one instant until another, earliest first, by page."""


@dataclass(slots=True)
class SweptTimers:
    """The counts of one sweep."""

    sent: int = 0
    overdue: int = 0
    slots: int = 0
    finished: bool = False


@dataclass(slots=True, eq=False, repr=False)
class TimerSweep:
    """Goes through the index while `has_time` is true; each sweep begins one part later than the one before."""

    index: TimerIndex
    send: Callable[[Sequence[TimerMessage]], None]
    has_time: Callable[[], bool]
    swept: SweptTimers = field(default_factory=SweptTimers)

    def run(self, now: int) -> None:
        """Send what comes due and what is lost at an instant, in epoch milliseconds."""
        first, last = now - BEHIND_MS, now + AHEAD_MS
        slots = due_slots(first, last)
        begin = now // SWEEP_MS % len(slots)
        for slot in [*slots[begin:], *slots[:begin]]:
            for page in self.index.read(slot, first, last):
                self._send(page, now)
                if not self.has_time():
                    return
            self.swept.slots += 1
        self.swept.finished = True

    def _send(self, page: Sequence[PendingTimer], now: int) -> None:
        overdue = [one.message for one in page if one.is_lost(now)]
        coming = [one.message for one in page if one.comes_due(now)]
        if overdue or coming:
            self.send([*overdue, *coming])
        self.swept.overdue += len(overdue)
        self.swept.sent += len(coming)
