"""Records of a log into interaction events: validated where they enter, refused with a reason."""

import json
from collections.abc import Mapping

from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.identifiers import EXPECTED_ID, is_id
from service_quality.events.interaction_event import HistoryImported, InteractionEvent
from service_quality.instants import DAY, MINUTE, end_of_day, floor_to, parse_instant

MAX_RECORD_BYTES = 65_536
MAX_AHEAD = 5 * MINUTE
EARLIEST = 946_684_800_000  # 2000-01-01: anything before is a broken clock, not an event

_TEXT_LENGTH = 8_000
_CLAIM = "abcdefghijklmnopqrstuvwxyz_"
_IDS = (
    "conversation_id", "customer_id", "agent_id", "supervisor_id", "manager_id", "agent_tenure", "agent_shift",
    "category", "subcategory", "product", "sku", "order_id", "channel", "currency",
)  # fmt: skip
_TEXTS = ("text", "query")
_NUMBERS = {"rating": (1, 5), "amount_minor": (0, 10**12), "duration_ms": (0, 30 * DAY)}


def parse_record(data: bytes, *, arrived_at: int, shop_id: str) -> InteractionEvent | HistoryImported:
    """Read one record of a shop's log; raise RejectedEventError with the reason if it cannot be taken.

    `arrived_at` is the stream's arrival time; `shop_id` the log's own, which the record may not contradict.
    """
    raw = parse_json(data)
    event: InteractionEvent | HistoryImported
    if raw.get("kind") == kinds.HISTORY_IMPORTED:
        event = _parse_import(raw, arrived_at=arrived_at)
    else:
        event = parse_event(raw, arrived_at=arrived_at)
    if event.shop_id != shop_id:
        raise RejectedEventError(
            "wrong_shop", field="shop_id", found="another shop's id", expected="the shop of the log"
        )
    return event


def parse_json(data: bytes) -> Mapping[str, object]:
    """The JSON object in a record of at most MAX_RECORD_BYTES bytes."""
    if len(data) > MAX_RECORD_BYTES:
        raise RejectedEventError(
            "too_large", found=f"a record of {len(data)} bytes", expected=f"at most {MAX_RECORD_BYTES}"
        )
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        at = f" at byte {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise RejectedEventError(
            "malformed_json", found=f"text that is no JSON{at}", expected="a JSON object"
        ) from None
    if not isinstance(raw, dict):
        raise RejectedEventError("not_an_object", found=f"a JSON {type(raw).__name__}", expected="a JSON object")
    return raw


def parse_event(raw: Mapping[str, object], *, arrived_at: int) -> InteractionEvent:
    """Validate one canonical event; unknown fields are left out, an unknown kind is rejected.

    Where `received_at` is missing the event was received when it arrived. An event may not be dated more than
    five minutes ahead of its arrival.
    """
    kind = _required_id(raw, "kind")
    if kind not in kinds.ALL:
        raise RejectedEventError("unknown_kind", field="kind", found=_shown(kind), expected="a known kind")
    received_at = _instant(raw, "received_at") if raw.get("received_at") is not None else arrived_at
    if received_at > arrived_at + MAX_AHEAD:
        raise _from_the_future("received_at", received_at - arrived_at)
    precision = "ms" if raw.get("precision") is None else raw["precision"]
    if precision not in ("ms", "day"):
        raise RejectedEventError("out_of_range", field="precision", found=_shown(precision), expected="ms or day")
    values: dict[str, str | int | None] = {name: _id(raw, name) for name in _IDS if raw.get(name) is not None}
    values |= {name: _text(raw, name) for name in _TEXTS if raw.get(name) is not None}
    values |= {name: _number(raw, name) for name in _NUMBERS if raw.get(name) is not None}
    for name in kinds.REQUIRED.get(kind, ()):
        if name not in values:
            raise RejectedEventError("missing_field", field=name, found="nothing", expected=f"a value for {kind}")
    if "conversation_id" not in values and "customer_id" not in values:
        raise RejectedEventError(
            "missing_field", field="conversation_id", found="nothing", expected="a conversation or a customer"
        )
    return InteractionEvent(
        event_id=_required_id(raw, "event_id"),
        shop_id=_required_id(raw, "shop_id"),
        kind=kind,
        occurred_at=_occurred_at(raw, precision=str(precision), received_at=received_at),
        received_at=received_at,
        precision=str(precision),
        **values,  # type: ignore[arg-type]  # each name is given the type of its own field above
    )


def _parse_import(raw: Mapping[str, object], *, arrived_at: int) -> HistoryImported:
    buckets = raw.get("buckets")
    if type(buckets) is not int or not 1 <= buckets <= 1_000_000:
        raise RejectedEventError(
            "out_of_range", field="buckets", found=_shown(buckets), expected="an integer from 1 to 1000000"
        )
    clock = _instant(raw, "clock")
    if clock > arrived_at + MAX_AHEAD:
        raise _from_the_future("clock", clock - arrived_at)
    return HistoryImported(
        shop_id=_required_id(raw, "shop_id"),
        import_id=_required_id(raw, "import_id"),
        clock=clock,
        buckets=buckets,
    )


def _occurred_at(raw: Mapping[str, object], *, precision: str, received_at: int) -> int:
    """A day without a time stands at its end, or at its arrival where the day had not ended by then."""
    occurred_at = _instant(raw, "occurred_at")
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


def _instant(raw: Mapping[str, object], name: str) -> int:
    value = raw.get(name)
    if value is None:
        raise RejectedEventError("missing_field", field=name, found="nothing", expected="an ISO 8601 instant")
    if not isinstance(value, str):
        raise RejectedEventError(
            "wrong_type", field=name, found=_shown(value), expected="an ISO 8601 instant as a string"
        )
    try:
        instant = parse_instant(value) if len(value) <= 40 else None
    except (ValueError, OverflowError):
        instant = None
    if instant is None or instant < EARLIEST:
        raise RejectedEventError(
            "out_of_range", field=name, found=_shown(value), expected="an ISO 8601 instant with a zone, after 1999"
        )
    return instant


def _required_id(raw: Mapping[str, object], name: str) -> str:
    if raw.get(name) is None:
        raise RejectedEventError("missing_field", field=name, found="nothing", expected="a value")
    return _id(raw, name)


def _id(raw: Mapping[str, object], name: str) -> str:
    value = raw[name]
    if not isinstance(value, str):
        raise RejectedEventError("wrong_type", field=name, found=_shown(value), expected="a string")
    if not is_id(value):
        raise RejectedEventError("out_of_range", field=name, found=_shown(value), expected=EXPECTED_ID)
    return value


def _text(raw: Mapping[str, object], name: str) -> str:
    value = raw[name]
    if not isinstance(value, str):
        raise RejectedEventError("wrong_type", field=name, found=_shown(value), expected="a string")
    if len(value) > _TEXT_LENGTH:
        raise RejectedEventError(
            "out_of_range", field=name, found=_shown(value), expected=f"at most {_TEXT_LENGTH} characters"
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RejectedEventError(
            "out_of_range", field=name, found="a lone surrogate", expected="valid Unicode"
        ) from None
    return value


def _number(raw: Mapping[str, object], name: str) -> int:
    value, (lowest, highest) = raw[name], _NUMBERS[name]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise RejectedEventError("wrong_type", field=name, found=_shown(value), expected="an integer")
    if not lowest <= value <= highest:
        raise RejectedEventError(
            "out_of_range", field=name, found=_shown(value), expected=f"an integer from {lowest} to {highest}"
        )
    return value


def _shown(value: object) -> str:
    """What may be said of a bad value: its type and size.

    A name only when it is written like a kind, a number only when it is too short for a telephone.
    """
    if isinstance(value, str):
        plain = 0 < len(value) <= 40 and all(letter in _CLAIM for letter in value)
        return value if plain else f"a string of {len(value)} characters"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"the number {value}" if abs(value) < 10**5 else "a number of more than 5 digits"
    return f"a JSON {type(value).__name__}"
