"""What each kind of control record does to a shop; how it is read and written is in `events/control_records.py`."""

from dataclasses import replace

from service_quality.commit.chunk_writer import ChunkWriter
from service_quality.commit.chunks import control_entry, duplicate_entry
from service_quality.commit.state_items import Parked
from service_quality.events.control_records import ControlRecord, HistoryImported, RecordPutBack, ShopUnparked
from service_quality.events.log_records import LogRecord


def apply_control(writer: ChunkWriter, record: LogRecord, control: ControlRecord) -> bool:
    """Let a control record take effect at its position; False for one that had taken effect before."""
    match control:
        case HistoryImported():
            return _import_history(writer, record, control)
        case ShopUnparked():
            return _unpark(writer, record, control)
        case RecordPutBack():
            # One within another: nothing is left to do, the record that it holds comes back by itself.
            writer.mark(record.position, duplicate_entry(record.position))
            return False


def _import_history(writer: ChunkWriter, record: LogRecord, event: HistoryImported) -> bool:
    """From here on the import counts: what was held before it is committed and read again.

    RejectedEventError when the shop has too many imports that are not absorbed.
    """
    if not writer.founds_no_shop:
        writer.flush()
    memory = writer.memory
    known = memory.shop.knows(event.import_id)
    if not known:
        memory.shop = memory.shop.with_import(event)
    clock = memory.shop.clock
    entry = duplicate_entry(record.position) if known else control_entry(record.position, event, clock=clock)
    writer.add(record.position, entry, size=len(record.data) + 200)
    writer.flush()
    memory.forget_items()
    return not known


def _ends(parked: Parked | None, event: ShopUnparked) -> bool:
    """Whether a run has brought back all that is parked."""
    return parked is not None and parked.until <= event.until and parked.failed_run != event.run


def _unpark(writer: ChunkWriter, record: LogRecord, event: ShopUnparked) -> bool:
    """The shop goes on, unless records were parked that the run did not put back, or the run met trouble again."""
    shop = writer.memory.shop
    ends = _ends(shop.parked, event)
    writer.make_room(set(), rows=0, size=len(record.data))
    writer.add(record.position, control_entry(record.position, event, clock=shop.clock), size=len(record.data))
    if ends:
        writer.memory.shop = replace(writer.memory.shop, parked=None)
    return ends
