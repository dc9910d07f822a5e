"""Whose a round is and how it stands: owner, transfers, ratings, whether it is closed and what is scored."""

from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.bounds import is_of_a_day
from tests.oracle.entities import Attributes, contact_attributes
from tests.oracle.rounds import ACTIVITY, open_turn, places_in_round, replies, round_at, rounds
from tests.oracle.shares import belongs_to
from tests.oracle.story import Story, is_courtesy
from tests.oracle.waiting import Turn


class Rating(NamedTuple):
    """A rating that says a number, the round that it rates, and the agent to whom it belongs."""

    place: int
    points: int
    round: int
    agent_id: str | None


def is_visit(story: Story) -> bool:
    """Whether these are the events of a visit, which has no rounds."""
    return bool(story.events) and is_of_a_day(story.event(0))


def owner(story: Story, number: int) -> str | None:
    """The agent to whom the outcome of a round belongs: by its replies, or whose the conversation was at its end."""
    answered = [story.event(_answer(turn)).agent_id for turn in replies(story, number)]
    ended_from, whose = rounds(story)[number].ended_from, story.policy_at(rounds(story)[number].opens).owner
    assigned = belongs_to(story if ended_from is None else story.until(ended_from - 1))
    if whose == "assigned" and assigned is not None:
        return assigned
    if answered:
        return answered[0] if whose == "first_reply" else answered[-1]
    named = (assigned, _last_writer(story, number), _resolver(story, number))
    return next((agent_id for agent_id in named if agent_id is not None), None)


def attributes_after(story: Story, *, is_void: bool) -> Attributes:
    """The attributes of the contact and of the owner of its last round; without the latter of a void conversation."""
    if is_visit(story) or is_void:
        return contact_attributes(story, None)
    return contact_attributes(story, owner(story, round_at(story, len(story) - 1)))


def _last_writer(story: Story, number: int) -> str | None:
    wrote = [story.event(place).agent_id for place in places_in_round(story, number, "agent_message")]
    known = [agent_id for agent_id in wrote if agent_id is not None]
    return known[-1] if known else None


def _resolver(story: Story, number: int) -> str | None:
    resolution = rounds(story)[number].resolution
    return None if resolution is None else story.event(resolution).agent_id


def _answer(turn: Turn) -> int:
    assert turn.answer is not None
    return turn.answer


def transfers(story: Story, number: int) -> list[int]:
    """The places of a round's assignments from one agent to another."""
    return [
        place
        for place in places_in_round(story, number, "assigned")
        if story.event(place).agent_id is not None
        and belongs_to(story.until(place - 1)) not in (None, story.event(place).agent_id)
    ]


def ratings(story: Story) -> list[Rating]:
    """Every rating that says a number, each as it was when it came: nothing later moves it."""
    said = [(place, story.event(place).rating) for place in story.places("rated")]
    return [_rating(story.until(place), place, points) for place, points in said if points is not None]


def _rating(story: Story, place: int, points: int) -> Rating:
    answered = replies(story)
    if answered:
        return Rating(place, points, answered[-1].round, story.event(_answer(answered[-1])).agent_id)
    number = round_at(story, place)
    return Rating(place, points, number, owner(story, number))


def rating_of_round(story: Story, number: int) -> Rating | None:
    """The round's rating: the last that belongs to it."""
    own = [rating for rating in ratings(story) if rating.round == number]
    return own[-1] if own else None


def is_closed(story: Story, number: int) -> bool:
    """Whether a round has ended, or is rated and neither question nor complaint came since, and nobody waits in it."""
    if rounds(story)[number].ended_from is not None:
        return True
    rated = rating_of_round(story, number)
    if rated is None or open_turn(story) is not None:  # a turn that is open is one of the running round
        return False
    since = [
        place
        for place in places_in_round(story, number, "customer_message", "complaint_filed")
        if place > rated.place and not is_courtesy(story.event(place))
    ]
    return not since


def is_scored(event: InteractionEvent, story: Story) -> bool:
    """Whether an event of the story asks for a score: unless its round was closed before it and is closed after it."""
    asks = event.kind in ACTIVITY  # service and complaints
    if not asks or is_visit(story) or story.is_void:
        return False
    place = story.place_of(event.event_id)
    after = story.until(place)
    number = round_at(after, place)
    return not (_was_closed(after, number) and is_closed(after, number))


def _was_closed(story: Story, number: int) -> bool:
    """Whether a round was closed before the last event, as that event shows: a silence had ended it already."""
    last, one = len(story) - 1, rounds(story)[number]
    if one.opens == last:
        return False
    if one.ended_from is not None and one.ended_from <= last:
        return True
    return is_closed(story.until(last - 1), number)


def label(event: InteractionEvent, story: Story) -> int | None:
    """The rating of the event's round, where it stands behind the event."""
    place = story.place_of(event.event_id)
    rated = rating_of_round(story, round_at(story, place))
    return rated.points if rated is not None and rated.place > place else None
