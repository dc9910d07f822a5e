"""Deadlines: the instants at which a conversation reaches a stage, of its open turn's wait or of the clock."""

from collections.abc import Iterable

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.turns import Turn
from service_quality.conversations.wait_stages import CLOCK, WAITED_SHARE, WAITING_MS, Deadline, Stage
from service_quality.policies.policy import BUSINESS, Policy, Target
from service_quality.policies.silence import is_over_by_silence

#: Shares are exact to so many parts.
_PARTS = 1_000


def deadline_of(state: ConversationState, stage: Stage) -> Deadline | None:
    """When the open turn reaches a stage if nothing happens, or the clock does; None where it does not.

    A turn that has reached it when its question arrives reaches it so long after that arrival: nobody could have
    answered before. A wait in all the time that is over while the shop is closed reaches it when that opens again. None
    while the clock pauses, and where the round would have ended by silence. A stage of the clock is reached at its
    instant while a round has not ended, whoever waits.
    """
    if stage.value == CLOCK:
        return _deadline_of_clock(state, stage)
    turn = _running_turn(state)
    return None if turn is None else _deadline_of_turn(state, turn, turn.policy.target_for(state.contact), stage)


def _deadline_of_turn(state: ConversationState, turn: Turn, target: Target, stage: Stage) -> Deadline | None:
    last = state.rounds[-1]
    needed = _needed_ms(turn, target, stage, first=not last.replies)
    if needed is None:
        return None
    is_business = stage.value == WAITED_SHARE and target.judged_by == BUSINESS
    due_at = _due_at(turn, turn.since, needed, state.pauses, is_business=is_business)
    if due_at is not None and due_at <= turn.arrived_at:
        due_at = _due_at(turn, turn.arrived_at, needed, state.pauses, is_business=is_business)
    if due_at is not None and not is_business:
        due_at = _open_from(turn.policy, due_at)
    if due_at is None or is_over_by_silence(last.policy, last.last_activity, due_at):
        return None
    return Deadline(due_at, last.number, state.turn_number, stage.name)


def clock_deadline(state: ConversationState, at: int) -> Deadline | None:
    """The deadline at which rules look again, at an instant or when the shop opens next; None as for `deadline_of`."""
    last = state.round
    if last is None or last.end:
        return None
    opens_at = _open_from(last.policy, at)
    return None if opens_at is None else deadline_of(state, Stage(CLOCK, opens_at))


def next_deadline(
    state: ConversationState, stages: Iterable[Stage], reached: Iterable[tuple[int, int, str]]
) -> Deadline | None:
    """The nearest deadline of the open turn that is not reached yet."""
    turn, done, declared = _running_turn(state), set(reached), tuple(stages)
    found = [_deadline_of_clock(state, stage) for stage in declared if stage.value == CLOCK]
    if turn is not None:
        target = turn.policy.target_for(state.contact)
        found += [_deadline_of_turn(state, turn, target, stage) for stage in declared if stage.value != CLOCK]
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


def _open_from(policy: Policy, at: int) -> int | None:
    """The first instant, not before another one, at which the shop is open; None for one that never opens again."""
    if policy.is_always_open:
        return at
    from service_quality.policies.business_time import business_time  # noqa: PLC0415  # loads zones; few shops need it

    return business_time(policy).instant_after(at - 1, 1)


def _deadline_of_clock(state: ConversationState, stage: Stage) -> Deadline | None:
    last, due_at = state.round, int(stage.limit)
    if last is None or last.end or is_over_by_silence(last.policy, last.last_activity, due_at):
        return None
    return Deadline(due_at, state.number, state.turn_number, stage.name)


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
