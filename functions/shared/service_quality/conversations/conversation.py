"""A conversation is its interaction events: in order of time, each once, whatever order they came in."""

from bisect import bisect_right
from dataclasses import dataclass, replace

from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.instants import DAY, HOUR, floor_to

MAX_EVENTS = 500
#: Of all ids and names in a conversation: a stored item may have 400 KB, and hostile ids do not compress.
MAX_BYTES = 250_000
_WEIGHED_EVERY = 16  # events: weighing all of them costs more than adding one

#: An event that occurred longer ago than this before the shop's latest arrival cannot be told from a duplicate.
RETENTION = 30 * DAY
#: A conversation is remembered longer than any event that could repeat one of its own. A day more than it is taken:
#: an event known to the day stands at its receipt when it came on that day, and at the day's end when it comes again.
REMEMBERED = RETENTION + DAY + HOUR


@dataclass(frozen=True, slots=True)
class Conversation:
    """The events of one service contact, in (occurred_at, event_id) order, without their texts.

    `touched_at` is the shop's received clock when an event was last added.
    """

    events: tuple[InteractionEvent, ...] = ()
    touched_at: int = 0


EMPTY = Conversation()


def conversation_key(event: InteractionEvent) -> str:
    """What folds together: the contact, or all that one customer did in a shop on one UTC day.

    >>> conversation_key(
    ...     InteractionEvent(
    ...         event_id="e", shop_id="s", kind="page_viewed", occurred_at=1, received_at=1, customer_id="ann"
    ...     )
    ... )
    'visit\\x1fann\\x1f0'
    """
    if event.conversation_id is not None and event.kind not in kinds.BEHAVIOUR:
        return f"contact\x1f{event.conversation_id}"
    return f"visit\x1f{event.customer_id}\x1f{floor_to(event.occurred_at, DAY) // DAY}"


def advance(conversation: Conversation, event: InteractionEvent, *, received_clock: int = 0) -> Conversation:
    """Add an event at its place in time; one seen before changes nothing and gives the same object back.

    RejectedEventError when the conversation is at its bound: it refuses, it never forgets an id.
    """
    events = conversation.events
    if any(known.event_id == event.event_id for known in events):
        return conversation
    if len(events) >= MAX_EVENTS:
        raise RejectedEventError(
            "conversation_full",
            found=f"a conversation of {len(events)} events",
            expected=f"at most {MAX_EVENTS}",
        )
    if len(events) % _WEIGHED_EVERY == _WEIGHED_EVERY - 1 and size_of(conversation) > MAX_BYTES:
        raise RejectedEventError(
            "conversation_full",
            found=f"a conversation of {size_of(conversation)} bytes",
            expected=f"at most {MAX_BYTES}",
        )
    stripped = replace(event, text=None) if event.text is not None else event
    place = bisect_right(events, (event.occurred_at, event.event_id), key=_order)
    return Conversation(
        events=(*events[:place], stripped, *events[place:]),
        touched_at=max(conversation.touched_at, received_clock),
    )


def size_of(conversation: Conversation) -> int:
    """How many bytes of text the conversation's events hold: ids, names, queries."""
    values = (getattr(event, name) for event in conversation.events for name in FIELDS)
    return sum(len(value.encode()) for value in values if isinstance(value, str))


def merge_conversations(one: Conversation, other: Conversation) -> Conversation:
    """The union of both, each event once."""
    merged = one
    for event in other.events:
        merged = advance(merged, event, received_clock=other.touched_at)
    return merged if merged.touched_at >= other.touched_at else replace(merged, touched_at=other.touched_at)


def remembered(conversation: Conversation, *, received_clock: int) -> Conversation:
    """The conversation, or none of it when it was last touched too long ago by the log's own time.

    Judged by the received clock and not by what the store has deleted, so every reader forgets at one position.
    """
    return conversation if received_clock - conversation.touched_at <= REMEMBERED else EMPTY


def refuse_too_old(event: InteractionEvent, *, received_clock: int) -> None:
    """RejectedEventError for an event from before the retention period of the log's own time."""
    if received_clock - event.occurred_at > RETENTION:
        # How much older is not said: a worker that was overtaken knows an older clock, and would say another age.
        raise RejectedEventError(
            "older_than_retention",
            field="occurred_at",
            found="an instant before the retention period",
            expected=f"at most {RETENTION // DAY} days before the latest arrival",
        )


def _order(event: InteractionEvent) -> tuple[int, str]:
    return event.occurred_at, event.event_id
