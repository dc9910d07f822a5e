"""Facts: the integers that a conversation contributes to the histories of entities, each at a time."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation
from service_quality.conversations.turns import ConversationState, Reply
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.entities import Entity
from service_quality.instants import MINUTE

#: A rating of at most this, of 5, is dissatisfied.
DISSATISFIED_AT_MOST = 3
#: A reply within this time is on time.
ON_TIME_WITHIN = 3 * MINUTE
#: A reply after more than this time is slow.
SLOW_BEYOND = 15 * MINUTE

#: Facts about the contact and its agent, and facts about a customer's behaviour in the shop.
CONTACT_FACTS = (
    "contacts", "replies", "timed_replies", "reply_ms", "on_time_replies", "slow_replies",
    "ratings", "dissatisfied_ratings",
    "rating_points", "resolutions", "reopenings", "transfers", "complaints",
)  # fmt: skip
BEHAVIOUR_FACTS = (
    "page_views", "browse_ms", "searches", "cart_additions", "orders", "order_amount_minor", "cancellations",
    "returns",
)  # fmt: skip
FACTS = CONTACT_FACTS + BEHAVIOUR_FACTS

#: The limit that a fact depends on: with another limit it is another fact.
FACT_LIMITS = {
    "on_time_replies": ON_TIME_WITHIN,
    "slow_replies": SLOW_BEYOND,
    "dissatisfied_ratings": DISSATISFIED_AT_MOST,
}

_BEHAVIOUR = {
    "page_viewed": "page_views",
    "searched": "searches",
    "cart_added": "cart_additions",
    "order_placed": "orders",
    "order_cancelled": "cancellations",
    "order_returned": "returns",
}


class Fact(NamedTuple):
    """`value` of a fact's kind `name` for the entity stored under `key`, at an instant in epoch milliseconds."""

    key: str
    at: int
    name: str
    value: int


#: The entities whose histories hold a fact, by the fact's name.
KeptFacts = Mapping[str, tuple[Entity, ...]]

#: Fact sums by (entity key, instant, fact name), by which two foldings of a conversation are compared.
FactTotals = dict[tuple[str, int, str], int]


def total_facts(conversation: Conversation, state: ConversationState, kept: KeptFacts) -> FactTotals:
    """All facts of a conversation that some entity's history holds; `state` is the conversation's own."""
    totals: FactTotals = {}
    for attributes, facts in _all_facts(conversation, state):
        keys: dict[str, str | None] = {}
        for at, name, value in facts:
            for entity in kept.get(name, ()) if value else ():
                if entity.name not in keys:
                    keys[entity.name] = entity.key(attributes)
                key = keys[entity.name]
                if key is not None:
                    totals[key, at, name] = totals.get((key, at, name), 0) + value
    return totals


def facts_between(before: FactTotals, after: FactTotals) -> list[Fact]:
    """The facts that an event changed: the difference of two foldings, in a fixed order, without zeros."""
    changed = [Fact(*key, value - before.get(key, 0)) for key, value in after.items() if value != before.get(key, 0)]
    changed += [Fact(*key, -value) for key, value in before.items() if value and key not in after]
    return sorted(changed, key=lambda fact: (fact.key, fact.at, fact.name))


def contact_attributes(state: ConversationState, agent_id: str | None) -> dict[str, str | None]:
    """The attributes that name a contact's entities, seen from one of its agents."""
    profile = state.agents.get(agent_id, {}) if agent_id is not None else {}
    return {**state.contact, "agent_id": agent_id, **profile}


#: Attributes, and the facts under them: instant, name, value.
_FactsUnder = tuple[dict[str, str | None], list[tuple[int, str, int]]]


def _all_facts(conversation: Conversation, state: ConversationState) -> Iterator[_FactsUnder]:
    by_agent = {state.owner: list(_outcome_facts(state))}
    for reply in state.replies:
        by_agent.setdefault(reply.agent_id, []).extend(_reply_facts(reply))
    for agent_id, facts in by_agent.items():
        yield contact_attributes(state, agent_id), facts
    for event in conversation.events:
        if event.kind in _BEHAVIOUR:
            facts = [(event.occurred_at, name, value) for name, value in _behaviour_facts(event)]
            yield _behaviour_attributes(event), facts


def _reply_facts(reply: Reply) -> Iterator[tuple[int, str, int]]:
    yield reply.at, "replies", 1
    if reply.waited_ms is not None:
        yield reply.at, "timed_replies", 1
        yield reply.at, "reply_ms", reply.waited_ms
        yield reply.at, "on_time_replies", int(reply.waited_ms <= ON_TIME_WITHIN)
        yield reply.at, "slow_replies", int(reply.waited_ms > SLOW_BEYOND)


def _outcome_facts(state: ConversationState) -> Iterator[tuple[int, str, int]]:
    if state.opened_at is not None:
        yield state.opened_at, "contacts", 1
    if state.rated_at is not None and state.rating is not None:
        yield state.rated_at, "ratings", 1
        yield state.rated_at, "rating_points", state.rating
        yield state.rated_at, "dissatisfied_ratings", int(state.rating <= DISSATISFIED_AT_MOST)
    if state.resolved_at is not None:
        yield state.resolved_at, "resolutions", 1
    for name, instants in (
        ("reopenings", state.reopened),
        ("transfers", state.transfers),
        ("complaints", state.complaints),
    ):
        for at in instants:
            yield at, name, 1


def _behaviour_facts(event: InteractionEvent) -> Iterator[tuple[str, int]]:
    yield _BEHAVIOUR[event.kind], 1
    if event.kind == "page_viewed" and event.duration_ms is not None:
        yield "browse_ms", event.duration_ms
    if event.kind == "order_placed" and event.amount_minor is not None:
        yield "order_amount_minor", event.amount_minor


def _behaviour_attributes(event: InteractionEvent) -> dict[str, str | None]:
    return {
        "customer_id": event.customer_id,
        "sku": event.sku,
        "category": event.category,
        "subcategory": event.subcategory,
        "channel": event.channel,
    }
