"""The ringing of timers: messages made of the timers' rows, each to become a record of the log at its deadline."""

from dataclasses import dataclass, field, replace

from service_quality.commit.timers import GRACE_MS, PENDING, TIMER, Timer, read_timer
from tests.simulation.outside import ALERTS, Outside
from tests.stand_ins.control import record_json
from tests.stand_ins.living_tables import Item


@dataclass
class Bells:
    """Messages that wait for their deadlines, made of the changes on the table's stream from the first to `read`."""

    outside: Outside
    read: int = 0
    waiting: list[Timer] = field(default_factory=list)

    def hear(self) -> None:
        """Take the messages of the timers' rows that were written since, in the order of the table's stream."""
        changes = self.outside.tables.changes
        for change in changes[self.read :]:
            timer = _timer_in(change.item) if change.table == ALERTS else None
            self.waiting += [] if timer is None else [timer]
        self.read = len(changes)

    def next(self) -> Timer | None:
        """The message that rings first."""
        return min(self.waiting, key=lambda timer: timer.rings_at, default=None)

    def is_wanted(self, timer: Timer) -> bool:
        """Whether the row of its conversation still wants the deadline."""
        return any(timer == _timer_in(item) for item in self.outside.tables.tables[ALERTS].values())

    def overdue(self, *, now: int) -> list[Timer]:
        """What a sweep finds: the rows whose deadline has passed, whatever became of their messages."""
        timers = (_timer_in(item) for item in self.outside.tables.tables[ALERTS].values())
        return [timer for timer in timers if timer is not None and timer.deadline.due_at + GRACE_MS <= now]

    def record_of(self, timer: Timer, *, ahead: int = 0) -> bytes:
        """The record that it puts on the log of its shop; a sender's clock may be so far ahead."""
        reached = timer.reached
        due_at = self.outside.wall + ahead if ahead else reached.due_at
        return record_json(replace(reached, due_at=due_at), issued_at=self.outside.wall)


def _timer_in(item: Item) -> Timer | None:
    """The timer of a row; None for another kind of row, and for one that rings no more."""
    if (item["row_kind"]["S"], item["sequence"]["S"]) != (TIMER, PENDING):
        return None
    return read_timer(item["shop_id"]["S"], item["body"]["B"])
