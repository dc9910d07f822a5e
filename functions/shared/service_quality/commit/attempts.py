"""One attempt to fold the new records of a shop, and the rejections known from earlier attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.control import apply_control
from service_quality.commit.failures import FOLD, Failure
from service_quality.commit.shop_fold import ShopFold
from service_quality.commit.transaction_builder import TransactionBuilder
from service_quality.commit.transactions import duplicate_entry, event_entry
from service_quality.errors import FoldFailedError, OverfullError, RejectedEventError
from service_quality.events.control_records import ControlKey, ControlRecord, RecordPutBack, ShopUnparked, StateRebuilt
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.parsing import parse_record

_ENTRY_BYTES = 200  # of an entry, beside its event and features
_ROWS_A_RULE = 2

_Parsed = InteractionEvent | ControlRecord | RejectedEventError


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

    def reasons_at(self, version: int) -> Mapping[str, tuple[int, RejectedEventError]]:
        """Why records are rejected, by position, each with the version of the shop at which it was found.

        At a later version the record may be sound, or a duplicate.
        """
        return {position: reason for position, reason in self._reasons.items() if reason[0] >= version}

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


@dataclass(slots=True, eq=False, repr=False)
class Attempt:
    """Takes records one by one; `unfit` holds known rejections by position, each with its version of the shop."""

    fold: ShopFold
    builder: TransactionBuilder
    key: ControlKey | None
    unfit: Mapping[str, tuple[int, RejectedEventError]]
    stats: CommitStats = field(default_factory=CommitStats)
    _parsed: dict[str, _Parsed] = field(default_factory=dict)

    def prefetch(self, records: list[LogRecord]) -> None:
        """Parse the records, and read at once the items that their events need."""
        for record in records:
            self._parsed[record.position] = self._parse(record)
        if self.fold.state.shop.parked is None and not self.builder.waits:
            self.fold.prefetch([event for event in self._parsed.values() if isinstance(event, InteractionEvent)])

    def take(self, record: LogRecord) -> None:
        """Fold, apply, reject or park one record."""
        parsed = self._parsed.get(record.position) or self._parse_or_reject(record)
        if isinstance(parsed, RejectedEventError):
            self._reject_unreadable(record, parsed)
        elif isinstance(parsed, StateRebuilt):
            self._apply(record, parsed)
        elif isinstance(parsed, RecordPutBack):
            self._take_put_back(record, parsed)
        elif self._is_parked(record, parsed):
            self._set_aside(record, position=record.position)
        elif isinstance(parsed, InteractionEvent):
            self._take_event(record, parsed)
        else:
            self._apply(record, parsed)

    def _is_parked(self, record: LogRecord, parsed: InteractionEvent | ControlRecord) -> bool:
        """Whether a record has to be set aside: behind earlier ones, or until the state is rebuilt."""
        if self.builder.waits:
            return True
        return self.fold.state.shop.parked is not None and not isinstance(parsed, ShopUnparked)

    def park(self, record: LogRecord) -> None:
        """Set one record aside, and with it all later ones; the end of a run takes effect at its position."""
        parsed = self._parse(record)
        if isinstance(parsed, RejectedEventError):
            return self._reject(record, parsed)
        if isinstance(parsed, ShopUnparked | StateRebuilt):
            return self._apply(record, parsed)
        if isinstance(parsed, RecordPutBack):
            return self._park_again(record, parsed, failed_run=parsed.run)
        self._set_aside(record, position=record.position)

    def _take_put_back(self, record: LogRecord, put_back: RecordPutBack) -> None:
        """Fold a record that comes back at its new position, with its first arrival, while newer ones are parked."""
        parked = self.fold.state.shop.parked
        if self.builder.waits:
            return self._park_again(record, put_back, failed_run=put_back.run)
        if parked is not None and put_back.run in ("", parked.failed_run):
            return self._park_again(record, put_back)
        inner = LogRecord(record.position, put_back.data, put_back.arrived_at)
        parsed = self._parse(inner)
        if isinstance(parsed, RejectedEventError):
            self._reject(inner, parsed)
        elif isinstance(parsed, InteractionEvent):
            self._take_event(inner, parsed)
        else:
            self._apply(inner, parsed)
        self._note_folded(record.position)

    def _note_folded(self, position: str) -> None:
        """Note in a parked shop how far it is folded all the same."""
        state = self.fold.state
        if state.shop.parked is not None:
            state.shop = replace(state.shop, parked=state.shop.parked._replace(follows=position))

    def _park_again(self, record: LogRecord, put_back: RecordPutBack, *, failed_run: str = "") -> None:
        first = LogRecord(put_back.order, put_back.data, put_back.arrived_at)
        self._set_aside(first, position=record.position, failed_run=failed_run)

    def _set_aside(self, record: LogRecord, *, position: str, failed_run: str = "") -> None:
        self.builder.park(record, position=position, failed_run=failed_run)
        if self.builder.waits:
            self.stats.waiting += 1
        else:
            self.stats.parked += 1

    def _take_event(self, record: LogRecord, event: InteractionEvent) -> None:
        fold, builder = self.fold, self.builder
        size = len(record.data) + _ENTRY_BYTES
        try:
            self._reject_unfit(record)
            step = fold.step(event)
            if step is not None:
                size += 8 * len(fold.features.features)
                builder.make_room(fold.keys_changed_by(event, step), rows=_ROWS_A_RULE * len(fold.rules), size=size)
        except RejectedEventError as error:
            return self._reject(record, error)
        if step is None:
            builder.mark(record.position, duplicate_entry(record.position))
            self.stats.duplicates += 1
            return
        outcome = fold.apply(event, step)
        failed = outcome.score_failure
        builder.transaction.add_rows(outcome.rows)
        entry = event_entry(
            record.position,
            event,
            outcome.scored,
            clock=outcome.clock,
            score_failed=type(failed.error).__name__ if failed else "",
        )
        builder.add(record.position, entry, size=size)
        self.stats.accepted += 1
        self.stats.scored += outcome.scored is not None and failed is None
        self.stats.unscored += failed is not None
        self.stats.alerts += sum(row.row_kind == "alert" for row in outcome.rows)
        self.stats.failures += outcome.failures

    def _apply(self, record: LogRecord, control: ControlRecord) -> None:
        try:
            is_new = apply_control(self.builder, record, control)
        except RejectedEventError as error:
            return self._reject(record, error)
        self.stats.accepted += is_new
        self.stats.duplicates += not is_new

    def _parse_or_reject(self, record: LogRecord) -> _Parsed:
        try:
            return self._parse(record)
        except Exception:
            reason = self._reason_for(record)
            if reason is None:
                raise
            return reason

    def _reject_unfit(self, record: LogRecord) -> None:
        reason = self._reason_for(record)
        if reason is not None:
            raise reason

    def _reason_for(self, record: LogRecord) -> RejectedEventError | None:
        """The known rejection of a record at this version of the shop; None without one."""
        version, reason = self.unfit.get(record.position, (None, None))
        return reason if version == self.fold.state.shop.version else None

    def _reject(self, record: LogRecord, error: RejectedEventError) -> None:
        self.builder.reject(record, error)
        self.stats.count_rejected(error.reason)

    def _reject_unreadable(self, record: LogRecord, error: RejectedEventError) -> None:
        self._reject(record, error)
        self.builder.count_unreadable()

    def _parse(self, record: LogRecord) -> _Parsed:
        try:
            return parse_record(
                record.data, arrived_at=record.arrived_at, shop_id=self.fold.state.shop_id, key=self.key
            )
        except RejectedEventError as error:
            return error
