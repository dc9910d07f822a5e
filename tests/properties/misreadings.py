"""Plausible misreadings of a conversation and its facts, each to be put in place of what the core does."""

from dataclasses import replace
from typing import Any

from service_quality.conversations import conversation, event_values, turns
from service_quality.conversations.turns import ConversationState, Reply
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SCORED
from service_quality.facts import conversation_facts, conversation_fold
from service_quality.facts.conversation_facts import Fact, FactTotals
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import Reader, WindowRatio
from service_quality.histories.windows import Window


def opened_again(state: ConversationState, event: InteractionEvent) -> None:
    state.opened_at = None
    turns._opened(state, event)


def opened_after_an_answer(state: ConversationState, event: InteractionEvent) -> None:
    turns._opened(state, event)
    turns._start_turn(state, event)


def message_that_leaves_it_resolved(state: ConversationState, event: InteractionEvent) -> None:
    resolved_at = state.resolved_at
    turns._customer_message(state, event)
    state.resolved_at = resolved_at


def message_that_begins_the_wait_again(state: ConversationState, event: InteractionEvent) -> None:
    state.waiting_since = None
    turns._customer_message(state, event)


def reopening_that_leaves_it_resolved(state: ConversationState, event: InteractionEvent) -> None:
    resolved_at = state.resolved_at
    turns._reopened(state, event)
    state.resolved_at = resolved_at


def reopening_that_nobody_waits_after(state: ConversationState, event: InteractionEvent) -> None:
    waiting_since = state.waiting_since
    turns._reopened(state, event)
    state.waiting_since = waiting_since


def resolution_that_lets_wait(state: ConversationState, event: InteractionEvent) -> None:
    state.resolved_at = event.occurred_at


def complaint_that_waits(state: ConversationState, event: InteractionEvent) -> None:
    turns._complaint_filed(state, event)
    turns._start_turn(state, event)


def ends_the_turn(state: ConversationState, event: InteractionEvent) -> None:
    state.waiting_since = None


def bot_that_ends_the_turn(state: ConversationState, event: InteractionEvent) -> None:
    turns._bot_message(state, event)
    state.waiting_since = None


def bot_that_replies(state: ConversationState, event: InteractionEvent) -> None:
    turns._bot_message(state, event)
    if state.waiting_since is not None:
        state.replies.append(turns._reply(state, event, event.agent_id or "bot", state.waiting_since))
        state.waiting_since = None


def every_message_replies(state: ConversationState, event: InteractionEvent) -> None:
    waiting_since = state.waiting_since
    turns._agent_message(state, event)
    state.waiting_since = waiting_since


def first_rating_stays(state: ConversationState, event: InteractionEvent) -> None:
    if state.rating is None:
        turns._rated(state, event)


def transfer_at_every_assignment(state: ConversationState, event: InteractionEvent) -> None:
    if state.assigned_agent is not None:
        state.transfers.append(event.occurred_at)
    state.assigned_agent = event.agent_id


def transfer_at_the_first_assignment(state: ConversationState, event: InteractionEvent) -> None:
    if state.assigned_agent != event.agent_id:
        state.transfers.append(event.occurred_at)
    state.assigned_agent = event.agent_id


def first_who_answered(state: ConversationState) -> str | None:
    return state.replies[0].agent_id if state.replies else state.assigned_agent


def assigned_agent(state: ConversationState) -> str | None:
    return state.assigned_agent or (state.replies[-1].agent_id if state.replies else None)


def instant_wait(state: ConversationState, event: InteractionEvent, agent_id: str, since: int) -> Reply:
    reply = _REPLY(state, event, agent_id, since)
    return reply if reply.waited_ms is not None else reply._replace(waited_ms=0, waited_at_least_ms=0)


def wait_to_the_end_of_the_day(state: ConversationState, event: InteractionEvent, agent_id: str, since: int) -> Reply:
    return _REPLY(state, replace(event, precision="ms"), agent_id, since)


_REPLY = turns._reply


def first_named(state: ConversationState, event: InteractionEvent) -> None:
    contact = dict(state.contact)
    _READ_ATTRIBUTES(state, event)
    state.contact |= contact


_READ_ATTRIBUTES = turns._read_attributes


def since_the_event(state: ConversationState, event: InteractionEvent, *, clock: int) -> dict[str, int | None]:
    return event_values.read_event_values(state, event, clock=event.occurred_at)


def only_what_is_new(before: FactTotals, after: FactTotals) -> list[Fact]:
    return [fact for fact in conversation_facts.facts_between(before, after) if fact.value > 0]


def visit_without_a_day(event: InteractionEvent) -> str:
    return _CONVERSATION_KEY(replace(event, occurred_at=0))


_CONVERSATION_KEY = conversation.conversation_key


def visit_in_the_contact_it_names(event: InteractionEvent) -> str:
    if event.conversation_id is not None:
        return f"contact\x1f{event.conversation_id}"
    return _CONVERSATION_KEY(event)


def complaint_of_contacts_only(state: ConversationState, event: InteractionEvent) -> None:
    if event.conversation_id is not None:
        turns._complaint_filed(state, event)


def by_instant_alone(event: InteractionEvent) -> tuple[int, str]:
    return event.occurred_at, ""


def scored_though_rated(*given: Any, **clocks: Any) -> ConversationStep | None:
    step = _STEP(*given, **clocks)
    return step and replace(step, scored=given[1].kind in SCORED and given[1].conversation_id is not None)


_STEP = conversation_fold.step_conversation


def start_without_hop(window: Window, clock: int) -> int:
    return clock - window.length


def share_as_counted(ratio: WindowRatio, reader: Reader[Any]) -> Any:
    recent, whole = (reader.total(ratio.entity, window, ratio.fact) for window in (ratio.recent, ratio.window))
    return reader.ratio(recent, whole)
