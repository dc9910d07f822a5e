"""Plausible mistakes in order, content and rounds, each to be put in place of what the core does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service_quality.conversations import conversation, reading, reading_order
from service_quality.conversations.conversation import RETENTION, Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading import Reading
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.rounds import AGE, RESOLVED, SILENCE, Round, Unanswered
from service_quality.events import kinds
from service_quality.events.interaction_event import InteractionEvent


def as_they_arrived(one: Placed) -> tuple[int, bool, int]:
    return one.event.occurred_at, one.number is not None, one.number or 0


def log_before_imports(one: Placed) -> tuple[Any, ...]:
    at, is_logged, *others = _PLACE(one)
    return at, not is_logged, *others


_PLACE = reading_order._place


def rank_without_ratings(kind: str) -> int:
    return int(kind not in kinds.QUESTIONS)


def by_any_sequence(placed: list[Placed]) -> list[Placed]:
    def place(one: Placed) -> tuple[int, bool, int]:
        return one.event.occurred_at, one.number is not None, one.event.sequence or 0

    return sorted(placed, key=place)


def correction_that_arrives_last(held: Conversation, index: int, event: Any, *, received_clock: int) -> Conversation:
    changed = _PUT_AT(held, index, event, received_clock=received_clock)
    if index < held.imported:
        return changed
    events = [*changed.events]
    events.append(events.pop(index))
    return replace(changed, events=tuple(events))


_PUT_AT = conversation.put_at


def conflict_that_is_taken(held: Conversation, index: int, event: Any, *, received_clock: int) -> Conversation:
    if conversation.says_the_same(held.events[index], event):
        return held
    return conversation.put_at(held, index, event, received_clock=received_clock)


def the_same_but_for_the_instant(known: InteractionEvent, event: InteractionEvent) -> bool:
    moved = replace(event, occurred_at=known.occurred_at, stated_at=known.stated_at, precision=known.precision)
    return _SAYS_THE_SAME(known, moved)


_SAYS_THE_SAME = conversation.says_the_same


def silence_seen_late(self: Reading, last: Round, at: int) -> None:
    if not last.end and at - last.last_activity > last.policy.ends_after_ms:
        self._end(last, SILENCE, at)


def old_though_waiting(self: Reading, at: int) -> None:
    last = self.state.rounds[-1]
    if not last.end and at - last.opened_at > RETENTION:
        self._end(last, AGE, last.last_activity)


def always_a_reopening(self: Reading, event: InteractionEvent) -> None:
    if self.state.rounds[-1].end:
        self._open(event, is_reopening=True)


def reopening_after_a_resolution_alone(self: Reading, event: InteractionEvent) -> None:
    last = self.state.rounds[-1]
    if last.end:
        self._open(event, is_reopening=last.end == RESOLVED)


def unanswered_by_the_owner(self: Reading, last: Round, end: str, at: int, precision: str = "ms") -> None:
    unanswered = len(last.unanswered)
    _END(self, last, end, at, precision)
    last.unanswered[unanswered:] = [turn._replace(agent_id=last.owner) for turn in last.unanswered[unanswered:]]


def unanswered_by_nobody(self: Reading, last: Round, end: str, at: int, precision: str = "ms") -> None:
    if self.state.turn is not None:
        last.unanswered.append(Unanswered(at, self.state.assigned_agent, end == SILENCE))
        self.state.turn = None
    _END(self, last, end, at, precision)


def unanswered_since_the_question(self: Reading, last: Round, end: str, at: int, precision: str = "ms") -> None:
    since = None if self.state.turn is None else self.state.turn.since
    _END(self, last, end, at, precision)
    if since is not None:
        last.unanswered[-1] = last.unanswered[-1]._replace(at=since)


def always_abandoned(self: Reading, last: Round, end: str, at: int, precision: str = "ms") -> None:
    _END(self, last, end, at, precision)
    last.unanswered = [turn._replace(abandoned=True) for turn in last.unanswered]


def never_abandoned(self: Reading, last: Round, end: str, at: int, precision: str = "ms") -> None:
    _END(self, last, end, at, precision)
    last.unanswered = [turn._replace(abandoned=False) for turn in last.unanswered]


_END = Reading._end


def assigned_after_the_end(self: Reading, at: int, agent_id: str | None) -> None:
    _ASSIGN(self, at, agent_id)
    self.state.rounds[-1].assigned_agent = agent_id


def assigned_by_the_turn_alone(self: Reading, at: int, agent_id: str | None) -> None:
    turn, self.state.turn = self.state.turn, None
    _ASSIGN(self, at, agent_id)
    self.state.turn = turn


_ASSIGN = Reading._assign


def never_merged(placed: Sequence[Placed], *given: Any, **options: Any) -> ConversationState:
    own = [one._replace(event=replace(one.event, merged_into=None)) for one in placed]
    return _READ_CONVERSATION(own, *given, **{**options, "is_merged": False})


def merged_from_there_on(*given: Any, is_merged: bool = False, **options: Any) -> ConversationState:
    return _READ_CONVERSATION(*given, **options)


def closed_before(*given: Any, **options: Any) -> ConversationState:
    state = _READ_CONVERSATION(*given, **options)
    state.was_closed = True
    return state


def never_closed_before(*given: Any, **options: Any) -> ConversationState:
    state = _READ_CONVERSATION(*given, **options)
    state.was_closed = False
    return state


def one_currency_of_a_visit(*given: Any, **options: Any) -> ConversationState:
    state = _READ_CONVERSATION(*given, **options)
    if state.stated_currency is not None:
        state.currencies = dict.fromkeys(state.currencies, state.stated_currency)
    return state


def first_currency(self: Reading, event: InteractionEvent) -> None:
    stated = self.state.stated_currency
    _READ_ATTRIBUTES(self, event)
    self.state.stated_currency = stated or self.state.stated_currency


def complaints_of_contacts_only(*given: Any, **options: Any) -> ConversationState:
    state = _READ_CONVERSATION(*given, **options)
    state.complaints = []
    return state


_READ_CONVERSATION = reading.read_conversation


def first_named(self: Reading, event: InteractionEvent) -> None:
    contact = dict(self.state.contact)
    _READ_ATTRIBUTES(self, event)
    self.state.contact |= contact


_READ_ATTRIBUTES = Reading._read_attributes


def closed_though_waiting(state: ConversationState) -> bool:
    if not state.rounds:
        return state.is_merged
    last = state.rounds[-1]
    return bool(last.end) or (bool(last.ratings) and last.is_quiet)


def closed_by_its_end_alone(state: ConversationState) -> bool:
    return bool(state.rounds[-1].end) if state.rounds else state.is_merged
