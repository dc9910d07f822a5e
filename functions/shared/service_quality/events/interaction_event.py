"""Interaction events: one immutable thing that happened, validated at the inlet."""

import json
from dataclasses import dataclass, fields

from service_quality.instants import format_instant

EVENT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionEvent:
    """One thing that happened in a shop; instants in UTC epoch milliseconds, money in minor units.

    `event_id` is unique per shop. `precision` is "ms", or "day" where the source knew only the day: the event
    then counts at the end of that day, and durations from it are missing.
    """

    event_id: str
    shop_id: str
    kind: str
    occurred_at: int
    received_at: int
    precision: str = "ms"
    conversation_id: str | None = None
    customer_id: str | None = None
    agent_id: str | None = None
    supervisor_id: str | None = None
    manager_id: str | None = None
    agent_tenure: str | None = None
    agent_shift: str | None = None
    category: str | None = None
    subcategory: str | None = None
    product: str | None = None
    sku: str | None = None
    order_id: str | None = None
    channel: str | None = None
    text: str | None = None
    query: str | None = None
    currency: str | None = None
    rating: int | None = None
    amount_minor: int | None = None
    duration_ms: int | None = None


FIELDS = tuple(field.name for field in fields(InteractionEvent))
OPTIONAL_FIELDS = FIELDS[FIELDS.index("precision") + 1 :]


def event_to_dict(event: InteractionEvent) -> dict[str, str | int]:
    """The canonical JSON form: without missing fields, instants in ISO 8601."""
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
    for name in OPTIONAL_FIELDS:
        value = getattr(event, name)
        if value is not None:
            form[name] = value
    return form


def event_to_json(event: InteractionEvent) -> bytes:
    """One record as it is on the stream: compact UTF-8 JSON."""
    return json.dumps(event_to_dict(event), ensure_ascii=False, separators=(",", ":")).encode()
