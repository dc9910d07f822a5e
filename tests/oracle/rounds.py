"""The rounds of a conversation, and the turns in them: each told by a new look through its events."""

from functools import lru_cache

from tests.oracle.open_time import after_open_days
from tests.oracle.spans import DAY
from tests.oracle.story import Story, is_courtesy
from tests.oracle.waiting import Round, Turn, last_place, turns_in

#: Kinds that keep a round alive; courtesies do not.
ACTIVITY = (
    "conversation_opened", "customer_message", "agent_message", "bot_message", "internal_note", "assigned",
    "status_changed", "resolved", "reopened", "complaint_filed",
)  # fmt: skip


@lru_cache(maxsize=64)
def rounds(story: Story) -> tuple[Round, ...]:
    """The rounds in order; a conversation that was merged has no rounds."""
    found: tuple[Round, ...] = ()
    if not story.is_void:
        for place in range(len(story)):
            found = _after(story, place, found)
    return found


@lru_cache(maxsize=64)
def turns(story: Story) -> tuple[Turn, ...]:
    """Every turn in order; the last one may be open."""
    return tuple(turns_in(story, rounds(story)))


def replies(story: Story, number: int | None = None) -> list[Turn]:
    """The turns that an agent ended, of one round or of all."""
    return [turn for turn in turns(story) if turn.is_reply and number in (None, turn.round)]


def open_turn(story: Story) -> Turn | None:
    """The turn in which the customer still waits."""
    waits = [turn for turn in turns(story) if turn.end is None]
    return waits[-1] if waits else None


def round_at(story: Story, place: int) -> int:
    """The number, from 0, of the round to which the event at this place belongs: the last one opened by then."""
    return max(number for number, one in enumerate(rounds(story)) if one.opens <= place)


def places_of_round(story: Story, number: int) -> range:
    """The places of all events that belong to a round."""
    found = rounds(story)
    return range(found[number].opens, last_place(story, found, number) + 1)


def places_in_round(story: Story, number: int, *kinds: str) -> list[int]:
    """The places of a round's events of these kinds."""
    return [place for place in places_of_round(story, number) if story.event(place).kind in kinds]


def _after(story: Story, place: int, found: tuple[Round, ...]) -> tuple[Round, ...]:
    """The rounds after the event at this place, from those before it."""
    before = _after_silence(story, place, found)
    if _opens(story, place, before):
        before = (*_without_running(story, place, before), Round(place))
    *others, running = before
    if story.event(place).kind == "resolved" and running.ended_from is None:
        at = story.event(place).occurred_at
        running = running._replace(ended_from=place + 1, ended_at=at, resolution=place)
    return (*others, running)


def _after_silence(story: Story, place: int, found: tuple[Round, ...]) -> tuple[Round, ...]:
    """The rounds, the running one ended where more than the declared silence lies behind its last activity."""
    if not found or found[-1].ended_from is not None:
        return found
    ends_at = silent_until(story, found[-1].opens, place)
    if story.event(place).occurred_at <= ends_at:
        return found
    return (*found[:-1], found[-1]._replace(ended_from=place, ended_at=ends_at, is_silent=True))


def last_activity(story: Story, opens: int, place: int) -> int:
    """The instant of a round's last activity before a place; the opening's where there was no activity."""
    active = [
        story.event(before).occurred_at
        for before in range(opens, place)
        if story.event(before).kind in ACTIVITY and not is_courtesy(story.event(before))
    ]
    return active[-1] if active else story.event(opens).occurred_at


def silent_until(story: Story, opens: int, place: int) -> int:
    """The last instant at which the round that opened has not ended by silence, by the events before a place."""
    policy = story.policy_at(opens)
    return after_open_days(policy.calendar, last_activity(story, opens, place), policy.ends_after)


def _opens(story: Story, place: int, found: tuple[Round, ...]) -> bool:
    """Whether the event at this place opens a round."""
    if not found:
        return True
    event = story.event(place)
    asks = event.kind == "customer_message" and not is_courtesy(event)
    if found[-1].ended_from is None:
        is_old = event.occurred_at - story.event(found[-1].opens).occurred_at > 30 * DAY
        return (event.kind == "reopened" or (asks and is_old)) and not _somebody_waits(story, place, found)
    return asks or event.kind in ("reopened", "conversation_opened")


def _somebody_waits(story: Story, place: int, found: tuple[Round, ...]) -> bool:
    """Whether a turn is open before the event at this place."""
    return any(turn.end is None for turn in turns_in(story.until(place - 1), found))


def _without_running(story: Story, place: int, found: tuple[Round, ...]) -> tuple[Round, ...]:
    """The rounds, a running one ended here: its source had closed it without saying so."""
    if not found or found[-1].ended_from is not None:
        return found
    return (*found[:-1], found[-1]._replace(ended_from=place, ended_at=story.event(place).occurred_at))
