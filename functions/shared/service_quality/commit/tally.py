"""What one call of the commit did; for logs and metrics."""

from dataclasses import dataclass, field

from service_quality.commit.failures import Failure
from service_quality.events.log_records import Rejection

_COUNTS = (
    "accepted", "scored", "unscored", "duplicates", "already_done", "parked", "alerts", "chunks", "conflicts",
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """Counts of records, transactions and conflicts, and what failed beside the log.

    `unscored` counts events that should have a score and have none, `rejected` records by reason. `unfounded` are
    rejected records that are not kept yet: no record of theirs is a shop's.
    """

    accepted: int = 0
    scored: int = 0
    unscored: int = 0
    duplicates: int = 0
    already_done: int = 0
    parked: int = 0
    alerts: int = 0
    chunks: int = 0
    conflicts: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    unfounded: list[Rejection] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count another call's work with this one's."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for reason, count in other.rejected.items():
            self.count_rejected(reason, count)
        self.failures += other.failures
        self.unfounded += other.unfounded

    def count_rejected(self, reason: str, count: int = 1) -> None:
        """Count records rejected for a reason."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count
