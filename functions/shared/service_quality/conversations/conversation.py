"""A conversation is its interaction events, each once: those of imports, then those of its log as they arrived."""

from dataclasses import field, replace
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from service_quality.by_fields import ByFields, value_class
from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import ANNOTATIONS, FIELDS, WORDS, InteractionEvent
from service_quality.events.time_reached import TimeReached
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


_VALUES = attrgetter(*FIELDS)

#: What the content of an event is made of, beside its words and the instant that its source stated.
_CONTENT = tuple(
    name for name in FIELDS if name not in ("occurred_at", "received_at", "stated_at", *WORDS, *ANNOTATIONS)
)

#: Hexadecimal digits of what is kept of an event's words.
DIGEST_LENGTH = 8

#: The first parts of the keys of conversations: a contact, a day of a customer's behaviour, or of a product's stock.
CONTACT, VISIT, COUNT = KEY_NAMES = ("contact", "visit", "count")


class Past(NamedTuple):
    """What is left of rounds whose events are not held any more: their number, and what later events build on.

    `replied` is the number of the last round with a reply, and the agent who gave it.
    """

    rounds: int
    end: str
    owner: str | None
    replied: tuple[int, str | None] | None
    assigned_agent: str | None
    amount_minor: int | None
    contact: tuple[tuple[str, str], ...]
    agents: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    currency: str | None = None


class Reached(NamedTuple):
    """A stage of its wait that a turn of a round has reached, and when; `stage` is its name."""

    round: int
    turn: int
    stage: str
    at: int

    @property
    def key(self) -> tuple[int, int, str]:
        """What is reached once, whenever it is."""
        return self.round, self.turn, self.stage


@value_class(frozen=True, slots=True)
class Conversation(ByFields):
    """The events of one service contact, without what anybody wrote.

    The first `imported` of them came by imports, in order of time; the others are in order of their arrival on the log.
    `touched_at` is the shop's received clock when an event was last added. `size` is its `size_of` where that is
    computed already, else None. `past` is what is left of events that are too old to be repeated. `reached` are the
    stages that the open turn has reached, in their order.
    """

    events: tuple[InteractionEvent, ...] = ()
    touched_at: int = 0
    imported: int = 0
    past: Past | None = None
    size: int | None = field(default=None, compare=False)
    reached: tuple[Reached, ...] = ()


EMPTY = Conversation()


def conversation_key(event: InteractionEvent | TimeReached) -> str:
    """The key of what folds together: a contact, or one UTC day of a customer's behaviour or of a product's stock.

    >>> conversation_key(
    ...     InteractionEvent(
    ...         event_id="e", shop_id="s", kind="page_viewed", occurred_at=1, received_at=1, customer_id="ann"
    ...     )
    ... )
    'visit\\x1fann\\x1f0'
    """
    if event.conversation_id is not None and event.kind not in kinds.OF_DAYS:
        return f"{CONTACT}{SEPARATOR}{event.conversation_id}"
    day = floor_to(event.occurred_at, DAY) // DAY
    if isinstance(event, InteractionEvent) and event.kind in kinds.STOCK:
        return f"{COUNT}{SEPARATOR}{event.sku}{SEPARATOR}{day}"
    return f"{VISIT}{SEPARATOR}{event.customer_id}{SEPARATOR}{day}"


def advance(
    conversation: Conversation, event: InteractionEvent, *, received_clock: int = 0, policies_known: int = 0
) -> Conversation:
    """Add an event that arrives on the log; a duplicate changes nothing and gives the same object back.

    `policies_known` is the number of policies that the log holds before the event.

    Another content of a known id takes the place of the earlier one, where its kind may be corrected.
    RejectedEventError where it may not, and when the conversation is at its bound: it rejects, it never forgets an id.
    """
    event = without_words(event)
    if policies_known:
        event = replace(event, policies_known=policies_known)
    for index, known in enumerate(conversation.events):
        if known.event_id == event.event_id:
            return _correct(conversation, index, event, received_clock=received_clock)
    events = conversation.events
    advanced = Conversation(
        events=(*events, event),
        touched_at=max(conversation.touched_at, received_clock),
        imported=conversation.imported,
        past=conversation.past,
        size=_size_with(conversation, event),
        reached=conversation.reached,
    )
    _reject_beyond_bounds(event.kind, events=len(events), size=advanced.size)
    return advanced


def _correct(conversation: Conversation, index: int, event: InteractionEvent, *, received_clock: int) -> Conversation:
    known = conversation.events[index]
    if known.kind == event.kind and event.kind in kinds.CORRECTED:
        event = _at_the_instant_of(known, event)
    if says_the_same(known, event):
        return conversation
    if known.kind != event.kind or event.kind not in kinds.CORRECTED:
        raise RejectedEventError(
            "conflicting_content",
            field="event_id",
            found=f"the id of another {known.kind}",
            expected="an id of its own, or a corrected message or rating",
        )
    return put_at(conversation, index, event, received_clock=received_clock)


def _at_the_instant_of(known: InteractionEvent, event: InteractionEvent) -> InteractionEvent:
    """A correction at the instant of what it corrects: when somebody edited it is not when they wrote."""
    return replace(
        event,
        occurred_at=known.occurred_at,
        received_at=known.received_at,
        precision=known.precision,
        stated_at=known.stated_at,
    )


def put_at(conversation: Conversation, index: int, event: InteractionEvent, *, received_clock: int) -> Conversation:
    """The conversation with another content at the place of one of its events.

    RejectedEventError when it is larger than its bound then.
    """
    events = [*conversation.events]
    events[index] = replace(without_words(event), policies_known=events[index].policies_known)
    imported = sorted(events[: conversation.imported], key=in_time)
    changed = replace(
        conversation,
        events=(*imported, *events[conversation.imported :]),
        touched_at=max(conversation.touched_at, received_clock),
        size=None,
    )
    if len(events) >= _ALWAYS_FIT:
        _reject_beyond_bounds(event.kind, events=0, size=size_of(changed))
    return changed


def in_time(event: InteractionEvent) -> tuple[int, str]:
    """The key by which events of imports are kept in order of time."""
    return event.occurred_at, event.event_id


def says_the_same(known: InteractionEvent, event: InteractionEvent) -> bool:
    """Whether two events have the same content, whenever they arrived; both are without words."""
    return known == event or _content(known) == _content(event)


def _content(event: InteractionEvent) -> tuple[object, ...]:
    values = [getattr(event, name) for name in _CONTENT]
    return (*values, event.text_digest, stated_instant(event))


def stated_instant(event: InteractionEvent) -> int:
    """The instant that an event's source stated, whenever the event arrived; for one known to the day, the day."""
    stated = event.occurred_at if event.stated_at is None else event.stated_at
    return floor_to(stated, DAY) if event.precision == "day" else stated


def without_words(event: InteractionEvent) -> InteractionEvent:
    """The event as state holds it: without text and query, but with a digest that tells them from others."""
    if event.text is None and event.query is None:
        return event
    return replace(event, text=None, query=None, text_digest=digest_of(event.event_id, event.text, event.query))


def digest_of(event_id: str, text: str | None, query: str | None) -> str | None:
    """What is kept of an event's words, by which they differ from others; None without words."""
    if text is None and query is None:
        return None
    words = f"{event_id}\x1f{text or ''}\x1f{query or ''}"
    return sha256(words.encode(errors="surrogatepass")).hexdigest()[:DIGEST_LENGTH]


def size_of(conversation: Conversation) -> int:
    """The most bytes that the conversation's events take when they are stored."""
    return sum(map(_event_size, conversation.events)) if conversation.size is None else conversation.size


def _size_with(conversation: Conversation, event: InteractionEvent) -> int | None:
    if len(conversation.events) < _ALWAYS_FIT:
        return None
    return size_of(conversation) + _event_size(event)


def _event_size(event: InteractionEvent) -> int:
    """The most bytes of an event's stored form: its ids as JSON, and for each field its name, quotes or digits."""
    present = [value for value in _VALUES(event) if value is not None]
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


def reject_too_old(event: InteractionEvent | TimeReached, *, received_clock: int) -> None:
    """RejectedEventError for an event from before the retention period of the log's own time."""
    if received_clock - event.occurred_at > RETENTION:
        # The message gives no age: a worker that was overtaken has an older clock and would give another one.
        raise RejectedEventError(
            "older_than_retention",
            field="occurred_at",
            found="an instant before the retention period",
            expected=f"at most {RETENTION // DAY} days before the latest arrival",
        )
