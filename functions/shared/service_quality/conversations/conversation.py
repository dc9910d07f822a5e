"""A conversation is its interaction events: in order of time, each once, independent of their order of arrival."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace

from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.instants import DAY, HOUR, floor_to

#: Events of one conversation or visit, and bytes of their stored form: an item of a table may have 400 KB, and hostile
#: ids do not compress.
MAX_EVENTS = 500
MAX_BYTES = 250_000
#: Room beyond these bounds for the kinds that decide something (`kinds.DECISIVE`): an order or a rating is not rejected
#: because 500 page views or messages came before it.
RESERVED_EVENTS = 100
RESERVED_BYTES = 60_000
_LARGEST_EVENT = 9_000  # bytes: 16 ids of 128 characters of four bytes each, and the names of all fields
_ALWAYS_FIT = MAX_BYTES // _LARGEST_EVENT  # events: fewer need no weighing

#: An event that occurred longer than this before the shop's latest arrival cannot be distinguished from a duplicate.
RETENTION = 30 * DAY
#: A conversation is retained longer than any event that could repeat one of its own is taken, by a day: an event known
#: to the day counts at its receipt when it came on that day, and at the day's end when it comes again.
CONVERSATION_RETENTION = RETENTION + DAY + HOUR


#: The first parts of the keys of conversations: a contact, or a day of a customer's behaviour.
CONTACT, VISIT = KEY_NAMES = ("contact", "visit")


@dataclass(frozen=True, slots=True)
class Conversation:
    """The events of one service contact, in (occurred_at, event_id) order, without what the customer wrote.

    `touched_at` is the shop's received clock when an event was last added. `size` is its `size_of` where that is
    computed already, else None.
    """

    events: tuple[InteractionEvent, ...] = ()
    touched_at: int = 0
    size: int | None = field(default=None, compare=False)


EMPTY = Conversation()


def conversation_key(event: InteractionEvent) -> str:
    """The key of what folds together: a contact, or the behaviour of one customer in a shop on one UTC day.

    >>> conversation_key(
    ...     InteractionEvent(
    ...         event_id="e", shop_id="s", kind="page_viewed", occurred_at=1, received_at=1, customer_id="ann"
    ...     )
    ... )
    'visit\\x1fann\\x1f0'
    """
    if event.conversation_id is not None and event.kind not in kinds.BEHAVIOUR:
        return f"{CONTACT}{SEPARATOR}{event.conversation_id}"
    return f"{VISIT}{SEPARATOR}{event.customer_id}{SEPARATOR}{floor_to(event.occurred_at, DAY) // DAY}"


def advance(conversation: Conversation, event: InteractionEvent, *, received_clock: int = 0) -> Conversation:
    """Add an event in order of time; a duplicate changes nothing and gives the same object back.

    RejectedEventError when the conversation is at its bound: it rejects, it never forgets an id.
    """
    events = conversation.events
    if any(known.event_id == event.event_id for known in events):
        return conversation
    advanced = _insert(conversation, without_words(event), received_clock=received_clock)
    _reject_beyond_bounds(event.kind, events=len(events), size=advanced.size)
    return advanced


def _insert(conversation: Conversation, event: InteractionEvent, *, received_clock: int) -> Conversation:
    """The conversation with a further event in order of time, without regard to its bounds."""
    events = conversation.events
    place = bisect_right(events, (event.occurred_at, event.event_id), key=_order)
    return Conversation(
        events=(*events[:place], event, *events[place:]),
        touched_at=max(conversation.touched_at, received_clock),
        size=_size_with(conversation, event),
    )


def without_words(event: InteractionEvent) -> InteractionEvent:
    """The event as state holds it: without the customer's text and query."""
    if event.text is None and event.query is None:
        return event
    return replace(event, text=None, query=None)


def size_of(conversation: Conversation) -> int:
    """The most bytes that the conversation's events take when they are stored."""
    return sum(map(_event_size, conversation.events)) if conversation.size is None else conversation.size


def _size_with(conversation: Conversation, event: InteractionEvent) -> int | None:
    if len(conversation.events) < _ALWAYS_FIT:
        return None
    return size_of(conversation) + _event_size(event)


def _event_size(event: InteractionEvent) -> int:
    """The most bytes of an event's stored form: its ids as JSON, and for each field its name, quotes or digits."""
    present = [value for name in FIELDS if (value := getattr(event, name)) is not None]
    return sum(map(_value_size, present)) + 18 * len(present)


def _value_size(value: str | int) -> int:
    if isinstance(value, int):
        return 16
    return len(value.encode()) + value.count('"') + value.count("\\")


def _reject_beyond_bounds(kind: str, *, events: int, size: int | None) -> None:
    decisive = kind in kinds.DECISIVE
    most_events = MAX_EVENTS + (RESERVED_EVENTS if decisive else 0)
    most_bytes = MAX_BYTES + (RESERVED_BYTES if decisive else 0)
    if events >= most_events:
        found, expected = f"a conversation of {events} events", f"at most {most_events}"
    elif size is not None and size > most_bytes:
        found, expected = f"a conversation of {size} bytes", f"at most {most_bytes}"
    else:
        return
    raise RejectedEventError("conversation_full", found=found, expected=expected)


def within_retention(conversation: Conversation, *, received_clock: int) -> Conversation:
    """The conversation; EMPTY when it was last touched too long ago by the log's own time.

    The received clock decides, not what the store has deleted, so every reader forgets at the same position.
    """
    return conversation if is_within_retention(conversation.touched_at, received_clock=received_clock) else EMPTY


def is_within_retention(touched_at: int, *, received_clock: int) -> bool:
    """Whether a conversation last touched at an instant is within retention by the log's own time."""
    return received_clock - touched_at <= CONVERSATION_RETENTION


def reject_too_old(event: InteractionEvent, *, received_clock: int) -> None:
    """RejectedEventError for an event from before the retention period of the log's own time."""
    if received_clock - event.occurred_at > RETENTION:
        # The message gives no age: a worker that was overtaken has an older clock and would give another one.
        raise RejectedEventError(
            "older_than_retention",
            field="occurred_at",
            found="an instant before the retention period",
            expected=f"at most {RETENTION // DAY} days before the latest arrival",
        )


def _order(event: InteractionEvent) -> tuple[int, str]:
    return event.occurred_at, event.event_id
