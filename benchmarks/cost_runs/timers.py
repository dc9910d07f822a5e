"""What timers do for a log, counted from their rows: entries of the index, messages, deadlines that ring."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil

from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.timer_messages import AHEAD_MS
from service_quality.commit.timer_sweep import SWEEP_MS
from service_quality.commit.timers import GRACE_MS


@dataclass(frozen=True)
class _Pending:
    rings_at: int
    written_at: int

    def messages(self, until: int) -> int:
        """The messages that are sent of it by an instant: one at once, or one by each sweep that sees it."""
        if self.rings_at - self.written_at <= AHEAD_MS:
            return 1
        seen = min(until, self.rings_at) - (self.rings_at - AHEAD_MS)
        return max(0, ceil(seen / SWEEP_MS))


@dataclass
class CountedTimers:
    """Counts of timers. `dispatched` are the transactions with a timer in them: each invokes the dispatcher."""

    index_units: int = 0
    messages: int = 0
    rung: int = 0
    dispatched: int = 0
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _clock: int = 0

    def again(self) -> "CountedTimers":
        """The same timers with no counts."""
        return CountedTimers(_pending=self._pending, _clock=self._clock)

    def put(self, rows: Iterable[OutboxRow], at: int) -> None:
        """Take a transaction's rows of timers; the index of due timers is not written by transaction."""
        self._clock = max(self._clock, at)
        has_new = False
        for row in rows:
            self._end(row.stream_key, at)
            if row.due_at is not None:
                self._pending[row.stream_key] = _Pending(row.due_at + GRACE_MS, at)
                self.index_units += 1
                has_new = True
        self.dispatched += has_new

    def settle(self) -> None:
        """Count what is still pending up to the latest instant of the log."""
        for key in list(self._pending):
            self._end(key, self._clock, is_replaced=False)

    def _end(self, key: str, at: int, *, is_replaced: bool = True) -> None:
        before = self._pending.pop(key, None)
        if before is not None:
            self.index_units += is_replaced
            self.messages += before.messages(at)
            self.rung += at > before.rings_at
