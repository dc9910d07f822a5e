"""What an inlet does with what it is handed: each event validated and stamped, or refused with its reason."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from service_quality.errors import RejectedEventError
from service_quality.events.carriers import Contents
from service_quality.events.identifiers import NO_SHOP, is_id
from service_quality.events.interaction_event import FIELDS, InteractionEvent, event_to_json
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.parsing import MAX_RECORD_BYTES, parse_event, parse_json
from service_quality.events.shown_values import shown_name
from service_quality.instants import DAY

_KNOWN_FIELDS = {*FIELDS, "version", "preview"}
_MOST_NAMES = 10
_LONGEST_MESSAGE_ID = 64


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
class UnknownFields:
    """Fields that nobody reads: of the event at an index, or of the carrier itself where that is None."""

    index: int | None
    event_id: str | None
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of one hand-over: events by their place in it, those refused, and fields that nobody reads."""

    accepted: dict[int, InteractionEvent]
    refused: list[Refused]
    unknown: list[UnknownFields]


def take_in(contents: Contents, *, now: int, retention: int) -> Intake:
    """Validate events that arrived at `now` and stamp them with it, whatever their source says of it.

    An event of more than `retention` milliseconds before its arrival is refused: no log could tell it from a
    duplicate.
    """
    accepted: dict[int, InteractionEvent] = {}
    refused: list[Refused] = []
    unknown = [UnknownFields(None, None, contents.unknown_fields)] if contents.unknown_fields else []
    for index, part in enumerate(contents.parts):
        raw: Mapping[str, object] = {}
        error = part.error
        try:
            raw = parse_json(part.data)
            if error is None:
                accepted[index] = _take(raw, now=now, retention=retention)
        except RejectedEventError as refusal:
            error = error or refusal
        event_id = _id_in(raw, "event_id")
        if error is not None:
            refused.append(Refused(index, part.data, error.reason, str(error), event_id, _id_in(raw, "shop_id")))
        if part.error is None and (strange := raw.keys() - _KNOWN_FIELDS):
            unknown.append(UnknownFields(index, event_id, frozenset(strange)))
    return Intake(accepted, refused, unknown)


def rejection_of(refused: Refused, *, message_id: str, arrived_at: int) -> Rejection:
    """What the rejected store keeps of it. Its position is the message it came in: it has none in a log."""
    record = LogRecord(f"{_name_of(message_id)}-{refused.index:04d}", refused.data, arrived_at)
    return Rejection(refused.shop_id or NO_SHOP, record, refused.reason, refused.message)


def describe_intake(intake: Intake) -> dict[str, list[object]]:
    """The answer to a direct caller: ids of accepted events, what was rejected and why, and fields nobody reads.

    Of each event at most ten names of fields, those first that are written like a name; `count` says of how many.
    """
    return {
        "accepted": [event.event_id for event in intake.accepted.values()],
        "rejected": [
            {"index": one.index, "reason": one.reason, "message": one.message} | _told_id(one.event_id)
            for one in intake.refused
        ],
        "unknown_fields": [
            ({} if one.index is None else {"index": one.index})
            | _told_id(one.event_id)
            | {"fields": _shown_names(one.names), "count": len(one.names)}
            for one in intake.unknown
        ],
    }


def _take(raw: Mapping[str, object], *, now: int, retention: int) -> InteractionEvent:
    fields = {name: value for name, value in raw.items() if name != "received_at"}
    event = replace(parse_event(fields, arrived_at=now), received_at=now)
    if now - event.occurred_at > retention:
        raise RejectedEventError(
            "older_than_retention",
            field="occurred_at",
            found=f"an instant {(now - event.occurred_at) // DAY} days before its arrival",
            expected=f"at most {retention // DAY} days",
        )
    size = len(event_to_json(event))
    if size > MAX_RECORD_BYTES:
        raise RejectedEventError("too_large", found=f"an event of {size} bytes", expected=f"at most {MAX_RECORD_BYTES}")
    return event


def _id_in(raw: Mapping[str, object], name: str) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) and is_id(value) else None


def _told_id(event_id: str | None) -> dict[str, object]:
    return {"event_id": event_id} if event_id else {}


def _shown_names(names: frozenset[str]) -> list[str]:
    ordered = sorted(names, key=lambda name: (shown_name(name) != name, name))
    return [shown_name(name) for name in ordered[:_MOST_NAMES]]


def _name_of(message_id: str) -> str:
    """A message's id as part of a position; a hash of one that is long or not plain."""
    plain = message_id.isascii() and message_id.replace("-", "").isalnum()
    if plain and len(message_id) <= _LONGEST_MESSAGE_ID:
        return message_id
    return hashlib.sha256(message_id.encode(errors="surrogatepass")).hexdigest()[:32]
