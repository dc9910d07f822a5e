"""Mutants of what time does to a conversation: when a wait is due, what is reached, and by which values."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest import mock

from service_quality.commit.shop_item import ShopItem
from service_quality.conversations import deadlines, wait_stages
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading import Reading
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.turns import Turn
from service_quality.conversations.wait_stages import Deadline, Stage
from service_quality.events.time_reached import TimeReached
from service_quality.facts import conversation_fold
from service_quality.facts.conversation_fold import ConversationStep, FoldedConversation
from service_quality.instants import SECOND
from service_quality.policies.policy import Target

Mutants = Mapping[str, Callable[[], AbstractContextManager[Any]]]

_STEP, _DEADLINE, _DUE, _START_TURN = (
    conversation_fold.step_time,
    deadlines.deadline_of,
    deadlines._due_at,
    Reading._start_turn,
)


def _by_the_events_up_to_it(before: FoldedConversation, reached: TimeReached, **known: Any) -> ConversationStep | None:
    """What happened after the due instant ends no wait, though the log has it."""
    step = _STEP(before, reached, **known)
    held = before.conversation
    if step is not None or held.imported:
        return step
    earlier = tuple(one for one in held.events if one.occurred_at <= reached.due_at)
    step = _STEP(FoldedConversation(replace(held, events=earlier), before.kept, before.policies), reached, **known)
    return None if step is None else replace(step, after=before)


def _with_the_round_that_runs(
    before: FoldedConversation, reached: TimeReached, **known: Any
) -> ConversationStep | None:
    return _STEP(before, replace(reached, round=max(1, before.state.number)), **known)


def _with_the_turn_that_is_open(
    before: FoldedConversation, reached: TimeReached, **known: Any
) -> ConversationStep | None:
    turn = reached.turn if before.state.turn is None else before.state.turn_number
    return _STEP(before, replace(reached, turn=turn), **known)


def _whenever_it_is_due(before: FoldedConversation, reached: TimeReached, **known: Any) -> ConversationStep | None:
    stage = wait_stages.stage_named(reached.stage)
    found = None if stage is None else _DEADLINE(before.state, stage)
    return _STEP(before, reached if found is None else replace(reached, due_at=found.due_at), **known)


def _since_the_question_alone(self: Reading, one: Placed) -> None:
    _START_TURN(self, one)
    if self.state.turn is not None:
        self.state.turn.arrived_at = 0


def _since_the_arrival(turn: Turn, start: int, *given: Any, **how: Any) -> int | None:
    return _DUE(turn, turn.arrived_at, *given, **how)


def _without_pauses(turn: Turn, start: int, needed: int, pauses: Sequence[tuple[int, int]], **how: Any) -> int | None:
    return _DUE(turn, start, needed, [], **how)


def _while_paused(state: ConversationState, stage: Stage) -> Deadline | None:
    return _DEADLINE(replace(state, paused_at=None), stage)


def _behind_a_silence(state: ConversationState, stage: Stage) -> Deadline | None:
    if state.turn is None:
        return None
    *others, last = state.rounds
    patient = replace(last, policy=last.policy._replace(ends_after_ms=10**12))
    return _DEADLINE(replace(state, rounds=[*others, patient]), stage)


def _of_any_round(state: ConversationState, stage: Stage) -> Deadline | None:
    return Deadline(int(stage.limit), state.number, state.turn_number, stage.name) if state.rounds else None


def _while_closed(state: ConversationState, stage: Stage) -> Deadline | None:
    if state.turn is None or stage.value == wait_stages.WAITED_SHARE:
        return _DEADLINE(state, stage)
    always = replace(state.turn, policy=state.turn.policy._replace(opening=None))
    return _DEADLINE(replace(state, turn=always), stage)


def _in_all_rounds(state: ConversationState) -> int:
    return sum(len(one.replies) + len(one.unanswered) for one in state.rounds) + 1


def _always_the_first(self: Turn, target: Target, *, first: bool) -> int | None:
    return target.first_response_ms if self.policy.targets else None


def _without_targets(self: Turn, target: Target, *, first: bool) -> int | None:
    return target.first_response_ms if first else target.next_reply_ms


def _when_it_rang(self: ShopItem, event: Any) -> ShopItem:
    return _AFTER(self, replace(event, due_at=event.due_at + SECOND) if isinstance(event, TimeReached) else event)


_AFTER = ShopItem.after


def _instead(of: Any, name: str, value: object) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: mock.patch.object(of, name, value)


#: Each step shows them, without a policy.
OF_TIME: Mutants = {
    "a stage is reached twice": _instead(FoldedConversation, "reaching", lambda self, _: self),
    "values of events behind the instant": _instead(FoldedConversation, "state_before", lambda self, _: self.state),
    "an answer behind the instant ends no wait": _instead(conversation_fold, "step_time", _by_the_events_up_to_it),
    "a late question is due by its stamp": _instead(Reading, "_start_turn", _since_the_question_alone),
    "every question is due by its arrival": _instead(deadlines, "_due_at", _since_the_arrival),
    "any round is reached": _instead(conversation_fold, "step_time", _with_the_round_that_runs),
    "any turn is reached": _instead(conversation_fold, "step_time", _with_the_turn_that_is_open),
    "any instant is due": _instead(conversation_fold, "step_time", _whenever_it_is_due),
    "turns are numbered through all rounds": _instead(ConversationState, "turn_number", property(_in_all_rounds)),
    "a wait is due behind a silence": _instead(deadlines, "deadline_of", _behind_a_silence),
    "a stage of any name": _instead(conversation_fold, "stage_named", lambda _: Stage("waiting_ms", 1)),
    "a look behind what it was overtaken by": _instead(conversation_fold, "is_of_clock", lambda _: False),
    "a look at a round that is over": _instead(deadlines, "_deadline_of_clock", _of_any_round),
}
#: Only a log that holds policies shows them.
OF_TIME_UNDER_POLICIES: Mutants = {
    "pauses push no deadline": _instead(deadlines, "_due_at", _without_pauses),
    "a wait is due while it pauses": _instead(deadlines, "deadline_of", _while_paused),
    "a wait is due while the shop is closed": _instead(deadlines, "deadline_of", _while_closed),
    "every reply has the target of the first": _instead(Turn, "limit_ms", _always_the_first),
    "shares without targets": _instead(Turn, "limit_ms", _without_targets),
    "shares are due in all the time": _instead(deadlines, "BUSINESS", "no time"),
    "shares count to two decimals": _instead(deadlines, "_PARTS", 100),
}
#: Only what was served shows them.
OF_TIME_SERVED: Mutants = {"the clock moves to the arrival": _instead(ShopItem, "after", _when_it_rang)}
