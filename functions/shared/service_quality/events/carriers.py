"""Carriers of events - envelopes, lists, texts - opened until each part is an event or rejected."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from service_quality.errors import RejectedEventError
from service_quality.events.json_texts import read_json
from service_quality.events.parsing import ambiguous_carrier, holds_events, misplaced_preview
from service_quality.events.shown_values import shown

#: The most events of one carrier; a larger one is rejected whole, since each event would be a write.
MAX_EVENTS = 1_000

#: The most envelopes, lists and texts around an event. A queue's text with an SNS notification of a bus event has four.
MAX_WRAPS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes of one event, and its rejection where that is known already."""

    data: bytes
    error: RejectedEventError | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """The parts of a carrier in their order, at least one; and the unread fields beside its lists of events."""

    parts: tuple[Part, ...]
    unknown_fields: frozenset[str] = frozenset()


def open_carrier(carrier: object) -> Contents:
    """The events in a JSON value: in an envelope of a bus, of SNS or of CloudEvents, in a list, in a text, or itself.

    A text is read as JSON wherever a carrier may be. A part that cannot be read has the reason; a carrier of more than
    MAX_EVENTS parts is one rejected part.

    >>> [part.data for part in open_carrier('{"detail-type": "", "detail": {"events": [{"kind": "rated"}, 7]}}').parts]
    [b'{"kind":"rated"}', b'7']
    """
    unknown: set[str] = set()
    try:
        parts = tuple(islice(_open(carrier, None, 0, unknown), MAX_EVENTS + 1))
    except RecursionError:
        return reject_carrier(carrier, _nested_too_deep())
    if len(parts) <= MAX_EVENTS:
        return Contents(parts, frozenset(unknown))
    found = f"more than {MAX_EVENTS} events in one message"
    return reject_carrier(carrier, RejectedEventError("too_many_events", found=found, expected=f"at most {MAX_EVENTS}"))


def reject_carrier(carrier: object, error: RejectedEventError) -> Contents:
    """The carrier as one part that is rejected whole; without bytes where it is nested too deep to be written."""
    try:
        data = _text_bytes(carrier) if isinstance(carrier, str) else _json_bytes(carrier)
    except RecursionError:
        data = b""
    return Contents((Part(data, error),))


def _open(value: object, text: bytes | None, wraps: int, unknown: set[str]) -> Iterator[Part]:
    """The parts of a value; `text` is the text that it was read from, if it was read from one."""
    if wraps > MAX_WRAPS:
        yield Part(text or _json_bytes(value), _nested_too_deep())
    elif isinstance(value, str):
        yield from _open_text(value, text, wraps, unknown)
    elif isinstance(value, list) and value:
        for one in value:
            yield from _open(one, None, wraps + 1, unknown)
    elif isinstance(value, dict) and value:
        yield from _open_object(value, text, wraps, unknown)
    elif value is None or isinstance(value, list | dict):
        yield Part(text or _json_bytes(value), _no_event("nothing"))
    else:
        yield Part(text or _json_bytes(value))


def _open_text(value: str, text: bytes | None, wraps: int, unknown: set[str]) -> Iterator[Part]:
    data = _text_bytes(value)
    try:
        content = read_json(data)
    except (ValueError, RecursionError):
        yield Part(data) if value.strip() else Part(text or data, _no_event("nothing"))
    else:
        yield from _open(content, data, wraps + 1, unknown)


def _open_object(value: Mapping[str, object], text: bytes | None, wraps: int, unknown: set[str]) -> Iterator[Part]:
    """The parts of an object: itself where it is an event, else those of the one form of a carrier that it has."""
    carried = _carried(value)
    holding = [name for name in carried if holds_events(value[name])]
    error = _contradiction(value, carried, holding)
    if error or not carried or "event_id" in value:
        yield Part(text or _json_bytes(value), error)
        return
    (name,) = holding
    if name == "events":
        unknown.update(value.keys() - {"events", "preview", "version"})
    try:
        content = _decode(value[name]) if name == "data_base64" else value[name]
    except RejectedEventError as malformed:
        yield Part(text or _json_bytes(value), malformed)
    else:
        yield from _open(content, None, wraps + 1, unknown)


def _carried(value: Mapping[str, object]) -> list[str]:
    """The fields in which an object carries events: as an envelope of a bus, SNS or CloudEvents, or as a list."""
    names = []
    if "detail-type" in value:
        names.append("detail")
    if value.get("Type") == "Notification":
        names.append("Message")
    if "specversion" in value:
        names += ["data", "data_base64"]
    names.append("events")
    return [name for name in names if name in value]


def _contradiction(value: Mapping[str, object], carried: list[str], holding: list[str]) -> RejectedEventError | None:
    """The rejection of an object that is neither an event nor one form of a carrier; None for a sound one."""
    wish = value.get("preview", False)
    if wish is not False:
        return misplaced_preview(wish)
    if len(holding) > 1 or (holding and "event_id" in value):
        return ambiguous_carrier()
    if carried and not holding and "event_id" not in value:
        return _no_event("an envelope or a list without content")
    return None


def _decode(base64: object) -> str:
    try:
        return b64decode(str(base64), validate=True).decode()
    except ValueError:
        raise RejectedEventError(
            "malformed_base64", field="data_base64", found=shown(base64), expected="base64 of a JSON text"
        ) from None


def _no_event(found: str) -> RejectedEventError:
    return RejectedEventError("no_event", found=found, expected="an event, or an envelope or list of events")


def _nested_too_deep() -> RejectedEventError:
    found = f"more than {MAX_WRAPS} envelopes, lists and texts around an event"
    return RejectedEventError("nested_too_deep", found=found, expected=f"at most {MAX_WRAPS}")


def _json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


def _text_bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")
