"""The forms of an interaction event: as it is archived, and as a source sends it and the stream carries it."""

import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from service_quality.events.declared_fields import INSTANT
from service_quality.events.interaction_event import (
    DERIVED_FIELDS,
    FIELDS,
    OPTIONAL_FIELDS,
    InteractionEvent,
    fields_of,
)
from service_quality.instants import format_instant, parse_instant

EVENT_VERSION = 1

_INSTANTS = fields_of(INSTANT)
_OPTIONAL_INSTANTS = tuple(name for name in _INSTANTS if name in OPTIONAL_FIELDS)
_OPTIONAL_VALUES = attrgetter(*OPTIONAL_FIELDS)


def event_to_dict(event: InteractionEvent) -> dict[str, str | int]:
    """The archived form: without missing fields, instants in ISO 8601, with what was derived."""
    form: dict[str, str | int] = {
        "version": EVENT_VERSION,
        "event_id": event.event_id,
        "shop_id": event.shop_id,
        "kind": event.kind,
        "occurred_at": format_instant(event.occurred_at),
        "received_at": format_instant(event.received_at),
    }
    if event.precision != "ms":
        form["precision"] = event.precision
    for name, value in zip(OPTIONAL_FIELDS, _OPTIONAL_VALUES(event), strict=True):
        if value is not None:
            form[name] = value
    for name in _OPTIONAL_INSTANTS:
        if name in form:
            form[name] = format_instant(getattr(event, name))
    return form


def event_from_dict(form: Mapping[str, Any]) -> InteractionEvent:  # type: ignore[explicit-any]  # our own JSON
    """The event whose archived form this is, exactly as it was; fields of a later release are left out."""
    values = {name: form[name] for name in FIELDS if form.get(name) is not None}
    return InteractionEvent(**values | {name: parse_instant(values[name]) for name in _INSTANTS if name in values})


def event_to_input(event: InteractionEvent) -> dict[str, str | int]:
    """The form in which a source would send the event: whoever reads it derives the same again."""
    form = event_to_dict(event)
    if "stated_at" in form:
        form["occurred_at"] = form["stated_at"]
    if "rating_given" in form:
        form.setdefault("rating", form["rating_given"])
    return {name: value for name, value in form.items() if name not in DERIVED_FIELDS}


def event_to_json(event: InteractionEvent) -> bytes:
    """One record as it is on the stream: the input form in compact UTF-8 JSON."""
    return json.dumps(event_to_input(event), ensure_ascii=False, separators=(",", ":")).encode()
