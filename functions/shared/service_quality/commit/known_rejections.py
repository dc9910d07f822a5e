"""Rejections known from earlier attempts to fold the new records of a shop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service_quality.commit.failures import FOLD, Failure
from service_quality.errors import FoldFailedError, OverfullError, RejectedEventError
from service_quality.events.log_records import LogRecord, Rejection


def passed_by(shop_id: str, record: LogRecord) -> Rejection:
    """The rejection of a record that its shop's log has passed by without folding it."""
    message = "position: found one that the log has passed and no archive row holds, expected a later one"
    return Rejection(shop_id, record, "passed_by", message)


@dataclass(slots=True, eq=False, repr=False)
class KnownRejections:
    """Rejections known from attempts, each at a version of the shop, and the number of events that fit at once.

    `rejecting` are the positions that may be rejected for a failing fold.
    """

    rejecting: frozenset[str]
    most_events: int | None = None
    failures: list[Failure] = field(default_factory=list)
    _suspects: dict[str, int] = field(default_factory=dict)
    _reasons: dict[str, tuple[int, RejectedEventError]] = field(default_factory=dict)

    def reasons_at(self, version: int) -> Mapping[str, RejectedEventError]:
        """Why records are rejected at a version of the shop, by position.

        At a later version the record may be sound, or a duplicate.
        """
        return {position: reason for position, (found_at, reason) in self._reasons.items() if found_at == version}

    def take_failed(self, error: FoldFailedError) -> bool:
        """Note a failing fold; True where the record has failed before, which counts as an attempt.

        FoldFailedError for a second failure at one version: no worker moved the shop between the two reads, so the
        first read was not torn.
        """
        known = self._suspects.get(error.position)
        self._suspects[error.position] = error.version
        if known != error.version:
            return known is not None
        is_rejected = self._reasons.get(error.position, (None,))[0] == error.version
        if error.position not in self.rejecting or is_rejected:
            raise error
        self.failures.append(Failure(FOLD, error.position, error.failure))
        rejection = RejectedEventError("fold_failed", found="an event that our own code fails on", expected="a fold")
        self._reasons[error.position] = error.version, rejection
        return False

    def take_overfull(self, error: OverfullError) -> None:
        """Note a transaction that is too large: fewer events at once, or a rejection of its only event."""
        if error.events > 1:
            self.most_events = max(1, error.events // 2)
            return
        rejection = RejectedEventError("item_full", found=error.found, expected=error.expected)
        self._reasons[error.position] = error.version, rejection
