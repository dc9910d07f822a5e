"""The second phase of a commit: readings into the shop's state, and into transactions that are ready to commit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.event_fold import EventFold
from service_quality.commit.readings import (
    Applied,
    Aside,
    Duplicate,
    EventStep,
    Failed,
    FindingRead,
    Reading,
    Silent,
    Unfit,
)
from service_quality.commit.transaction_builder import TransactionBuilder
from service_quality.commit.transactions import control_entry, duplicate_entry, event_entry, silent_entry
from service_quality.errors import FoldFailedError, RejectedEventError, ServiceQualityError
from service_quality.events.time_reached import TimeReached

if TYPE_CHECKING:
    from service_quality.commit.event_fold import Outcome
    from service_quality.commit.finding_fold import FindingOutcome
    from service_quality.events.control_records import ShopRecord

_ENTRY_BYTES = 200  # of an entry, beside its event and features


@dataclass(slots=True, eq=False, repr=False)
class LogFold:
    """Folds readings in log order and counts them; it reads and writes no table."""

    fold: EventFold
    builder: TransactionBuilder
    stats: CommitStats = field(default_factory=CommitStats)

    def take(self, readings: Sequence[Reading]) -> int:
        """Fold readings until the later ones would have to be read again; returns how many were folded.

        FoldFailedError for the first record that our own code fails on.
        """
        for number, reading in enumerate(readings, 1):
            version = self.fold.state.shop.version
            try:
                holds = self._take_one(reading)
            except ServiceQualityError:
                raise
            except Exception as error:
                raise FoldFailedError(reading.position, version, error) from error
            if not holds:
                return number
        return len(readings)

    def _take_one(self, reading: Reading) -> bool:
        """Fold, apply, reject or set aside one record; whether later readings still hold."""
        found = reading.found
        if isinstance(found, EventStep):
            return self._take_event(reading, found)
        match found:
            case FindingRead():
                self._take_finding(reading, found)
            case Duplicate():
                self.builder.mark(reading, duplicate_entry(reading.position))
                self.stats.duplicates += 1
            case Silent():
                self.builder.mark(reading, silent_entry(reading.position))
                self.stats.silent += 1
            case Unfit(error, is_unreadable):
                self._reject(reading, error)
                if is_unreadable:
                    self.builder.count_unreadable()
            case Aside():
                self._set_aside(reading)
            case Applied(control):
                self._apply(reading, control)
                return not found.ends_reading
            case Failed(failure):
                raise failure
        return True

    def _take_event(self, reading: Reading, found: EventStep) -> bool:
        fold, event, step = self.fold, found.event, found.step
        width = len(fold.features.features) + sum(len(task.features.features) for task, _ in fold.entity_scorers)
        size = reading.size + _ENTRY_BYTES + 8 * width
        try:
            fold.reject_overfilling(step)
            expected = fold.expect(event, step)
            self.builder.make_room(expected.keys, rows=expected.rows, size=size)
        except RejectedEventError as error:
            self._reject(reading, error)
            return False  # later steps begin from this one
        outcome = fold.apply(event, step, expected)
        failed = outcome.score_failure
        self._enter(reading, event_entry(reading.position, step, outcome), outcome, size=size)
        self.stats.reached += isinstance(event, TimeReached)
        for name in reading.odd:
            if name != "rating" or step.label is None:  # the shop's scale reads it
                self.stats.count_odd(name)
        self.stats.scored += outcome.scored is not None and failed is None
        self.stats.unscored += failed is not None
        return True

    def _enter(
        self, reading: Reading, entry: dict[str, object], outcome: "Outcome | FindingOutcome", *, size: int
    ) -> None:
        """Put an accepted record and what it leads to into the transaction, and count both."""
        self.builder.transaction.add_rows(outcome.rows)
        self.builder.add(reading, entry, size=size)
        self.stats.accepted += 1
        self.stats.alerts += sum(row.row_kind == "alert" for row in outcome.rows)
        self.stats.failures += outcome.failures

    def _take_finding(self, reading: Reading, found: FindingRead) -> None:
        """Let a finding count and rules decide about it; what says nothing new, or too late, is only counted."""
        from service_quality.commit import finding_fold  # noqa: PLC0415  # few batches hold one

        finding, item_key = found
        decisions = self.fold.decisions
        if finding_fold.is_known(decisions, finding, item_key):
            self.builder.mark(reading, duplicate_entry(reading.position))
            self.stats.duplicates += 1
            return None
        if finding_fold.is_expired(decisions, finding):
            self.builder.mark(reading, silent_entry(reading.position))
            self.stats.silent += 1
            return None
        size = reading.size + _ENTRY_BYTES
        try:
            finding_fold.require_history(decisions)
            expected = finding_fold.expect_finding(decisions, finding, item_key)
            self.builder.make_room(expected.keys, rows=expected.rows, size=size)
        except RejectedEventError as error:
            return self._reject(reading, error)
        outcome = finding_fold.apply_finding(decisions, finding, item_key, expected)
        entry = control_entry(reading.position, finding, clock=outcome.clock)
        self._enter(reading, entry, outcome, size=size)
        self.stats.findings += 1
        return None

    def _set_aside(self, reading: Reading) -> None:
        self.builder.set_aside(reading)
        if self.fold.state.waits:
            self.stats.waiting += 1
        else:
            self.stats.parked += 1

    def _apply(self, reading: Reading, control: "ShopRecord") -> None:
        from service_quality.commit.control import apply_control  # noqa: PLC0415  # few batches hold one

        try:
            is_new = apply_control(self.builder, reading, control)
        except RejectedEventError as error:
            return self._reject(reading, error)
        self.stats.accepted += is_new
        self.stats.duplicates += not is_new

    def _reject(self, reading: Reading, error: RejectedEventError) -> None:
        self.builder.reject(reading, error)
        self.stats.count_rejected(error.reason)
