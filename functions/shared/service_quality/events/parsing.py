"""Records of a log into interaction events: validated, or rejected with a reason."""

import json
from collections.abc import Mapping

from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.control_parsing import CONTROL_KINDS, MAX_CONTROL_BYTES, parse_control
from service_quality.events.control_records import ControlRecord
from service_quality.events.control_signatures import ControlKey
from service_quality.events.declared_fields import IDENTIFIER, INTEGER, TEXT
from service_quality.events.fields import (
    MAX_AHEAD,
    read_id,
    read_instant,
    read_integer,
    read_present_id,
    read_text,
)
from service_quality.events.identifiers import NO_SHOP, is_shop_id
from service_quality.events.interaction_event import DECLARED, OPTIONAL_FIELDS, InteractionEvent, fields_of
from service_quality.events.json_texts import RepeatedFieldError, read_json
from service_quality.events.shown_values import shown
from service_quality.instants import DAY, end_of_day, floor_to

MAX_RECORD_BYTES = 65_536

_IDS = tuple(name for name in fields_of(IDENTIFIER) if name in OPTIONAL_FIELDS)
_LONGEST = {name: DECLARED[name].highest for name in fields_of(TEXT)}
_RANGES = {name: (DECLARED[name].lowest, DECLARED[name].highest) for name in fields_of(INTEGER)}
_PRECISIONS = DECLARED["precision"].words
_KNOWN_KINDS = f"one of {', '.join(sorted(kinds.ALL))}"
_REQUIRED = {name: kind.needs for name, kind in kinds.KINDS.items()}


def parse_record(
    data: bytes, *, arrived_at: int, shop_id: str, key: ControlKey | None = None
) -> InteractionEvent | ControlRecord:
    """The event or control record in one record of a shop's log; RejectedEventError for one that cannot be taken.

    `arrived_at` is the stream's arrival time; `shop_id` the log's own, which the record may not contradict. `key`
    gives the deployment's key; without one every control record is rejected.
    """
    raw = parse_json(data, longest=longest_record(data))
    kind = raw.get("kind")
    record: InteractionEvent | ControlRecord
    if isinstance(kind, str) and kind in CONTROL_KINDS:
        record = parse_control(raw, arrived_at=arrived_at, key=key)
    else:
        _reject_longer(data, MAX_RECORD_BYTES)
        record = parse_event(raw, arrived_at=arrived_at)
    if record.shop_id != shop_id:
        raise RejectedEventError(
            "wrong_shop", field="shop_id", found="another shop's id", expected="the shop of the log"
        )
    return record


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
    """Validate one canonical event; unknown fields are left out, an unknown kind is rejected.

    An event is received at its arrival, or at `received_at` if that is earlier. It may not be dated more than five
    minutes ahead of its arrival.
    """
    _refuse_wish_and_carrier(raw)
    kind = _read_kind(raw)
    received_at = _read_receipt(raw, arrived_at)
    precision = _read_precision(raw)
    values = _read_values(raw)
    _require_fields(kind, values)
    return InteractionEvent(
        event_id=read_id(raw, "event_id"),
        shop_id=_read_shop_id(raw),
        kind=kind,
        occurred_at=_occurred_at(raw, precision=precision, received_at=received_at),
        received_at=received_at,
        precision=precision,
        **values,  # type: ignore[arg-type]  # each name is given the type of its own field above
    )


def _refuse_wish_and_carrier(raw: Mapping[str, object]) -> None:
    """No log takes an event that its sender wanted to preview, and the events that it carries must not vanish."""
    if raw.get("preview", False) is not False:
        raise misplaced_preview(raw["preview"])
    if holds_events(raw.get("events")):
        raise ambiguous_carrier()


def _read_kind(raw: Mapping[str, object]) -> str:
    kind = read_id(raw, "kind")
    if kind not in kinds.ALL:
        raise RejectedEventError("unknown_kind", field="kind", found=shown(kind), expected=_KNOWN_KINDS)
    return kind


def _read_receipt(raw: Mapping[str, object], arrived_at: int) -> int:
    """The instant of receipt that the event states, at the latest its arrival."""
    if raw.get("received_at") is None:
        return arrived_at
    received_at = read_instant(raw, "received_at")
    if received_at > arrived_at + MAX_AHEAD:
        raise _from_the_future("received_at", received_at - arrived_at)
    return min(received_at, arrived_at)


def _read_precision(raw: Mapping[str, object]) -> str:
    precision = "ms" if raw.get("precision") is None else raw["precision"]
    if precision not in _PRECISIONS:
        raise RejectedEventError(
            "out_of_range", field="precision", found=shown(precision), expected=" or ".join(_PRECISIONS)
        )
    return str(precision)


def _read_values(raw: Mapping[str, object]) -> dict[str, str | int | None]:
    """The optional fields that are present, by name."""
    values: dict[str, str | int | None] = {
        name: read_present_id(raw, name) for name in _IDS if raw.get(name) is not None
    }
    values |= {
        name: read_text(raw, name, longest=longest) for name, longest in _LONGEST.items() if raw.get(name) is not None
    }
    values |= {
        name: read_integer(raw, name, lowest=lowest, highest=highest)
        for name, (lowest, highest) in _RANGES.items()
        if raw.get(name) is not None
    }
    return values


def _require_fields(kind: str, values: Mapping[str, object]) -> None:
    for name in _REQUIRED[kind]:
        if name not in values:
            raise RejectedEventError("missing_field", field=name, found="nothing", expected=f"a value for {kind}")
    if "conversation_id" not in values and "customer_id" not in values:
        raise RejectedEventError(
            "missing_field", field="conversation_id", found="nothing", expected="a conversation or a customer"
        )


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
    if not is_shop_id(shop_id):
        raise RejectedEventError(
            "out_of_range", field="shop_id", found=f"the reserved {NO_SHOP}", expected="a shop's own id"
        )
    return shop_id


def _occurred_at(raw: Mapping[str, object], *, precision: str, received_at: int) -> int:
    """The instant of an event; a day without a time counts at its end, or at the arrival where that is earlier."""
    occurred_at = read_instant(raw, "occurred_at")
    if precision == "day":
        if floor_to(occurred_at, DAY) > received_at + MAX_AHEAD:
            raise _from_the_future("occurred_at", floor_to(occurred_at, DAY) - received_at)
        return min(end_of_day(occurred_at), max(received_at, floor_to(occurred_at, DAY)))
    if occurred_at > received_at + MAX_AHEAD:
        raise _from_the_future("occurred_at", occurred_at - received_at)
    return occurred_at


def _from_the_future(field: str, ahead: int) -> RejectedEventError:
    return RejectedEventError(
        "from_the_future",
        field=field,
        found=f"{ahead // 1000} s ahead of its arrival",
        expected=f"at most {MAX_AHEAD // 1000} s ahead",
    )
