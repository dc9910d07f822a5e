"""The contributions of a conversation to histories: integers, each at an instant. Events in order of time."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.entities import Attributes, contact_attributes, entity_key, visit_attributes
from tests.oracle.outcome import owner, rating, resolution, transfers
from tests.oracle.spans import MINUTE
from tests.oracle.waiting import Events, Reply, of_kind, opening, replies

ON_TIME_WITHIN = 3 * MINUTE
SLOW_BEYOND = 15 * MINUTE
DISSATISFIED_AT_MOST = 3  # of 5

#: Rate → the facts that are its hits, and those that are its trials.
RATES = {
    "dissatisfied": ("dissatisfied_ratings", "ratings"),
    "on_time": ("on_time_replies", "timed_replies"),
    "slow": ("slow_replies", "timed_replies"),
    "resolved": ("resolutions", "contacts"),
    "reopened": ("reopenings", "contacts"),
    "returned": ("returns", "orders"),
    "complaint": ("complaints", "contacts"),
}
#: Kind of a behaviour event → the fact that counts it.
BEHAVIOUR = {
    "page_viewed": "page_views",
    "searched": "searches",
    "cart_added": "cart_additions",
    "order_placed": "orders",
    "order_cancelled": "cancellations",
    "order_returned": "returns",
}
#: The names of all facts.
FACTS = (
    "contacts", "replies", "timed_replies", "reply_ms", "on_time_replies", "slow_replies", "ratings", "rating_points",
    "dissatisfied_ratings", "resolutions", "reopenings", "transfers", "complaints", *BEHAVIOUR.values(), "browse_ms",
    "order_amount_minor",
)  # fmt: skip


class Fact(NamedTuple):
    """So much of a fact for the entity under `key`, at an instant."""

    key: str
    at: int
    name: str
    value: int


class Contribution(NamedTuple):
    """So much of a fact at an instant, for every entity that the attributes name."""

    attributes: Attributes
    at: int
    name: str
    value: int


#: Entity → the facts that its histories keep.
Kept = Mapping[str, Iterable[str]]


def total_facts(events: Events, kept: Kept) -> Counter[tuple[str, int, str]]:
    """The sum of each fact by entity key, instant and name; zeros are left out."""
    totals: Counter[tuple[str, int, str]] = Counter()
    for attributes, at, name, value in contributions(events):
        for entity, names in kept.items():
            key = entity_key(entity, attributes) if name in names else None
            if key is not None and value:
                totals[key, at, name] += value
    return totals


def contributions(events: Events) -> Iterator[Contribution]:
    """Everything that the conversation says: its outcome for its owner, each reply for its agent, each visit event."""
    for_owner = contact_attributes(events, owner(events))
    for at, name, value in _outcome(events):
        yield Contribution(for_owner, at, name, value)
    for reply in replies(events):
        for_agent = contact_attributes(events, reply.answer.agent_id)
        for name, value in _of_reply(reply):
            yield Contribution(for_agent, reply.answer.occurred_at, name, value)
    for event in of_kind(events, *BEHAVIOUR):
        for name, value in _of_visit(event):
            yield Contribution(visit_attributes(event), event.occurred_at, name, value)


def _outcome(events: Events) -> Iterator[tuple[int, str, int]]:
    opened, rated, resolved = opening(events), rating(events), resolution(events)
    if opened is not None:
        yield opened.occurred_at, "contacts", 1
    if resolved is not None:
        yield resolved.occurred_at, "resolutions", 1
    if rated is not None and rated.rating is not None:
        yield rated.occurred_at, "ratings", 1
        yield rated.occurred_at, "rating_points", rated.rating
        yield rated.occurred_at, "dissatisfied_ratings", int(rated.rating <= DISSATISFIED_AT_MOST)
    for event in transfers(events):
        yield event.occurred_at, "transfers", 1
    for event in of_kind(events, "reopened"):
        yield event.occurred_at, "reopenings", 1
    for event in of_kind(events, "complaint_filed"):
        yield event.occurred_at, "complaints", 1


def _of_reply(reply: Reply) -> Iterator[tuple[str, int]]:
    yield "replies", 1
    waited = reply.waited_ms
    if waited is not None:
        yield "timed_replies", 1
        yield "reply_ms", waited
        yield "on_time_replies", int(waited <= ON_TIME_WITHIN)
        yield "slow_replies", int(waited > SLOW_BEYOND)


def _of_visit(event: InteractionEvent) -> Iterator[tuple[str, int]]:
    yield BEHAVIOUR[event.kind], 1
    if event.kind == "page_viewed":
        yield "browse_ms", event.duration_ms or 0
    if event.kind == "order_placed":
        yield "order_amount_minor", event.amount_minor or 0
