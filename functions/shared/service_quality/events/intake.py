"""The intake of an inlet: each event validated and stamped, or rejected with its reason."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from service_quality.errors import RejectedEventError
from service_quality.events.carriers import Contents
from service_quality.events.event_forms import event_to_json
from service_quality.events.identifiers import NO_SHOP, one_spelling
from service_quality.events.interaction_event import INPUT_FIELDS, InteractionEvent
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.parsing import MAX_RECORD_BYTES, ReadEvent, parse_json, read_event
from service_quality.events.shown_values import shown_name
from service_quality.instants import DAY

#: The most bytes of an event at an inlet, whose texts are cut before it goes on the stream.
MAX_INLET_BYTES = 1_048_576

_KNOWN_FIELDS = {*INPUT_FIELDS, "version", "preview"}
_MOST_NAMES = 10
_MOST_BYTES_A_CHARACTER = 6  # in JSON, of a control character
_LONGEST_MESSAGE_ID = 64


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that an inlet did not take: its index in the call, its bytes, and the reason."""

    index: int
    data: bytes
    reason: str
    message: str
    event_id: str | None
    shop_id: str | None


@dataclass(frozen=True, slots=True)
class UnknownFields:
    """Unread fields: of the event at an index, or of the carrier itself where the index is None."""

    index: int | None
    event_id: str | None
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Intake:
    """The result of one call: accepted events by index, rejected ones, and unread fields.

    `odd` holds, by the index of an accepted event, the fields whose values could not be used.
    """

    accepted: dict[int, InteractionEvent]
    rejected: list[Rejected]
    unknown: list[UnknownFields]
    odd: dict[int, tuple[str, ...]]

    def odd_by_field(self) -> Counter[str]:
        """The number of values of each field that could not be used."""
        return Counter(name for names in self.odd.values() for name in names)


def take_in(contents: Contents, *, now: int, retention: int) -> Intake:
    """Validate events and stamp them with their arrival `now`, in place of any arrival that their source gives.

    An event of more than `retention` milliseconds before its arrival is rejected: no log could distinguish it from a
    duplicate.
    """
    accepted: dict[int, InteractionEvent] = {}
    rejected: list[Rejected] = []
    odd: dict[int, tuple[str, ...]] = {}
    unknown = [UnknownFields(None, None, contents.unknown_fields)] if contents.unknown_fields else []
    for index, part in enumerate(contents.parts):
        raw: Mapping[str, object] = {}
        error = part.error
        try:
            raw = parse_json(part.data, longest=MAX_INLET_BYTES)
            if error is None:
                accepted[index], strange = take_event(raw, now=now, retention=retention)
                odd |= {index: strange} if strange else {}
        except RejectedEventError as rejection:
            error = error or rejection
        event_id = _id_in(raw, "event_id")
        if error is not None:
            rejected.append(Rejected(index, part.data, error.reason, str(error), event_id, _id_in(raw, "shop_id")))
        if part.error is None and (unread := _unread(raw)):
            unknown.append(UnknownFields(index, event_id, unread))
    return Intake(accepted, rejected, unknown, odd)


def rejection_of(rejected: Rejected, *, message_id: str, arrived_at: int) -> Rejection:
    """The rejection for the rejected store. Its position is made of the message's id, since it has no log position."""
    record = LogRecord(f"{_name_of(message_id)}-{rejected.index:04d}", rejected.data, arrived_at)
    return Rejection(rejected.shop_id or NO_SHOP, record, rejected.reason, rejected.message)


def describe_intake(intake: Intake) -> dict[str, list[object]]:
    """The answer to a direct caller: ids of accepted events, rejected ones with reasons, odd and unread fields.

    `odd_fields` names the fields of accepted events whose values could not be used. Of the unread fields of an event
    at most ten names are shown, plain names first; `count` is the number of all.
    """
    return {
        "accepted": [event.event_id for event in intake.accepted.values()],
        "rejected": [
            {"index": one.index, "reason": one.reason, "message": one.message} | _shown_id(one.event_id)
            for one in intake.rejected
        ],
        "odd_fields": [
            {"index": index} | _shown_id(intake.accepted[index].event_id) | {"fields": list(names)}
            for index, names in intake.odd.items()
            if index in intake.accepted
        ],
        "unknown_fields": [
            ({} if one.index is None else {"index": one.index})
            | _shown_id(one.event_id)
            | {"fields": _shown_names(one.names), "count": len(one.names)}
            for one in intake.unknown
        ],
    }


def take_event(raw: Mapping[str, object], *, now: int, retention: int | None = None) -> ReadEvent:
    """An event that arrives now, in place of any arrival that its source gives; its texts are cut to fit a record.

    RejectedEventError for one that cannot be taken, or that is older than `retention`.
    """
    read = read_event({name: value for name, value in raw.items() if name != "received_at"}, arrived_at=now)
    event = read.event
    if retention is not None and now - event.occurred_at > retention:
        raise RejectedEventError(
            "older_than_retention",
            field="occurred_at",
            found=f"an instant {(now - event.occurred_at) // DAY} days before its arrival",
            expected=f"at most {retention // DAY} days",
        )
    return read._replace(event=_fitted(event))


def _fitted(event: InteractionEvent) -> InteractionEvent:
    """The event with as much of its texts as a record takes: the longer one is cut until it fits."""
    while (excess := len(event_to_json(event)) - MAX_RECORD_BYTES) > 0:
        text, query = event.text or "", event.query or ""
        left = max(len(text), len(query)) - 1 - excess // _MOST_BYTES_A_CHARACTER
        if left < 0:
            found = f"an event {excess} bytes too large without its texts"
            raise RejectedEventError("too_large", found=found, expected=f"at most {MAX_RECORD_BYTES}")
        event = replace(event, text=text[:left]) if len(text) >= len(query) else replace(event, query=query[:left])
    return event


def _id_in(raw: Mapping[str, object], name: str) -> str | None:
    value = raw.get(name)
    return (one_spelling(value) or None) if isinstance(value, str) else None


def _shown_id(event_id: str | None) -> dict[str, object]:
    return {"event_id": event_id} if event_id else {}


def unread_fields(raw: Mapping[str, object]) -> tuple[str, ...]:
    """The names of an event's fields that no reader knows, as `describe_intake` shows them."""
    return tuple(_shown_names(_unread(raw)))


def _unread(raw: Mapping[str, object]) -> frozenset[str]:
    return frozenset(raw) - _KNOWN_FIELDS


def _shown_names(names: frozenset[str]) -> list[str]:
    ordered = sorted(names, key=lambda name: (shown_name(name) != name, name))
    return [shown_name(name) for name in ordered[:_MOST_NAMES]]


def _name_of(message_id: str) -> str:
    """A message's id as part of a position; a hash for a long or unusual id."""
    plain = message_id.isascii() and message_id.replace("-", "").isalnum()
    if plain and len(message_id) <= _LONGEST_MESSAGE_ID:
        return message_id
    return hashlib.sha256(message_id.encode(errors="surrogatepass")).hexdigest()[:32]
