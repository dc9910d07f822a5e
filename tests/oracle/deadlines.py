"""Deadlines: when a conversation reaches a stage if nothing else happens, part by part of time.

That is a stage of the wait in which a customer is, or an instant of the clock while a round runs.
"""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from tests.oracle.open_time import open_parts
from tests.oracle.rounds import open_turn, rounds, silent_until, turns
from tests.oracle.shares import is_paused, limit_of, measure, target_of, unpaused_parts
from tests.oracle.spans import DAY
from tests.oracle.story import Story, is_exact
from tests.oracle.waiting import Turn

#: A stage by its name: a value and its limit, which is written in one way alone.
_STAGE = re.compile(r"(waiting_ms|waited_share):((?:0|[1-9]\d*)(?:\.\d*[1-9])?)")
_LARGEST_LIMIT = 10**12
_CLOCK = re.compile(r"clock:([1-9]\d{0,13})")


class Deadline(NamedTuple):
    """The instant at which a turn of a round, both counted from 1, reaches a stage."""

    due_at: int
    round: int
    turn: int
    stage: str


class Waiting(NamedTuple):
    """The turn of a story in which the customer waits, and whether a stage counts open time alone in it."""

    story: Story
    turn: Turn
    in_open_time: bool

    def due_after(self, start: int, needed: int, latest: int) -> int | None:
        """The first instant until which so much time has been counted since another; None for one that is later."""
        left = needed
        for since, until in self._counted(start, latest):
            if left <= until - since:
                return since + left
            left -= until - since
        return None

    def _counted(self, start: int, latest: int) -> Iterator[tuple[int, int]]:
        calendar = self.story.policy_at(self.turn.start).calendar
        for part in unpaused_parts(self.story, start, latest) if start < latest else ():
            yield from open_parts(calendar, *part) if self.in_open_time else (part,)


def deadline(story: Story, stage: str) -> Deadline | None:
    """When the open turn, or the clock, reaches a stage by all the events of the story; None where it does not."""
    if is_of_clock(stage):
        return _of_clock(story, stage)
    turn, named = open_turn(story), _STAGE.fullmatch(stage)
    if turn is None or named is None or not 0 < Fraction(named[2]) <= _LARGEST_LIMIT:
        return None
    start, is_share = story.event(turn.start), named[1] == "waited_share"
    needed = _needed(story, turn, Fraction(named[2]), is_share=is_share)
    if needed is None or not is_exact(start) or is_paused(story):
        return None
    waiting = Waiting(story, turn, is_share and target_of(story, turn).counts_open_time)
    latest = silent_until(story, rounds(story)[turn.round].opens, len(story))
    arrived_at = max(start.occurred_at, start.received_at)
    due_at = waiting.due_after(start.occurred_at, needed, latest)
    if due_at is not None and due_at <= arrived_at:
        due_at = waiting.due_after(arrived_at, needed, latest)
    if due_at is not None and not waiting.in_open_time:
        due_at = open_from(story, turn.start, due_at, latest)
    if due_at is None:
        return None
    return Deadline(due_at, turn.round + 1, _number_in_round(story, turn), stage)


def is_of_clock(stage: str) -> bool:
    """Whether a stage is an instant, and of no wait."""
    return _CLOCK.fullmatch(stage) is not None


def _of_clock(story: Story, stage: str) -> Deadline | None:
    due_at, running = int(stage.removeprefix("clock:")), rounds(story)[-1:]
    if not running or running[0].ended_from is not None or due_at > silent_until(story, running[0].opens, len(story)):
        return None
    number = len(rounds(story))
    over = [one for one in turns(story) if one.round == number - 1 and one.end is not None]
    return Deadline(due_at, number, 1 + len(over), stage)


def nearest(story: Story, stages: Iterable[str], reached: Iterable[tuple[int, int, str]]) -> Deadline | None:
    """The first of the deadlines that are not reached yet."""
    known = [deadline(story, stage) for stage in stages]
    return min((one for one in known if one is not None and one[1:] not in reached), default=None)


def open_turn_named(story: Story) -> tuple[int, int] | None:
    """The round and the number in it of the turn in which the customer waits."""
    turn = open_turn(story)
    return None if turn is None else (turn.round + 1, _number_in_round(story, turn))


def waited_share(story: Story, at: int) -> float | None:
    """The part of its target's time that the customer has waited up to an instant; None where no target says so."""
    turn = open_turn(story)
    if turn is None or not story.policy_at(turn.start).targets or not is_exact(story.event(turn.start)):
        return None
    limit = limit_of(story, turn)
    return None if limit is None else measure(story, turn)(story.event(turn.start).occurred_at, at) / limit


def answer_due_at(story: Story) -> int | None:
    """When the time of the target is over, if nothing happens; None where it gives none, or its clock stands still."""
    turn = open_turn(story)
    if turn is None or not story.policy_at(turn.start).targets or not is_exact(story.event(turn.start)):
        return None
    limit, start = limit_of(story, turn), story.event(turn.start).occurred_at
    if limit is None or is_paused(story):
        return None
    waiting = Waiting(story, turn, target_of(story, turn).counts_open_time)
    return waiting.due_after(start, limit, start + 40 * DAY + 20 * limit)


def _needed(story: Story, turn: Turn, limit: Fraction, *, is_share: bool) -> int | None:
    """The least counted wait, in milliseconds, at which the value is at least the limit."""
    if not is_share:
        return _at_least(limit)
    given = limit_of(story, turn) if story.policy_at(turn.start).targets else None
    return None if given is None else _at_least(Fraction(round(limit * 1_000), 1_000) * given)


def _at_least(number: Fraction) -> int:
    """The smallest whole number that is not less."""
    whole = int(number)
    return whole if whole == number else whole + 1


def open_from(story: Story, place: int, at: int, latest: int) -> int | None:
    """The first instant, not before `at`, that ends a millisecond in which the shop is open; None for a later one.

    The calendar is that of the event at a place.
    """
    calendar = story.policy_at(place).calendar
    return next((since + 1 for since, _ in open_parts(calendar, at - 1, latest)), None)


def _number_in_round(story: Story, turn: Turn) -> int:
    return 1 + len([one for one in turns(story) if one.round == turn.round and one.start < turn.start])
