"""The timers of a log in memory: rung between its records, as a deployment's would have rung."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.timers import TIMER, Timer, read_timer


@dataclass(slots=True)
class PendingTimers:
    """The timer of each conversation, taken from the rows that commits write."""

    _pending: dict[str, Timer] = field(default_factory=dict)
    _by_time: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def note(self, rows: Iterable[OutboxRow]) -> None:
        """Take the timers among rows of a commit: a conversation's latest row takes the place of the one before."""
        for row in rows:
            if row.row_kind != TIMER:
                continue
            timer = read_timer(row.shop_id, row.body)
            if timer is None:
                self._pending.pop(row.stream_key, None)
            else:
                self._pending[row.stream_key] = timer
                heapq.heappush(self._by_time.setdefault(row.shop_id, []), (timer.rings_at, row.stream_key))

    def ring(self, shop_id: str, *, before: int) -> Timer | None:
        """Take out a shop's nearest timer that rings before an instant; None for none."""
        waiting = self._by_time.get(shop_id, [])
        while waiting and waiting[0][0] < before:
            rings_at, key = heapq.heappop(waiting)
            timer = self._pending.get(key)
            if timer is not None and timer.rings_at == rings_at:
                del self._pending[key]
                return timer
        return None
