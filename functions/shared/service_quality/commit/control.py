"""The effect of each kind of control record on a shop; `events/control_records.py` reads and writes them."""

from dataclasses import replace

from service_quality.commit.state_items import Parked
from service_quality.commit.transaction_builder import TransactionBuilder
from service_quality.commit.transactions import control_entry, duplicate_entry
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import (
    ControlRecord,
    HistoryFilled,
    HistoryImported,
    RecordPutBack,
    ShopUnparked,
    StateRebuilt,
)
from service_quality.events.log_records import LogRecord


def apply_control(builder: TransactionBuilder, record: LogRecord, control: ControlRecord) -> bool:
    """Let a control record take effect at its position; False for one that has taken effect before."""
    match control:
        case HistoryImported() | HistoryFilled():
            return _import_history(builder, record, control)
        case StateRebuilt():
            return _rebuild(builder, record, control)
        case ShopUnparked():
            return _unpark(builder, record, control)
        case RecordPutBack():
            # One within another: the record that it holds comes back by itself.
            builder.mark(record.position, duplicate_entry(record.position))
            return False


def _import_history(builder: TransactionBuilder, record: LogRecord, event: HistoryImported | HistoryFilled) -> bool:
    """Let the import count from here on; the items held before are committed, dropped and read again.

    RejectedEventError when the shop has too many imports that are not absorbed, or does not lack what is filled in.
    """
    if not builder.founds_no_shop:
        builder.flush()
    state = builder.state
    known = state.shop.knows(event.import_id)
    if not known:
        if isinstance(event, HistoryFilled):
            state.shop = state.shop.with_past(event)
        else:
            state.shop = state.shop.with_import(event, position=record.position)
    clock = state.shop.clock
    entry = duplicate_entry(record.position) if known else control_entry(record.position, event, clock=clock)
    builder.add(record.position, entry, size=len(record.data) + 200)
    builder.flush()
    state.forget_items()
    return not known


def _rebuild(builder: TransactionBuilder, record: LogRecord, event: StateRebuilt) -> bool:
    """Let rebuilt items take the place of the shop's own; a parked shop stays parked.

    RejectedEventError when they are of another version of the fold, or lack something that is folded.
    """
    if not builder.founds_no_shop:
        builder.flush()
    state = builder.state
    known = state.shop.generation == event.rebuild_id
    if not known:
        if event.fold_version != builder.fold_version:
            raise RejectedEventError(
                "other_fold",
                field="fold_version",
                found=f"a rebuild by version {event.fold_version} of the fold",
                expected=f"one by version {builder.fold_version}",
            )
        state.shop = state.shop.rebuilt(event, state.plan, position=record.position)
    clock = state.shop.clock
    entry = duplicate_entry(record.position) if known else control_entry(record.position, event, clock=clock)
    builder.add(record.position, entry, size=len(record.data) + 200)
    builder.flush()
    state.forget_items()
    return not known


def _ends(parked: Parked | None, event: ShopUnparked) -> bool:
    """Whether a run has brought back all parked records."""
    return parked is not None and parked.until <= event.until and parked.failed_run != event.run


def _unpark(builder: TransactionBuilder, record: LogRecord, event: ShopUnparked) -> bool:
    """Unpark the shop, unless records were parked that the run did not put back, or the run failed again."""
    shop = builder.state.shop
    ends = _ends(shop.parked, event)
    builder.make_room(set(), rows=0, size=len(record.data))
    builder.add(record.position, control_entry(record.position, event, clock=shop.clock), size=len(record.data))
    if ends:
        builder.state.shop = replace(builder.state.shop, parked=None)
    return ends
