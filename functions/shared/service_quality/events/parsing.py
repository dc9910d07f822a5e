"""Records of a log into interaction events: validated, or rejected with a reason."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.annotations import annotate
from service_quality.events.event_times import read_times
from service_quality.events.fields import MAX_CONTROL_BYTES, read_id, read_present_id
from service_quality.events.identifiers import NO_SHOP
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.json_texts import RepeatedFieldError, read_json
from service_quality.events.optional_values import read_optional_values
from service_quality.events.shown_values import shown

if TYPE_CHECKING:
    from service_quality.events.control_records import ControlRecord
    from service_quality.events.control_signatures import ControlKey

MAX_RECORD_BYTES = 65_536

_KNOWN_KINDS = f"one of {', '.join(sorted(kinds.ALL))}"
_REQUIRED = {name: kind.needs for name, kind in kinds.KINDS.items()}


class ReadEvent(NamedTuple):
    """An event, and the fields whose values could not be used, in the order in which it gives them."""

    event: InteractionEvent
    odd: tuple[str, ...]


class ReadRecord(NamedTuple):
    """An event or a control record, and the fields of an event whose values could not be used."""

    record: "InteractionEvent | ControlRecord"
    odd: tuple[str, ...] = ()


def parse_record(
    data: bytes, *, arrived_at: int, shop_id: str, key: "ControlKey | None" = None
) -> "InteractionEvent | ControlRecord":
    """The event or control record of `read_record`."""
    return read_record(data, arrived_at=arrived_at, shop_id=shop_id, key=key).record


def read_record(data: bytes, *, arrived_at: int, shop_id: str, key: "ControlKey | None" = None) -> ReadRecord:
    """One record of a shop's log, an event annotated; RejectedEventError for one that cannot be taken.

    `arrived_at` is the stream's arrival time; `shop_id` the log's own, which the record may not contradict. `key`
    gives the deployment's key; without one every control record is rejected.
    """
    raw = parse_json(data, longest=longest_record(data))
    kind = raw.get("kind")
    if isinstance(kind, str) and kind in kinds.CONTROL:
        from service_quality.events.control_parsing import parse_control  # noqa: PLC0415  # few batches hold one

        read = ReadRecord(parse_control(raw, arrived_at=arrived_at, key=key))
    else:
        _reject_longer(data, MAX_RECORD_BYTES)
        event, odd = read_event(raw, arrived_at=arrived_at)
        read = ReadRecord(annotate(event), odd)
    if read.record.shop_id != shop_id:
        raise RejectedEventError(
            "wrong_shop", field="shop_id", found="another shop's id", expected="the shop of the log"
        )
    return read


def longest_record(data: bytes) -> int:
    """The most bytes of a record: a control record, which is signed, may hold another record."""
    return MAX_CONTROL_BYTES if b'"signature"' in data else MAX_RECORD_BYTES


def parse_json(data: bytes, *, longest: int = MAX_RECORD_BYTES) -> Mapping[str, object]:
    """The JSON object in a record of at most `longest` bytes."""
    _reject_longer(data, longest)
    try:
        raw = read_json(data)
    except RepeatedFieldError:
        raise RejectedEventError(
            "malformed_json", found="an object that names a field twice", expected="each field once"
        ) from None
    except (ValueError, RecursionError) as error:
        at = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise RejectedEventError(
            "malformed_json", found=f"text that is no JSON{at}", expected="a JSON object"
        ) from None
    if not isinstance(raw, dict):
        raise RejectedEventError("not_an_object", found=f"a JSON {type(raw).__name__}", expected="a JSON object")
    return raw


def _reject_longer(data: bytes, longest: int) -> None:
    if len(data) > longest:
        raise RejectedEventError("too_large", found=f"a record of {len(data)} bytes", expected=f"at most {longest}")


def parse_event(raw: Mapping[str, object], *, arrived_at: int) -> InteractionEvent:
    """The event of `read_event`."""
    return read_event(raw, arrived_at=arrived_at).event


def read_event(raw: Mapping[str, object], *, arrived_at: int) -> ReadEvent:
    """One canonical event; RejectedEventError for its id, its kind, its instant, or where nobody knows whose it is.

    Any other value that cannot be used is left out and its field named; unknown and derived fields are not read. An
    event is received at its arrival, or at `received_at` if that is earlier, and occurred at the latest then.
    """
    _refuse_wish_and_carrier(raw)
    kind = _read_kind(raw)
    values, odd = read_optional_values(raw)
    times = read_times(raw, arrived_at=arrived_at)
    _require_owner(kind, raw, values)
    event = InteractionEvent(
        event_id=read_id(raw, "event_id"),
        shop_id=_read_shop_id(raw),
        kind=kind,
        occurred_at=times.occurred_at,
        received_at=times.received_at,
        precision=times.precision,
        stated_at=times.stated_at,
        **values,  # type: ignore[arg-type]  # each name is given the type of its own field
    )
    return ReadEvent(event, times.odd + odd)


def _refuse_wish_and_carrier(raw: Mapping[str, object]) -> None:
    """No log takes an event that its sender wanted to preview, and the events that it carries must not vanish."""
    if raw.get("preview", False) is not False:
        raise misplaced_preview(raw["preview"])
    if holds_events(raw.get("events")):
        raise ambiguous_carrier()


def _read_kind(raw: Mapping[str, object]) -> str:
    kind = raw.get("kind")
    if isinstance(kind, str) and kind in kinds.ALL:
        return kind
    kind = read_id(raw, "kind")
    if kind not in kinds.ALL:
        raise RejectedEventError("unknown_kind", field="kind", found=shown(kind), expected=_KNOWN_KINDS)
    return kind


def _require_owner(kind: str, raw: Mapping[str, object], values: Mapping[str, object]) -> None:
    """An event belongs to what its kind needs, and one of customers to a conversation or a customer."""
    for name in _REQUIRED[kind]:
        if values.get(name) is None:
            raise _missing_owner(name, raw, expected=f"a value for {kind}")
    if kind in kinds.OF_CUSTOMERS and values.get("conversation_id") is None and values.get("customer_id") is None:
        name = "conversation_id" if raw.get("customer_id") is None else "customer_id"
        raise _missing_owner(name, raw, expected="a conversation or a customer")


def _missing_owner(name: str, raw: Mapping[str, object], *, expected: str) -> RejectedEventError:
    """The rejection of an event whose owner is missing, or named by a value that cannot be used."""
    try:
        if raw.get(name) is not None:
            read_present_id(raw, name)
    except RejectedEventError as rejection:
        return rejection
    return RejectedEventError("missing_field", field=name, found="nothing", expected=expected)


def misplaced_preview(wish: object) -> RejectedEventError:
    """An inlet gives no previews, and an event that asks for one is not taken for a real one instead."""
    expected = "no such field: the function preview_score gives previews"
    return RejectedEventError("misplaced_preview", field="preview", found=shown(wish), expected=expected)


def ambiguous_carrier() -> RejectedEventError:
    """An object that is an event and holds others, or holds them twice."""
    expected = "an event, or one envelope or list of events"
    return RejectedEventError("ambiguous_carrier", found="events in two places of an object", expected=expected)


def holds_events(value: object) -> bool:
    """Whether there may be an event in the value of a field that carries some."""
    return isinstance(value, dict | list | str) and bool(value)


def _read_shop_id(raw: Mapping[str, object]) -> str:
    shop_id = read_id(raw, "shop_id")
    if shop_id == NO_SHOP:
        raise RejectedEventError(
            "out_of_range", field="shop_id", found=f"the reserved {NO_SHOP}", expected="a shop's own id"
        )
    return shop_id
