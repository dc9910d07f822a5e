"""Facts: the integers that a conversation contributes to the histories of entities, each at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import zip_longest
from typing import NamedTuple, TypeVar

from service_quality.conversations.conversation import Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.rounds import Rating, Reply, Round, Unanswered
from service_quality.events.kinds import BEHAVIOUR
from service_quality.facts.declared_facts import LONGEST_VIEW, OF_BEHAVIOUR, OF_CONTACTS, REPLY_HISTOGRAM
from service_quality.facts.entities import ENTITIES, Entity, keys_of
from service_quality.facts.visit_facts import Visited, look_at, visited_facts
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


class FactSources(NamedTuple):
    """What tells the facts of a conversation: its state, and each event of a visit with what the others say of it."""

    state: ConversationState
    visit: list[Visited]


def sources_of(conversation: Conversation, state: ConversationState) -> FactSources:
    """What tells the facts of a conversation; `state` is the conversation's own."""
    visit = [event for event in conversation.events if event.kind in BEHAVIOUR]
    return FactSources(state, look_at(visit, state.currencies) if visit else [])


def total_facts(conversation: Conversation, state: ConversationState, kept: KeptFacts) -> FactTotals:
    """All facts of a conversation that some entity's history holds; `state` is the conversation's own."""
    return _sum_changes(_NOTHING, sources_of(conversation, state), kept)


def changed_facts(before: FactSources, after: FactSources, kept: KeptFacts) -> list[Fact]:
    """The facts that an event changed, in a fixed order, without zeros: `facts_between` of the totals of both.

    What tells the same as before is not counted, so an event of a long conversation takes no longer.
    """
    return _listed(_sum_changes(before, after, kept).items())


def facts_between(before: FactTotals, after: FactTotals) -> list[Fact]:
    """The facts that an event changed: the difference of two foldings, in a fixed order, without zeros."""
    changed = [(key, value - before.get(key, 0)) for key, value in after.items()]
    return _listed([*changed, *((key, -value) for key, value in before.items() if key not in after)])


def _listed(changed: Iterable[tuple[tuple[str, int, str], int]]) -> list[Fact]:
    return sorted(Fact(*key, value) for key, value in changed if value)


def contact_attributes(state: ConversationState, agent_id: str | None) -> dict[str, str | None]:
    """The attributes that name a contact's entities, seen from one of its agents."""
    profile = state.agents.get(agent_id, {}) if agent_id is not None else {}
    return {**state.contact, "currency": state.currency, "agent_id": agent_id, **profile}


_NOTHING = FactSources(ConversationState(), [])

#: The agent whom a fact concerns, its instant, name and value.
_AgentFact = tuple[str | None, int, str, int]
AgentInstant = tuple[str | None, int]
Item = TypeVar("Item")


def _sum_changes(before: FactSources, after: FactSources, kept: KeptFacts) -> FactTotals:
    """The facts of `after` less those of `before`; a sum may be 0."""
    sums: FactTotals = {}
    if before.state is not after.state:
        changes = _Changes(before.state, after.state)
        for sign, state, facts in ((-1, before.state, changes.gone), (1, after.state, changes.come)):
            for agent_id, own in _by_agent(facts).items():
                _count(sums, contact_attributes(state, agent_id), own, kept, sign=sign)
    for old, new in zip_longest(before.visit, after.visit):
        if old != new:
            for sign, one in ((-1, old), (1, new)):
                for attributes, own in visited_facts(one) if one is not None else ():
                    _count(sums, attributes, own, kept, sign=sign)
    return sums


class _Items(NamedTuple):
    """What tells the facts of a round: each item by itself tells its own, of an agent and at an instant."""

    opened: Sequence[AgentInstant] = ()
    reopened: Sequence[AgentInstant] = ()
    replies: Sequence[Reply] = ()
    unanswered: Sequence[Unanswered] = ()
    resolved: Sequence[tuple[str | None, int, int | None]] = ()
    transfers: Sequence[AgentInstant] = ()
    complaints: Sequence[AgentInstant] = ()
    ratings: Sequence[Rating] = ()


def _items(one: Round | None, before: Round | None) -> _Items:
    """What tells the facts of a round, which follows on another one."""
    if one is None or one.is_summary:
        return _Items(ratings=() if one is None else one.ratings[-1:])
    owner = one.owner
    ended_at = one.ended_at if one.is_resolved else None
    return _Items(
        [(owner, one.opened_at)],
        [(before.owner, one.opened_at)] if before is not None and one.is_reopening else (),
        one.replies,
        one.unanswered,
        () if ended_at is None else [(owner, ended_at, one.resolution_ms)],
        [(owner, at) for at in one.transfers],
        [(owner, at) for at in one.complaints],
        one.ratings[-1:],
    )


class _Changes:
    """The facts that only the state before tells, and those that only the one after it does."""

    def __init__(self, before: ConversationState, after: ConversationState) -> None:
        self.gone: list[_AgentFact] = []
        self.come: list[_AgentFact] = []
        #: Where other entities are named by then, all facts are others.
        self.renamed = not (
            (before.contact is after.contact or before.contact == after.contact)
            and (before.agents is after.agents or before.agents == after.agents)
            and before.currency == after.currency
        )
        last = following = None
        for old, new in zip_longest(before.rounds, after.rounds):
            if self.renamed or old is not new or last is not following:
                self._compare_rounds(_items(old, last), _items(new, following))
            last, following = old, new
        outside: list[list[AgentInstant]] = [[(None, at) for at in one.complaints] for one in (before, after)]
        self._compare(outside[0], outside[1], _once("complaints"))

    def _compare_rounds(self, old: _Items, new: _Items) -> None:
        self._compare(old.opened, new.opened, _once("contacts"))
        self._compare(old.reopened, new.reopened, _once("reopenings"))
        self._compare(old.replies[:1], new.replies[:1], _first_reply_facts)
        self._compare(old.replies, new.replies, _reply_facts)
        self._compare(old.unanswered, new.unanswered, _unanswered_facts)
        self._compare(old.resolved, new.resolved, _resolution_facts)
        self._compare(old.transfers, new.transfers, _once("transfers"))
        self._compare(old.complaints, new.complaints, _once("complaints"))
        self._compare(old.ratings, new.ratings, _rating_facts)

    def _compare(
        self, old: Sequence[Item], new: Sequence[Item], facts_of: Callable[[Item], Iterable[_AgentFact]]
    ) -> None:
        if old == new and not self.renamed:
            return
        same = 0
        if not self.renamed:
            pairs = enumerate(zip(old, new, strict=False))
            same = next((place for place, (one, other) in pairs if one != other), min(len(old), len(new)))
        for one in old[same:]:
            self.gone += facts_of(one)
        for one in new[same:]:
            self.come += facts_of(one)


@cache
def _once(name: str) -> Callable[[AgentInstant], Iterable[_AgentFact]]:
    return lambda item: ((*item, name, 1),)


def _first_reply_facts(reply: Reply) -> Iterable[_AgentFact]:
    return ((reply.agent_id, reply.at, "first_replies", 1),)


def _rating_facts(rating: Rating) -> Iterator[_AgentFact]:
    yield rating.agent_id, rating.at, "ratings", 1
    yield rating.agent_id, rating.at, "rating_points", rating.rating
    yield rating.agent_id, rating.at, "dissatisfied_ratings", int(rating.is_dissatisfied)


def _unanswered_facts(turn: Unanswered) -> Iterator[_AgentFact]:
    yield turn.agent_id, turn.at, "unanswered", 1
    yield turn.agent_id, turn.at, "abandoned", int(turn.abandoned)


def _resolution_facts(resolution: tuple[str | None, int, int | None]) -> Iterator[_AgentFact]:
    owner, ended_at, resolution_ms = resolution
    yield owner, ended_at, "resolutions", 1
    if resolution_ms is not None:
        yield owner, ended_at, "timed_resolutions", 1
        yield owner, ended_at, "resolution_ms", resolution_ms


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


def _by_agent(facts: Iterable[_AgentFact]) -> dict[str | None, list[tuple[int, str, int]]]:
    by_agent: dict[str | None, list[tuple[int, str, int]]] = {}
    for agent_id, at, name, value in facts:
        by_agent.setdefault(agent_id, []).append((at, name, value))
    return by_agent


def _count(
    sums: FactTotals,
    attributes: Mapping[str, str | None],
    facts: Iterable[tuple[int, str, int]],
    kept: KeptFacts,
    *,
    sign: int,
) -> None:
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
                sums[key, at, name] = sums.get((key, at, name), 0) + sign * value
