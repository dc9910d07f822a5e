"""Who waits for whom within the rounds of a conversation. Places are those of the reading order."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.oracle.spans import SECOND
from tests.oracle.story import Story, is_courtesy, is_exact


class Round(NamedTuple):
    """One round: where it opens, and how it ended.

    From the place `ended_from` on it has ended: after the resolution, or at the event that shows the silence.
    """

    opens: int
    ended_from: int | None = None
    ended_at: int | None = None
    resolution: int | None = None
    is_silent: bool = False


Rounds = Sequence[Round]


class Turn(NamedTuple):
    """One wait of the customer, from the place `start`; `answer` is the place of the agent's message.

    `end` is the place at which it has ended: at the answer, at the resolution, at the event that shows the silence, or
    at its own start where the agent had answered already by a clock that is behind.
    """

    round: int
    start: int
    end: int | None = None
    ended_at: int | None = None
    answer: int | None = None

    @property
    def is_reply(self) -> bool:
        return self.answer is not None

    @property
    def is_unanswered(self) -> bool:
        return self.end is not None and self.answer is None


def last_place(story: Story, rounds: Rounds, number: int) -> int:
    """The last place that belongs to a round: the one before the next round opens."""
    return rounds[number + 1].opens - 1 if number + 1 < len(rounds) else len(story) - 1


def turns_in(story: Story, rounds: Rounds) -> list[Turn]:
    """Every turn of the rounds, in order; the last one may be open."""
    found: list[Turn] = []
    for number in range(len(rounds)):
        found += _turns_of_round(story, rounds, number, found)
    return found


def _turns_of_round(story: Story, rounds: Rounds, number: int, earlier: list[Turn]) -> list[Turn]:
    """The turns of one round: from each question to what ends its wait, and on from there."""
    found: list[Turn] = []
    place, last = rounds[number].opens, last_place(story, rounds, number)
    while place <= last:
        turn = _turn_from(story, rounds, number, place, [*earlier, *found])
        if turn is None:
            place += 1
            continue
        if not _agent_began(story, turn, last):
            found.append(turn)
        place = last + 1 if turn.end is None else turn.end + 1
    return found


def _turn_from(story: Story, rounds: Rounds, number: int, place: int, earlier: list[Turn]) -> Turn | None:
    """The turn that the event at this place starts, where no turn is open; None where it starts none."""
    if not _asks(story, rounds[number], place):
        return None
    answer = _answer_before(story, place, earlier)
    if answer is None:
        return _ended(story, rounds, Turn(number, place))
    if answer in [turn.answer for turn in earlier]:
        return None
    return Turn(number, place, end=place, ended_at=story.event(place).occurred_at, answer=answer)


def _asks(story: Story, one: Round, place: int) -> bool:
    """Whether the event makes a customer wait where nobody waits yet."""
    event = story.event(place)
    if event.kind == "conversation_opened":
        written = [before for before in story.places("agent_message") if one.opens <= before < place]
        return event.text is not None or not written
    return event.kind == "reopened" or (event.kind == "customer_message" and not is_courtesy(event))


def _answer_before(story: Story, place: int, earlier: list[Turn]) -> int | None:
    """The latest loose message that arrived after this question, though stamped shortly before it."""
    question, number, _ = story.events[place]
    replies = [turn.end for turn in earlier if turn.is_reply]
    found = None
    for before in story.places("agent_message"):
        message, arrived, _ = story.events[before]
        if before >= place or before in replies or number is None or arrived is None or arrived < number:
            continue
        ahead, tolerance = question.occurred_at - message.occurred_at, story.policy_at(place).answer_tolerance
        is_live = all(one.received_at - one.occurred_at <= tolerance for one in (question, message))
        if is_exact(question) and is_exact(message) and ahead <= tolerance and is_live:
            found = before
    return found


def _ended(story: Story, rounds: Rounds, turn: Turn) -> Turn:
    """The turn with its end: the next message of an agent or resolution in its round, or the silence after it."""
    one, last = rounds[turn.round], last_place(story, rounds, turn.round)
    silent_from = one.ended_from if one.is_silent else None
    for place in range(turn.start + 1, last + 1):
        if place == silent_from:
            break
        event = story.event(place)
        if event.kind == "agent_message":
            return turn._replace(end=place, ended_at=event.occurred_at, answer=place)
        if event.kind == "resolved":
            word = _closing_word(story, turn, place, last)
            if word is not None:
                return turn._replace(end=word, ended_at=story.event(word).occurred_at, answer=word)
            return turn._replace(end=place, ended_at=event.occurred_at)
    return turn if silent_from is None else turn._replace(end=silent_from, ended_at=one.ended_at)


def _closing_word(story: Story, turn: Turn, resolved: int, last: int) -> int | None:
    """The next message of an agent in the round, where it follows the resolution at once."""
    words = [place for place in story.places("agent_message") if resolved < place <= last]
    if not words:
        return None
    ends, word = story.event(resolved), story.event(words[0])
    is_near = word.occurred_at - ends.occurred_at <= story.policy_at(turn.start).answer_tolerance
    return words[0] if is_near and is_exact(ends) and is_exact(word) else None


def _agent_began(story: Story, turn: Turn, last: int) -> bool:
    """Whether an agent began the contact, and its opening without words stands for that: nobody waited then."""
    opening = story.event(turn.start)
    if opening.kind != "conversation_opened" or opening.text is not None or turn.answer is None:
        return False
    if turn.answer <= turn.start:
        return False
    message = story.event(turn.answer)
    at_once = message.occurred_at - opening.occurred_at <= 10 * SECOND
    asked = [place for place in story.places("customer_message", "reopened") if turn.start < place <= last]
    between = [place for place in asked if place < turn.answer]
    messages = [place for place in story.places("customer_message") if turn.answer < place <= last]
    later = [place for place in messages if not is_courtesy(story.event(place))]
    return is_exact(opening) and is_exact(message) and at_once and not between and bool(later)
