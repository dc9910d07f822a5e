"""How a rejected record goes back: as the control record or event that its shop's log takes, or not at all."""

from dataclasses import dataclass

from infra.operations.selection import GIVEN_UP
from service_quality.commit.put_back import KEEPS_ARRIVAL_FOR, RejectedRecord, put_back_rejected
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import ControlRecord, RecordPutBack, ShopUnparked
from service_quality.events.control_signatures import ControlKey, sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.fields import MAX_CONTROL_BYTES
from service_quality.events.identifiers import NO_SHOP, is_shop_id, one_spelling
from service_quality.events.intake import MAX_INLET_BYTES, take_event
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.parsing import MAX_RECORD_BYTES, parse_json, parse_record
from service_quality.events.positions import is_position

_LONGEST_KEY = 256  # of a partition key


@dataclass(frozen=True, slots=True)
class PlainRecord:
    """A record that goes onto the stream unchanged."""

    partition_key: str
    data: bytes


WayBack = ControlRecord | PlainRecord


def shop_of(record: RejectedRecord) -> str:
    """The shop of a record: of a rejected one its object's, else the one that its JSON names; NO_SHOP without either.

    A given-up record is stored under its partition key, which its JSON overrules.
    """
    if record.reason != GIVEN_UP and record.shop_id != NO_SHOP:
        return record.shop_id
    try:
        named = parse_json(record.data, longest=MAX_CONTROL_BYTES).get("shop_id")
    except RejectedEventError:
        return record.shop_id
    spelt = one_spelling(named) if isinstance(named, str) else None
    return spelt if spelt is not None and is_shop_id(spelt) else record.shop_id


def event_id_of(record: RejectedRecord) -> str:
    """The id of the event in a record; "" for a record that names none."""
    try:
        named = parse_json(record.data, longest=MAX_CONTROL_BYTES).get("event_id")
    except RejectedEventError:
        return ""
    return (one_spelling(named) or "") if isinstance(named, str) else ""


def way_of_rejected(record: RejectedRecord, *, key: ControlKey, now: int) -> WayBack | None:
    """The way of a rejected record; None for one that names no shop, or that this release still rejects.

    A record of a log goes back with its position and arrival. A record that an inlet rejected was in no log: it is
    taken in as if it came now.
    """
    shop_id = shop_of(record)
    if shop_id == NO_SHOP:
        return None
    record = renewed(record._replace(shop_id=shop_id), key=key, now=now)
    if not is_position(record.position):
        return _taken_in(record, now=now)
    (back,) = put_back_rejected([record], now=now)
    assert isinstance(back, RecordPutBack)
    try:
        parse_record(back.data, arrived_at=back.arrived_at, shop_id=shop_id, key=key)
    except RejectedEventError:
        return None
    return back


def _taken_in(record: RejectedRecord, *, now: int) -> WayBack | None:
    """The event stamped with its arrival now, in place of any that its source gives."""
    try:
        event = take_event(parse_json(record.data, longest=MAX_INLET_BYTES), now=now).event
    except RejectedEventError:
        return None
    return PlainRecord(event.shop_id, event_to_json(event))


def way_of_given_up(record: RejectedRecord, *, key: ControlKey, now: int) -> WayBack | None:
    """The way of a record that was never read; None for the end of a run, since a later run has its own.

    A record that no log would take goes back unchanged, so that it is rejected with its reason.
    """
    record = record._replace(shop_id=shop_of(record))
    control = signed_control(record, key)
    if isinstance(control, ShopUnparked):
        return None
    if isinstance(control, RecordPutBack):
        record = record._replace(position=control.order, arrived_at=control.arrived_at, data=control.data)
    if not is_shop_id(record.shop_id) or len(record.data) > MAX_RECORD_BYTES:
        return PlainRecord(record.shop_id[:_LONGEST_KEY] or NO_SHOP, record.data)
    (back,) = put_back_rejected([renewed(record, key=key, now=now)], now=now)
    return back


def renewed(record: RejectedRecord, *, key: ControlKey, now: int) -> RejectedRecord:
    """The record; a control record that comes back with a new arrival gets a new signature, as its own would expire."""
    control = signed_control(record, key) if now - record.arrived_at > KEEPS_ARRIVAL_FOR else None
    if control is None:
        return record
    return record._replace(arrived_at=now, data=sign_control(control, key(), issued_at=now))


def signed_control(record: RejectedRecord, key: ControlKey) -> ControlRecord | None:
    """The control record in a rejected one; None for an event, and for one that could not be taken when it arrived."""
    if b'"signature"' not in record.data:
        return None
    try:
        parsed = parse_record(record.data, arrived_at=record.arrived_at, shop_id=record.shop_id, key=key)
    except RejectedEventError:
        return None
    return None if isinstance(parsed, InteractionEvent) else parsed
