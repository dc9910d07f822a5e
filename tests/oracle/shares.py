"""How long a customer waited, and how much of it was each agent's."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from tests.oracle.entities import contact_attributes
from tests.oracle.open_time import is_unsettled, open_ms
from tests.oracle.rounds import replies, round_at, rounds
from tests.oracle.story import Story, Target, is_courtesy, is_exact
from tests.oracle.waiting import Turn
from tests.oracle.wall import date_of, days_between, first_instant_of

#: An instant beyond all others.
NEVER = 2**63


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
    day = first_instant_of(date_of(story.event(turn.answer), zone), zone)
    before = story.until(turn.answer - 1)  # what the reply says of the status begins with it, and ended no wait
    return unpaused_ms(before, start.occurred_at, day)


def unpaused_ms(story: Story, start: int, end: int) -> int:
    """The milliseconds between two instants that no pause covers."""
    return sum(until - since for since, until in unpaused_parts(story, start, end))


def unpaused_parts(story: Story, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of the time between two instants that no pause covers, in order."""
    pauses = _pauses(story)
    cuts = sorted({start, end, *(cut for pause in pauses for cut in pause if start < cut < end)})
    return ((since, until) for since, until in pairwise(cuts) if not any(a <= since and until <= b for a, b in pauses))


def is_paused(story: Story) -> bool:
    """Whether the clock pauses after the last event."""
    return any(end == NEVER for _, end in _pauses(story))


def target_of(story: Story, turn: Turn) -> Target:
    """The target of a turn, by the attributes of its contact up to the turn's end, or to now while it is open."""
    policy = story.policy_at(turn.start)
    about = contact_attributes(story if turn.end is None else story.until(turn.end), None)
    for target in policy.targets:
        if all(about[name] in accepted for name, accepted in target.when):
            return target
    return Target(policy.on_time_within, policy.on_time_within)


def limit_of(story: Story, turn: Turn) -> int | None:
    """The time that the target gives: for the first response while the round has no reply, else for the next one."""
    target = target_of(story, turn)
    earlier = [reply for reply in replies(story, turn.round) if reply.start < turn.start]
    return target.next if earlier else target.first


def on_time_within(story: Story, turn: Turn) -> int:
    """The longest wait of a turn that is on time."""
    limit = None if turn.end == turn.start else limit_of(story, turn)
    return story.policy_at(turn.start).on_time_within if limit is None else limit


def _counts_open_time(story: Story, turn: Turn) -> bool:
    return turn.end != turn.start and target_of(story, turn).counts_open_time


def is_provisional(story: Story, turn: Turn) -> bool:
    """Whether the reply of a turn is judged by a calendar that is not settled for all its days."""
    assert turn.ended_at is not None
    if not _counts_open_time(story, turn):
        return False
    return is_unsettled(story.policy_at(turn.start).calendar, story.event(turn.start).occurred_at, turn.ended_at)


def judged_ms(story: Story, turn: Turn) -> int:
    """The part of a known wait that its target judges."""
    assert turn.ended_at is not None
    return measure(story, turn)(story.event(turn.start).occurred_at, turn.ended_at)


def measure(story: Story, turn: Turn) -> Callable[[int, int], int]:
    """The judged milliseconds between two instants."""
    if not _counts_open_time(story, turn):
        return lambda start, end: unpaused_ms(story, start, end)
    calendar = story.policy_at(turn.start).calendar
    return lambda start, end: sum(open_ms(calendar, *part) for part in unpaused_parts(story, start, end))


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
    return NEVER


def shares(story: Story, turn: Turn) -> dict[str | None, int]:
    """Each agent's part of a known wait: of those to whom the conversation belonged meanwhile, and who replied."""
    assert turn.answer is not None
    replying = story.event(turn.answer).agent_id
    found = _split(story, turn, lambda start, end: unpaused_ms(story, start, end))
    return {agent_id: share for agent_id, share in found.items() if share or agent_id == replying}


def judged_shares(story: Story, turn: Turn) -> dict[str | None, int]:
    """The part of each agent's time that the target judges."""
    return _split(story, turn, measure(story, turn))


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
