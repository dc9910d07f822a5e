"""What an inlet does with what it is handed: each event validated and stamped, or refused with its reason."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from service_quality.errors import RejectedEventError
from service_quality.events.identifiers import NO_SHOP, is_id
from service_quality.events.interaction_event import InteractionEvent, event_to_json
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.parsing import MAX_RECORD_BYTES, parse_event, parse_json


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that an inlet did not take: its place in what was handed over, its bytes, and why."""

    index: int
    data: bytes
    reason: str
    message: str
    event_id: str | None
    shop_id: str | None


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of one hand-over: events by their place in it, and those refused."""

    accepted: dict[int, InteractionEvent]
    refused: list[Refused]


def events_within(payload: object) -> list[bytes]:
    """The events in a payload, as JSON: those of an envelope or of an "events" list, else the payload itself.

    >>> events_within({"detail-type": "event", "detail": {"events": [{"kind": "rated"}, 7]}})
    [b'{"kind": "rated"}', b'7']
    """
    if isinstance(payload, dict) and "detail-type" in payload:
        payload = payload.get("detail")
    events = payload.get("events") if isinstance(payload, dict) else None
    return [json.dumps(event).encode() for event in (events if isinstance(events, list) else [payload])]


def events_within_text(text: str) -> list[bytes]:
    """The events in a message's text; a text that is no JSON is handed on as it is, to be refused."""
    data = text.encode(errors="backslashreplace")
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError):
        return [data]
    wraps = isinstance(payload, dict) and ("detail-type" in payload or isinstance(payload.get("events"), list))
    return events_within(payload) if wraps else [data]


def take_in(events: Iterable[bytes], *, now: int) -> Intake:
    """Validate events that arrived at `now` and stamp them with it, whatever their source says of it."""
    accepted: dict[int, InteractionEvent] = {}
    refused: list[Refused] = []
    for index, data in enumerate(events):
        try:
            accepted[index] = _take(data, now)
        except RejectedEventError as error:
            refused.append(
                Refused(index, data, error.reason, str(error), _id_in(data, "event_id"), _id_in(data, "shop_id"))
            )
    return Intake(accepted, refused)


def rejection_of(refused: Refused, *, message_id: str, now: int) -> Rejection:
    """What the rejected store keeps of it. Its position is the message it came in: it has none in a log."""
    record = LogRecord(f"{message_id}-{refused.index:04d}", refused.data, now)
    return Rejection(refused.shop_id or NO_SHOP, record, refused.reason, refused.message)


def _take(data: bytes, now: int) -> InteractionEvent:
    raw = {name: value for name, value in parse_json(data).items() if name != "received_at"}
    event = replace(parse_event(raw, arrived_at=now), received_at=now)
    size = len(event_to_json(event))
    if size > MAX_RECORD_BYTES:
        raise RejectedEventError("too_large", found=f"an event of {size} bytes", expected=f"at most {MAX_RECORD_BYTES}")
    return event


def _id_in(data: bytes, name: str) -> str | None:
    try:
        value = parse_json(data).get(name)
    except RejectedEventError:
        return None
    return value if isinstance(value, str) and is_id(value) else None
