"""Interaction events: one immutable thing that happened, validated at the inlet."""

from dataclasses import field, fields

from service_quality.by_fields import ByFields, value_class
from service_quality.events import kinds
from service_quality.events.declared_fields import (
    AGENT,
    CONTACT,
    a_customer,
    a_flag,
    a_text,
    a_word,
    an_employee,
    an_id,
    an_instant,
    an_integer,
    declaration_in,
    derived,
)
from service_quality.instants import DAY

_EVERY = kinds.ALL
_OF_CUSTOMERS = kinds.OF_CUSTOMERS
_OF_CONTACTS = kinds.SERVICE | kinds.FEEDBACK
_ORDERS = frozenset({"order_placed", "order_cancelled", "order_returned"})
_BY_AGENTS = kinds.SERVICE - {"customer_message", "bot_message"}
_WITH_STATUS = frozenset({"status_changed", "resolved", "reopened", "conversation_opened", "agent_message"})
#: Groups into which what is searched for falls by its hash: enough to see that many look for one thing, and too few to
#: read off what it is.
SEARCH_TERM_GROUPS = 16
_MERGES = frozenset({"status_changed", "resolved"})
_MESSAGES = frozenset({"conversation_opened", "customer_message", "agent_message", "bot_message", "internal_note"})


@value_class(frozen=True, slots=True, kw_only=True)
class InteractionEvent(ByFields):
    """One thing that happened in a shop; instants in UTC epoch milliseconds, money in minor units.

    Parsing, the schemas of lake and archive, and docs/events.md follow from these declarations.
    """

    event_id: str = field(
        metadata=an_id("unique in its shop: a second event of this id is a duplicate", _EVERY, "contact-1-opened")
    )
    shop_id: str = field(metadata=an_id("the shop; its events form one log", _EVERY, "my-shop"))
    kind: str = field(metadata=a_word("what happened", _EVERY, tuple(kinds.KINDS)))
    occurred_at: int = field(
        metadata=an_instant(
            "when it happened; an instant after its arrival counts as the arrival", _EVERY, "2026-11-20T08:00:00.000Z"
        )
    )
    received_at: int = field(
        metadata=an_instant(
            "when it arrived; the inlet sets it, on the stream an earlier one than the stream's counts",
            _EVERY,
            "2026-11-20T08:00:00.000Z",
        )
    )
    precision: str = field(
        default="ms",
        metadata=a_word(
            "`day` where only the day is known: the event counts at its end, and durations from it are missing",
            _EVERY,
            ("ms", "day"),
        ),
    )
    conversation_id: str | None = field(default=None, metadata=an_id("the contact", _OF_CONTACTS, "contact-1"))
    customer_id: str | None = field(
        default=None, metadata=a_customer("the customer", _OF_CUSTOMERS, "customer-7", describes=CONTACT)
    )
    agent_id: str | None = field(
        default=None, metadata=an_employee("the agent who acts or takes over", _BY_AGENTS, "agent-3")
    )
    supervisor_id: str | None = field(
        default=None, metadata=an_employee("the agent's supervisor", _BY_AGENTS, "supervisor-1", describes=AGENT)
    )
    manager_id: str | None = field(
        default=None, metadata=an_employee("the agent's manager", _BY_AGENTS, "manager-1", describes=AGENT)
    )
    agent_tenure: str | None = field(
        default=None,
        metadata=an_id("how long the agent has been there, as a bucket", _BY_AGENTS, "31-60 days", describes=AGENT),
    )
    agent_shift: str | None = field(
        default=None, metadata=an_id("the agent's shift", _BY_AGENTS, "morning", describes=AGENT)
    )
    category: str | None = field(default=None, metadata=an_id("what it is about", _EVERY, "Returns", describes=CONTACT))
    subcategory: str | None = field(
        default=None, metadata=an_id("the same, in finer steps", _EVERY, "Reverse pickup", describes=CONTACT)
    )
    product: str | None = field(
        default=None, metadata=an_id("group of products", _OF_CONTACTS, "Electronics", describes=CONTACT)
    )
    sku: str | None = field(default=None, metadata=an_id("the product", _EVERY, "sku-1042", describes=CONTACT))
    order_id: str | None = field(
        default=None,
        metadata=an_id("the order; kept, and read by no feature yet", _ORDERS | _OF_CONTACTS, "order-88"),
    )
    channel: str | None = field(
        default=None, metadata=an_id("where it came in", _OF_CUSTOMERS, "chat", describes=CONTACT)
    )
    status: str | None = field(default=None, metadata=an_id("the contact's status from here on", _WITH_STATUS, "open"))
    priority: str | None = field(
        default=None, metadata=an_id("how urgent the contact is", _OF_CONTACTS, "urgent", describes=CONTACT)
    )
    customer_tier: str | None = field(
        default=None, metadata=an_id("the customer's level with the shop", _OF_CONTACTS, "gold", describes=CONTACT)
    )
    merged_into: str | None = field(
        default=None, metadata=an_id("the contact into which this one was merged", _MERGES, "contact-2")
    )
    text: str | None = field(
        default=None,
        metadata=a_text(
            "what was written; it goes to the archive, and never into state, alerts, logs or metrics",
            _MESSAGES | kinds.FEEDBACK,
            "Where is my parcel?",
        ),
    )
    query: str | None = field(
        default=None,
        metadata=a_text("what was searched for; treated as `text`", frozenset({"searched"}), "usb charger"),
    )
    currency: str | None = field(
        default=None,
        metadata=an_id(
            "of `amount_minor`, by ISO 4217; without it the one last named in the conversation or visit counts, else "
            "that of the policy in force; an order without any of these enters no sum",
            _OF_CONTACTS | _ORDERS,
            "INR",
        ),
    )
    rating: int | None = field(
        default=None,
        metadata=an_integer(
            "1 worst to 5 best; a word or number of another scale is kept as it was given",
            frozenset({kinds.RATED}),
            4,
            lowest=1,
            highest=5,
        ),
    )
    amount_minor: int | None = field(
        default=None,
        metadata=an_integer(
            "price of the product or value of the order, or of what is cancelled or comes back, in minor units of the "
            "currency",
            _OF_CONTACTS | _ORDERS,
            129_900,
            lowest=0,
            highest=10**12,
        ),
    )
    duration_ms: int | None = field(
        default=None,
        metadata=an_integer(
            "how long the page was looked at; without it until the customer's next event, where that comes within half "
            "an hour",
            frozenset({"page_viewed"}),
            42_000,
            lowest=0,
            highest=30 * DAY,
        ),
    )
    sequence: int | None = field(
        default=None,
        metadata=an_integer(
            "the source's own order of a contact's events at one instant", _OF_CONTACTS, 17, lowest=0, highest=2**53 - 1
        ),
    )
    quantity: int | None = field(
        default=None,
        metadata=an_integer(
            "how many pieces of the product; of `stock_counted`, how many the shop has",
            _ORDERS | kinds.STOCK | {"cart_added"},
            2,
            lowest=0,
            highest=10**9,
        ),
    )
    results: int | None = field(
        default=None,
        metadata=an_integer("how many results the search had", frozenset({"searched"}), 0, lowest=0, highest=10**9),
    )
    promised_at: int | None = field(
        default=None,
        metadata=an_instant(
            "by when the shop promises to deliver", frozenset({"order_placed"}), "2026-11-23T18:00:00.000Z"
        ),
    )
    delivered_at: int | None = field(
        default=None,
        metadata=an_instant(
            "when the goods arrived, as an export says it with the order; it counts from that instant on",
            frozenset({"order_placed"}),
            "2026-11-22T09:30:00.000Z",
        ),
    )
    opt_out: int | None = field(
        default=None,
        metadata=a_flag("whether the customer wants no offers, from this event on", _OF_CUSTOMERS),
    )
    stated_at: int | None = field(
        default=None,
        metadata=derived(
            an_instant(
                "when its source says that it happened, where that is after its arrival", _EVERY, "2026-11-20T08:06:00Z"
            )
        ),
    )
    rating_given: str | None = field(
        default=None,
        metadata=derived(an_id("a rating of another scale, as it was given", frozenset({kinds.RATED}), "Good")),
    )
    courtesy: int | None = field(
        default=None,
        metadata=derived(
            an_integer("1 for a message that only thanks", frozenset({"customer_message"}), 1, lowest=1, highest=1)
        ),
    )

    search_term: int | None = field(
        default=None,
        metadata=derived(
            an_integer(
                "the group of what was searched for, by its hash: which it is, nobody can read off",
                frozenset({"searched"}),
                7,
                lowest=0,
                highest=SEARCH_TERM_GROUPS - 1,
            )
        ),
    )

    text_digest: str | None = None
    """What tells words from others where the words are not kept: state holds it in their place."""
    policies_known: int = 0
    """The number of policies of the shop that its log held before the event, as state keeps it."""


DECLARED = {field.name: declaration_in(field.metadata) for field in fields(InteractionEvent) if field.metadata}
FIELDS = tuple(DECLARED)
OPTIONAL_FIELDS = FIELDS[FIELDS.index("precision") + 1 :]
DERIVED_FIELDS = tuple(name for name, declared in DECLARED.items() if declared.derived)
#: What somebody wrote; state holds a digest in its place.
WORDS = ("text", "query")
#: What our own reading of an event's words says of it (annotations.py).
ANNOTATIONS = ("courtesy", "search_term")
#: What a source may say of an event.
INPUT_FIELDS = tuple(name for name in FIELDS if name not in DERIVED_FIELDS)


def fields_of(form: str) -> tuple[str, ...]:
    """The fields of a form, in order.

    >>> fields_of("integer")
    ('rating', 'amount_minor', 'duration_ms', 'sequence', 'quantity', 'results', 'courtesy', 'search_term')
    """
    return tuple(name for name, declared in DECLARED.items() if declared.form == form)


def fields_describing(subject: str) -> tuple[str, ...]:
    """The fields that describe an event's contact or its agent, in order.

    >>> fields_describing("agent")
    ('supervisor_id', 'manager_id', 'agent_tenure', 'agent_shift')
    """
    return tuple(name for name, declared in DECLARED.items() if declared.describes == subject)


def log_order(event: InteractionEvent) -> tuple[int, int, int, str]:
    """The key by which events of one shop are put on a log in order of time.

    Of one millisecond, questions come before what may answer them, and ratings after everything else, so that a rating
    known to the day only never comes before the events that led to it; then the source's own sequence decides.
    """
    sequence = -1 if event.sequence is None else event.sequence
    return (event.occurred_at, kinds.rank(event.kind), sequence, event.event_id)
