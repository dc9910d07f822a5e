"""Facts: the integers that a conversation contributes to the histories of entities, each at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.rounds import Reply, Round
from service_quality.events.kinds import BEHAVIOUR
from service_quality.facts.declared_facts import LONGEST_VIEW, OF_BEHAVIOUR, OF_CONTACTS, REPLY_HISTOGRAM
from service_quality.facts.entities import ENTITIES, Entity, keys_of
from service_quality.facts.visit_facts import FactsUnder, visit_facts
from service_quality.instants import MINUTE
from service_quality.policies.policy import DEFAULT_POLICY

CONTACT_FACTS = tuple(fact.name for fact in OF_CONTACTS)
BEHAVIOUR_FACTS = tuple(fact.name for fact in OF_BEHAVIOUR)
FACTS = CONTACT_FACTS + BEHAVIOUR_FACTS

#: The default of a policy that judges a fact where a shop declares none, and its value when columns got their names.
_DEFAULT_LIMITS = {
    "on_time_replies": ("on_time_within_ms", 3 * MINUTE),
    "half_spent_replies": ("on_time_within_ms", 3 * MINUTE),
    "late_replies": ("on_time_within_ms", 3 * MINUTE),
    "slow_replies": ("slow_beyond_ms", 15 * MINUTE),
    "dissatisfied_ratings": ("dissatisfied_at_most", 3),
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


def fact_limit(fact: str) -> int | None:
    """The limit that a fact depends on: with another limit it is another fact. None where it depends on none.

    It is a bound of the histogram, the longest view of a page, or the default of a policy. A default with its first
    value says nothing, so that the columns that were named without it keep their names.

    >>> fact_limit("reply_ms_to_1m"), fact_limit("slow_replies"), fact_limit("replies")
    (60000, None, None)
    """
    if fact not in _DEFAULT_LIMITS:
        return LONGEST_VIEW if fact == "browse_ms" else REPLY_HISTOGRAM.get(fact)
    name, first = _DEFAULT_LIMITS[fact]
    limit: int = getattr(DEFAULT_POLICY, name)
    return limit if limit != first else None


def total_facts(conversation: Conversation, state: ConversationState, kept: KeptFacts) -> FactTotals:
    """All facts of a conversation that some entity's history holds; `state` is the conversation's own."""
    totals: FactTotals = {}
    for attributes, facts in _all_facts(conversation, state):
        keys: dict[str, str | None] = {}
        named: Mapping[str, str] | None = None
        for at, name, value in facts:
            for entity in kept.get(name, ()) if value else ():
                if entity.name in keys:
                    key = keys[entity.name]
                elif entity.name in ENTITIES:
                    named = keys_of(attributes) if named is None else named
                    key = keys[entity.name] = named.get(entity.name)
                else:  # of the caller's own
                    key = keys[entity.name] = entity.key(attributes)
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
    return {**state.contact, "currency": state.currency, "agent_id": agent_id, **profile}


def _all_facts(conversation: Conversation, state: ConversationState) -> Iterator[FactsUnder]:
    by_agent: dict[str | None, list[tuple[int, str, int]]] = {}
    before: Round | None = None
    for one in state.rounds:
        for agent_id, at, name, value in _round_facts(one, before):
            by_agent.setdefault(agent_id, []).append((at, name, value))
        before = one
    by_agent.setdefault(None, []).extend((at, "complaints", 1) for at in state.complaints)
    for agent_id, facts in by_agent.items():
        if facts:
            yield contact_attributes(state, agent_id), facts
    visit = [event for event in conversation.events if event.kind in BEHAVIOUR]
    if visit:
        yield from visit_facts(visit, state.currencies)


#: The agent whom a fact concerns, its instant, name and value.
_AgentFact = tuple[str | None, int, str, int]


def _round_facts(one: Round, before: Round | None) -> Iterator[_AgentFact]:
    if one.is_summary:
        yield from _rating_facts(one)
        return
    owner = one.owner
    yield owner, one.opened_at, "contacts", 1
    if before is not None and one.is_reopening:
        yield before.owner, one.opened_at, "reopenings", 1
    for number, reply in enumerate(one.replies):
        if not number:
            yield reply.agent_id, reply.at, "first_replies", 1
        yield from _reply_facts(reply)
    yield from _end_facts(one, owner)
    yield from _rating_facts(one)
    for at in one.transfers:
        yield owner, at, "transfers", 1
    for at in one.complaints:
        yield owner, at, "complaints", 1


def _rating_facts(one: Round) -> Iterator[_AgentFact]:
    if one.ratings:
        rating = one.ratings[-1]
        yield rating.agent_id, rating.at, "ratings", 1
        yield rating.agent_id, rating.at, "rating_points", rating.rating
        yield rating.agent_id, rating.at, "dissatisfied_ratings", int(rating.is_dissatisfied)


def _end_facts(one: Round, owner: str | None) -> Iterator[_AgentFact]:
    for turn in one.unanswered:
        yield turn.agent_id, turn.at, "unanswered", 1
        yield turn.agent_id, turn.at, "abandoned", int(turn.abandoned)
    if one.is_resolved and one.ended_at is not None:
        yield owner, one.ended_at, "resolutions", 1
        if one.resolution_ms is not None:
            yield owner, one.ended_at, "timed_resolutions", 1
            yield owner, one.ended_at, "resolution_ms", one.resolution_ms


def _reply_facts(reply: Reply) -> Iterator[_AgentFact]:
    """The facts of a reply: entities of agents sum the agents' shares of the wait, all others the whole wait.

    What the shares give too much or too little for the others is put right under no agent.
    """
    yield reply.agent_id, reply.at, "replies", 1
    if reply.waited_ms is None:
        return
    shares = [(share.agent_id, _wait_facts(reply, share.waited_ms, share.judged_ms)) for share in reply.shares]
    for agent_id, facts in shares:
        for name, value in facts.items():
            yield agent_id, reply.at, name, value
    if len(shares) != 1 or reply.shares[0].waited_ms != reply.waited_ms:
        left = Counter(_wait_facts(reply, reply.waited_ms, reply.judged_ms or 0))
        for _, facts in shares:
            left.subtract(facts)
        for name, value in left.items():
            yield None, reply.at, name, value


def _wait_facts(reply: Reply, waited_ms: int, judged_ms: int) -> dict[str, int]:
    facts = {
        "timed_replies": 1,
        "reply_ms": waited_ms,
        "on_time_replies": int(judged_ms <= reply.on_time_within_ms),
        "slow_replies": int(judged_ms > reply.slow_beyond_ms),
        "half_spent_replies": int(2 * judged_ms >= reply.on_time_within_ms),
        "late_replies": int(judged_ms > reply.on_time_within_ms),
        _bucket(waited_ms): 1,
    }
    if reply.provisional:
        facts["provisional_replies"] = 1
    return facts


def _bucket(waited_ms: int) -> str:
    """The fact that counts a wait.

    >>> _bucket(30_000), _bucket(30_001), _bucket(86_400_001)
    ('reply_ms_to_30s', 'reply_ms_to_1m', 'reply_ms_over_1d')
    """
    return next(name for name, bound in REPLY_HISTOGRAM.items() if bound is None or waited_ms <= bound)
