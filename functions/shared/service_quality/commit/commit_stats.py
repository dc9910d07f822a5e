"""The counts of one call of the commit, for logs and metrics."""

from dataclasses import dataclass, field, fields

from service_quality.by_fields import ByFields
from service_quality.commit.failures import Failure
from service_quality.events.log_records import Rejection


@dataclass(slots=True, eq=False, repr=False)
class CommitStats(ByFields):
    """Counts of records, transactions and conflicts, and the failures beside the log.

    `unscored` counts events that should have a score and have no score, `rejected` records by reason, `odd` by field
    the values of accepted events that could not be used. `findings` counts accepted findings, `reached` accepted stages
    of a wait, `silent` timers and findings from which nothing followed. `already_done` counts records that were
    committed before, `redelivered` those of them that no other worker committed meanwhile, `waiting` records set aside
    until the state of their shop is rebuilt, `missing_calendars` shops whose calendar lacks a year that is expected by
    now. `unfounded` are rejected records under names that are no shop's; they are not stored yet.
    """

    accepted: int = 0
    scored: int = 0
    unscored: int = 0
    duplicates: int = 0
    reached: int = 0
    findings: int = 0
    silent: int = 0
    already_done: int = 0
    redelivered: int = 0
    parked: int = 0
    waiting: int = 0
    alerts: int = 0
    transactions: int = 0
    conflicts: int = 0
    missing_calendars: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    unfounded: list[Rejection] = field(default_factory=list)

    def add(self, other: "CommitStats") -> None:
        """Add the counts of another call."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, count in other.rejected.items():
            self.count_rejected(reason, count)
        for name, count in other.odd.items():
            self.count_odd(name, count)
        self.failures += other.failures
        self.unfounded += other.unfounded

    def count_rejected(self, reason: str, count: int = 1) -> None:
        """Count records rejected for a reason."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count

    def count_odd(self, name: str, count: int = 1) -> None:
        """Count values of a field that could not be used."""
        self.odd[name] = self.odd.get(name, 0) + count


_COUNTS = tuple(one.name for one in fields(CommitStats) if one.type is int)
