"""The contributions of a conversation to histories: integers, each at an instant."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from zlib import crc32

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.entities import OF_AGENTS, Attributes, contact_attributes, entity_key, visit_attributes
from tests.oracle.fact_names import AMOUNTS, BEHAVIOUR, SEARCH_GROUPS, SKU_GROUPS, of_wait
from tests.oracle.outcome import is_visit, owner, rating_of_round, transfers
from tests.oracle.rounds import places_in_round, replies, rounds, turns
from tests.oracle.shares import (
    belongs_to,
    is_provisional,
    judged_ms,
    judged_shares,
    on_time_within,
    shares,
    unpaused_ms,
    waited_ms,
)
from tests.oracle.spans import MINUTE
from tests.oracle.story import Story, is_exact
from tests.oracle.waiting import Turn


class Fact(NamedTuple):
    """So much of a fact for the entity under `key`, at an instant."""

    key: str
    at: int
    name: str
    value: int


class Said(NamedTuple):
    """So much of a fact at an instant, of one agent; times of waits are of the agents or of all other entities."""

    agent_id: str | None
    at: int
    name: str
    value: int
    counts_for: str = "all"  # or "agents" or "others"


#: Entity → the facts that its histories keep.
Kept = Mapping[str, Iterable[str]]


def total_facts(story: Story, kept: Kept) -> Counter[tuple[str, int, str]]:
    """The sum of each fact by entity key, instant and name; zeros are left out."""
    totals: Counter[tuple[str, int, str]] = Counter()
    for attributes, (_, at, name, value, counts_for) in contributions(story):
        for entity, names in kept.items() if value else ():
            group = "agents" if entity in OF_AGENTS else "others"
            key = entity_key(entity, attributes) if name in names and counts_for in ("all", group) else None
            if key is not None:
                totals[key, at, name] += value
    return totals


def contributions(story: Story) -> Iterator[tuple[Attributes, Said]]:
    """Everything that the conversation says, each with the attributes for which it counts."""
    if is_visit(story):
        yield from _of_visit(story)
        return
    about: dict[str | None, Attributes] = {}
    for number in range(len(rounds(story))):
        for said in (*_of_round(story, number), *_of_rating(story, number), *_of_turns(story, number)):
            if said.agent_id not in about:
                about[said.agent_id] = contact_attributes(story, said.agent_id)
            yield about[said.agent_id], said


def _of_round(story: Story, number: int) -> Iterator[Said]:
    mine, one = owner(story, number), rounds(story)[number]
    opening = story.event(one.opens)
    yield Said(mine, opening.occurred_at, "contacts", 1)
    if number > 0 and (opening.kind == "reopened" or rounds(story)[number - 1].resolution is not None):
        yield Said(owner(story, number - 1), opening.occurred_at, "reopenings", 1)
    if one.resolution is not None and _is_solved(story, number):
        yield from _of_resolution(story, mine, opening, story.event(one.resolution))
    for place in transfers(story, number):
        yield Said(mine, story.event(place).occurred_at, "transfers", 1)
    for place in places_in_round(story, number, "complaint_filed"):
        yield Said(mine, story.event(place).occurred_at, "complaints", 1)


def _is_solved(story: Story, number: int) -> bool:
    """Whether a resolution settled the round, and did not only close it on a customer who never had a reply."""
    unanswered = [turn for turn in turns(story) if turn.round == number and turn.is_unanswered]
    return not unanswered or bool(replies(story, number))


def _of_resolution(
    story: Story, mine: str | None, opening: InteractionEvent, resolution: InteractionEvent
) -> Iterator[Said]:
    at = resolution.occurred_at
    yield Said(mine, at, "resolutions", 1)
    if is_exact(opening) and is_exact(resolution):
        yield Said(mine, at, "timed_resolutions", 1)
        yield Said(mine, at, "resolution_ms", unpaused_ms(story, opening.occurred_at, at))


def _of_rating(story: Story, number: int) -> Iterator[Said]:
    rating = rating_of_round(story, number)
    if rating is not None:
        at = story.event(rating.place).occurred_at
        yield Said(rating.agent_id, at, "ratings", 1)
        yield Said(rating.agent_id, at, "rating_points", rating.points)
        at_most = story.policy_at(rating.place).dissatisfied_at_most
        yield Said(rating.agent_id, at, "dissatisfied_ratings", int(rating.points <= at_most))


def _of_turns(story: Story, number: int) -> Iterator[Said]:
    for turn in [turn for turn in turns(story) if turn.round == number]:
        if turn.is_unanswered:
            yield from _of_unanswered(story, turn)
    for place, turn in enumerate(replies(story, number)):
        assert turn.answer is not None
        assert turn.ended_at is not None
        agent_id = story.event(turn.answer).agent_id
        yield Said(agent_id, turn.ended_at, "replies", 1)
        yield Said(agent_id, turn.ended_at, "first_replies", int(place == 0))
        yield from _of_known_wait(story, turn, agent_id)


def _of_unanswered(story: Story, turn: Turn) -> Iterator[Said]:
    assert turn.end is not None
    assert turn.ended_at is not None
    one = rounds(story)[turn.round]
    last = turn.end - 1 if one.is_silent else turn.end  # the event that shows a silence came after it
    agent_id = belongs_to(story.until(last)) or owner(story.until(last), turn.round)
    yield Said(agent_id, turn.ended_at, "unanswered", 1)
    yield Said(agent_id, turn.ended_at, "abandoned", int(one.is_silent))


def _of_known_wait(story: Story, turn: Turn, agent_id: str | None) -> Iterator[Said]:
    """The customer's wait for all entities but those of agents, and for those each agent's share."""
    wait = waited_ms(story, turn)
    if wait is None:
        return
    yield from _of_part(story, turn, agent_id, "others", (wait, judged_ms(story, turn)))
    judged = judged_shares(story, turn)
    for sharing, share in shares(story, turn).items():
        yield from _of_part(story, turn, sharing, "agents", (share, judged[sharing]))


def _of_part(
    story: Story, turn: Turn, agent_id: str | None, counts_for: str, waited: tuple[int, int]
) -> Iterator[Said]:
    """What a wait or a share of it, and the judged part of that, say of an agent."""
    assert turn.ended_at is not None
    limits = {
        "on_time_within": on_time_within(story, turn),
        "slow_beyond": story.policy_at(turn.start).slow_beyond,
    }
    provisional = int(is_provisional(story, turn))
    for name, value in (*of_wait(*waited, **limits), ("provisional_replies", provisional)):
        yield Said(agent_id, turn.ended_at, name, value, counts_for)


def _of_visit(story: Story) -> Iterator[tuple[Attributes, Said]]:
    """What each event of a visit says of its customer and article, and complaints of the customer."""
    for place in story.places("complaint_filed"):
        yield contact_attributes(story, None), Said(None, story.event(place).occurred_at, "complaints", 1)
    ordered = story.places("order_placed")
    for place in story.places(*BEHAVIOUR):
        event, about = story.event(place), visit_attributes(story, place)
        at = event.occurred_at
        yield about, Said(None, at, BEHAVIOUR[event.kind], 1)
        if event.kind == "page_viewed":
            yield about, Said(None, at, "browse_ms", _looked_at_ms(story, place))
        if event.kind == "searched":
            yield about, Said(None, at, "unfulfilled_searches", int(event.results == 0))
            yield (
                about,
                Said(
                    None,
                    at,
                    "searches_without_order",
                    int(not any(_comes_before(event, story.event(o)) for o in ordered)),
                ),
            )
        if event.kind == "searched" and event.search_term is not None:
            yield about, Said(None, at, SEARCH_GROUPS[event.search_term], 1)
        if event.kind == "cart_added":
            yield about, Said(None, at, "cart_units", event.quantity or 0)
        if event.kind == "order_placed" and event.sku is not None:
            yield about, Said(None, at, SKU_GROUPS[crc32(event.sku.encode("utf-8")) % 16], 1)
        for name, amount in zip(AMOUNTS.get(event.kind, ()), (event.quantity, event.amount_minor), strict=False):
            yield about, Said(None, at, name, amount or 0)
    if ordered:
        first = min((story.event(place) for place in ordered), key=_in_time)
        yield {"customer_id": first.customer_id}, Said(None, first.occurred_at, "order_days", 1)


def _in_time(event: InteractionEvent) -> tuple[int, int, int, str]:
    """The order of a day's events: by instant, then as their source numbers them, then by id."""
    numbered = -1 if event.sequence is None else event.sequence
    return event.occurred_at, 0, numbered, event.event_id


def _comes_before(event: InteractionEvent, other: InteractionEvent) -> bool:
    return _in_time(event) < _in_time(other)


def _looked_at_ms(story: Story, place: int) -> int:
    """As long as the source says, else until the customer did something else; half an hour is the most."""
    event, half_an_hour = story.event(place), 30 * MINUTE
    if event.duration_ms is not None:
        return min(half_an_hour, event.duration_ms)
    later = [other for other in map(story.event, story.places(*BEHAVIOUR)) if _comes_before(event, other)]
    if not later or event.precision == "day":
        return 0
    following = min(later, key=_in_time)
    idle = following.occurred_at - event.occurred_at
    return 0 if idle > half_an_hour or following.precision == "day" else idle
