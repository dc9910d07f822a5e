"""The bounds on age and number of stored events, as docs/architecture.md states them."""

from collections.abc import Collection

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.spans import DAY, HOUR

MOST_EVENTS = 500  # of one conversation
RESERVED_EVENTS = 100  # beside them, of the kinds that decide something
MOST_HISTORIES = 300  # in one stored item
MOST_CACHED_ITEMS = 20_000  # of all shops that a worker caches
RETENTION = 30 * DAY
FORGOTTEN_AFTER = 31 * DAY + HOUR

_BEHAVIOUR = (
    "page_viewed", "searched", "cart_added", "order_placed", "order_cancelled", "order_returned",
)  # fmt: skip
_DECISIVE = (
    "rated", "complaint_filed", "suggestion_made", "resolved", "reopened", "order_placed", "order_cancelled",
    "order_returned",
)  # fmt: skip


def is_too_old(event: InteractionEvent, *, received_clock: int) -> bool:
    """Whether an event occurred so long before the latest arrival that it may be an unknown duplicate."""
    return event.occurred_at < received_clock - RETENTION


def is_forgotten(touched_at: int, *, received_clock: int) -> bool:
    """Whether a conversation that was last touched then reads as absent."""
    return touched_at < received_clock - FORGOTTEN_AFTER


def is_full(
    event: InteractionEvent,
    held: Collection[object],
    *,
    most_events: int = MOST_EVENTS,
    reserved: int = RESERVED_EVENTS,
) -> bool:
    """Whether a conversation that holds these does not take the event, too."""
    room = most_events + reserved if event.kind in _DECISIVE else most_events
    return len(held) >= room


def is_of_a_day(event: InteractionEvent) -> bool:
    """Whether the event belongs to no contact: behaviour, stock, and what names no contact."""
    return event.conversation_id is None or event.kind in (*_BEHAVIOUR, "stock_counted")


def fold_key(event: InteractionEvent) -> str:
    """The conversation of an event: its contact, or one UTC day of a customer's visits or of a product's stock."""
    if event.kind == "stock_counted":
        return f"count\x1f{event.sku}\x1f{event.occurred_at // DAY}"
    if is_of_a_day(event):
        return f"visit\x1f{event.customer_id}\x1f{event.occurred_at // DAY}"
    return f"contact\x1f{event.conversation_id}"
