"""Deadlines: the instants at which the open turn of a conversation reaches a stage of its wait, if nothing happens."""

from collections.abc import Iterable
from typing import NamedTuple

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.turns import Turn
from service_quality.policies.policy import BUSINESS, Target
from service_quality.policies.silence import is_over_by_silence

#: The values by which a stage is declared: the wait in milliseconds, and its share of the time within which it is to be
#: answered.
WAITING_MS, WAITED_SHARE = WAITED_VALUES = ("waiting_ms", "waited_share")

#: Shares are exact to so many parts.
_PARTS = 1_000
_LONGEST_STAGE = 10**12


class Stage(NamedTuple):
    """A stage of a wait: one of WAITED_VALUES is at least a limit.

    >>> Stage("waiting_ms", 1_800_000).name, Stage("waited_share", 0.75).name
    ('waiting_ms:1800000', 'waited_share:0.75')
    """

    value: str
    limit: float

    @property
    def name(self) -> str:
        """Its name on the log, by which it is found again."""
        return f"{self.value}:{self.limit:.15g}"


def stage_named(name: str) -> Stage | None:
    """The stage of a name; None for a text that names none.

    >>> stage_named("waited_share:0.75"), stage_named("waited_share:often"), stage_named("age:3")
    (Stage(value='waited_share', limit=0.75), None, None)
    """
    value, _, limit = name.partition(":")
    try:
        stage = Stage(value, float(limit))
    except ValueError:
        return None
    is_stage = value in WAITED_VALUES and 0 < stage.limit <= _LONGEST_STAGE and stage.name == name
    return stage if is_stage else None


class Deadline(NamedTuple):
    """An instant at which a turn of a round reaches a stage; `stage` is its name."""

    due_at: int
    round: int
    turn: int
    stage: str

    @property
    def key(self) -> tuple[int, int, str]:
        """What is reached once, whenever it is."""
        return self.round, self.turn, self.stage


def deadline_of(state: ConversationState, stage: Stage) -> Deadline | None:
    """When the open turn reaches a stage if nothing happens; None where it does not.

    A turn that has reached it when its question arrives reaches it so long after that arrival: nobody could have
    answered before. A wait in all the time that is over while the shop is closed reaches it when that opens again. None
    while the clock pauses, and where the round would have ended by silence.
    """
    turn = _running_turn(state)
    if turn is None:
        return None
    last = state.rounds[-1]
    target = turn.policy.target_for(state.contact)
    needed = _needed_ms(turn, target, stage, first=not last.replies)
    if needed is None:
        return None
    is_business = stage.value == WAITED_SHARE and target.judged_by == BUSINESS
    due_at = _due_at(turn, turn.since, needed, state.pauses, is_business=is_business)
    if due_at is not None and due_at <= turn.arrived_at:
        due_at = _due_at(turn, turn.arrived_at, needed, state.pauses, is_business=is_business)
    if due_at is not None and not is_business and not turn.policy.is_always_open:
        due_at = turn.business_time().instant_after(due_at - 1, 1)
    if due_at is None or is_over_by_silence(last.policy, last.last_activity, due_at):
        return None
    return Deadline(due_at, last.number, state.turn_number, stage.name)


def next_deadline(
    state: ConversationState, stages: Iterable[Stage], reached: Iterable[tuple[int, int, str]]
) -> Deadline | None:
    """The nearest deadline of the open turn that is not reached yet."""
    done = set(reached)
    found = (deadline_of(state, stage) for stage in stages)
    return min((one for one in found if one is not None and one.key not in done), default=None)


def waited_share(state: ConversationState, at: int) -> float | None:
    """The share of its time that the open turn has waited; None where no target is declared for it, or by days only."""
    turn = state.turn
    if turn is None or not turn.policy.targets:
        return None
    target = turn.policy.target_for(state.contact)
    limit = turn.limit_ms(target, first=not state.rounds[-1].replies)
    waited = turn.judged_at(at, state.pauses_until(at), target)
    return None if limit is None or waited is None else waited / limit


def answer_due_at(state: ConversationState) -> int | None:
    """When the time that the target of the open turn gives is over, in epoch milliseconds; None as for `waited_share`.

    None, too, while the clock pauses.
    """
    turn = _running_turn(state)
    if turn is None or not turn.policy.targets:
        return None
    target = turn.policy.target_for(state.contact)
    limit = turn.limit_ms(target, first=not state.rounds[-1].replies)
    if limit is None:
        return None
    return _due_at(turn, turn.since, limit, state.pauses, is_business=target.judged_by == BUSINESS)


def _running_turn(state: ConversationState) -> Turn | None:
    """The open turn where its clock runs, from an instant that is known."""
    turn = state.turn
    return None if turn is None or turn.precision != "ms" or state.paused_at is not None else turn


def _needed_ms(turn: Turn, target: Target, stage: Stage, *, first: bool) -> int | None:
    """The least wait, in the time that is counted, at which the stage is reached."""
    if stage.value == WAITING_MS:
        return -int(-stage.limit // 1)
    limit = turn.limit_ms(target, first=first)
    return None if limit is None else -(-round(stage.limit * _PARTS) * limit // _PARTS)


def _due_at(turn: Turn, start: int, needed: int, pauses: list[tuple[int, int]], *, is_business: bool) -> int | None:
    """The first instant at which so much time has passed since a start, without the pauses, which are in order."""
    counted = turn.business_time() if is_business else None
    at, left = start, needed
    for since, until in pauses:
        if until <= at:
            continue
        passed = counted.between(at, since) if counted else max(0, since - at)
        if passed >= left:
            break
        at, left = until, left - passed
    return counted.instant_after(at, left) if counted else at + left
