"""How long a customer waited, and how much of it was each agent's."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.oracle.entities import contact_attributes
from tests.oracle.open_days import is_unsettled, open_ms
from tests.oracle.rounds import round_at, rounds
from tests.oracle.story import Calendar, Story, is_courtesy, is_exact
from tests.oracle.waiting import Turn
from tests.oracle.wall import date_of, days_between, first_instant_of


def belongs_to(story: Story) -> str | None:
    """The agent to whom the conversation belongs after its last event; an assignment to nobody takes it from all."""
    given = [story.event(place) for place in story.places("assigned", "conversation_opened")]
    named = [event.agent_id for event in given if event.kind == "assigned" or event.agent_id is not None]
    return named[-1] if named else None


def waited_ms(story: Story, turn: Turn) -> int | None:
    """The wait of a turn that has a reply, pauses left out; missing where either end is known to the day only."""
    assert turn.answer is not None
    assert turn.ended_at is not None
    start = story.event(turn.start)
    if not is_exact(start) or not is_exact(story.event(turn.answer)):
        return None
    return unpaused_ms(story, start.occurred_at, turn.ended_at)


def waited_days(story: Story, turn: Turn) -> int:
    """The number of midnights between a question and its reply, in the zone of the turn's policy."""
    assert turn.answer is not None
    return days_between(story.event(turn.start), story.event(turn.answer), story.policy_at(turn.start).zone)


def waited_at_least_ms(story: Story, turn: Turn) -> int | None:
    """The exact wait, or that until the day of the reply began; missing where the stamps allow no lower bound."""
    assert turn.ended_at is not None
    start, exact = story.event(turn.start), waited_ms(story, turn)
    if exact is not None:
        return exact
    if not is_exact(start) or waited_days(story, turn) == 0:
        return None
    assert turn.answer is not None
    zone = story.policy_at(turn.start).zone
    return unpaused_ms(story, start.occurred_at, first_instant_of(date_of(story.event(turn.answer), zone), zone))


def unpaused_ms(story: Story, start: int, end: int) -> int:
    """The milliseconds between two instants that no pause covers."""
    return sum(until - since for since, until in _unpaused(story, start, end))


def _unpaused(story: Story, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of the time between two instants that no pause covers."""
    pauses = _pauses(story)
    cuts = sorted({start, end, *(cut for pause in pauses for cut in pause if start < cut < end)})
    return ((since, until) for since, until in pairwise(cuts) if not any(a <= since and until <= b for a, b in pauses))


def calendar_of(story: Story, turn: Turn) -> Calendar | None:
    """The calendar whose open time alone counts for the reply of a turn; None where all time counts."""
    assert turn.end is not None
    policy = story.policy_at(turn.start)
    channel = contact_attributes(story.until(turn.end), None)["channel"]
    if turn.end == turn.start or policy.judged_channel not in (None, channel):
        return None
    return policy.judged_by


def is_provisional(story: Story, turn: Turn) -> bool:
    """Whether the reply of a turn is judged by a calendar that is not settled for all its days."""
    calendar = calendar_of(story, turn)
    assert turn.ended_at is not None
    return calendar is not None and is_unsettled(calendar, story.event(turn.start).occurred_at, turn.ended_at)


def judged_ms(story: Story, turn: Turn) -> int:
    """The part of a known wait that its target judges."""
    assert turn.ended_at is not None
    return _measure(story, turn)(story.event(turn.start).occurred_at, turn.ended_at)


def _measure(story: Story, turn: Turn) -> Callable[[int, int], int]:
    """The judged milliseconds between two instants."""
    calendar = calendar_of(story, turn)
    if calendar is None:
        return lambda start, end: unpaused_ms(story, start, end)
    return lambda start, end: sum(open_ms(calendar, *part) for part in _unpaused(story, start, end))


def _pauses(story: Story) -> list[tuple[int, int]]:
    """From each status that pauses to the next other one, or to the next question of the customer."""
    return [
        (one.event.occurred_at, _pause_ends(story, place))
        for place, one in enumerate(story.events)
        if one.event.status is not None and _is_paused_by(story, place)
    ]


def _is_paused_by(story: Story, place: int) -> bool:
    """Whether the status of the event at this place pauses, by the policy of its round."""
    policy = story.policy_at(rounds(story)[round_at(story, place)].opens)
    return story.event(place).status in policy.pauses_when


def _pause_ends(story: Story, place: int) -> int:
    """The instant at which a pause ends; one that never does ends beyond all instants."""
    paused_by = story.event(place).status
    for later, one in enumerate(story.events[place + 1 :], place + 1):
        if one.event.kind == "customer_message" and not is_courtesy(one.event):
            return one.event.occurred_at
        is_other = one.event.status != paused_by or not _is_paused_by(story, later)
        if one.event.status is not None and is_other:
            return one.event.occurred_at
    return 2**63


def shares(story: Story, turn: Turn) -> dict[str | None, int]:
    """Each agent's part of a known wait: of those to whom the conversation belonged meanwhile, and who replied."""
    assert turn.answer is not None
    replying = story.event(turn.answer).agent_id
    found = _split(story, turn, lambda start, end: unpaused_ms(story, start, end))
    return {agent_id: share for agent_id, share in found.items() if share or agent_id == replying}


def judged_shares(story: Story, turn: Turn) -> dict[str | None, int]:
    """The part of each agent's time that the target judges."""
    return _split(story, turn, _measure(story, turn))


def _split(story: Story, turn: Turn, measured: Callable[[int, int], int]) -> dict[str | None, int]:
    assert turn.answer is not None
    assert turn.end is not None
    assert turn.ended_at is not None
    replying = story.event(turn.answer).agent_id
    theirs = [belongs_to(story.until(place)) for place in range(turn.start, turn.end)]
    if not any(theirs):
        return {replying: measured(story.event(turn.start).occurred_at, turn.ended_at)}
    found: dict[str | None, int] = {replying: 0}
    for place, agent_id in enumerate(theirs, turn.start):
        since, until = story.event(place).occurred_at, story.event(place + 1).occurred_at
        if agent_id is not None:
            found[agent_id] = found.get(agent_id, 0) + measured(since, until)
    return found
