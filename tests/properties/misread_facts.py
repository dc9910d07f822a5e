"""Plausible mistakes in waits, owners, values and facts, each to be put in place of what the core does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from service_quality.conversations import began_by_agent as began_by_agent_module
from service_quality.conversations import conversation, event_values
from service_quality.conversations.began_by_agent import began_by_agent
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.event_values import EventValues, Occurrence
from service_quality.conversations.reading import Reading
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.rounds import RESOLVED, Reply, Round, Share
from service_quality.conversations.turns import Turn
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.time_reached import TimeReached
from service_quality.facts import conversation_facts, visit_facts
from service_quality.facts.conversation_facts import Fact
from service_quality.facts.declared_facts import LONGEST_VIEW, OfEvents
from service_quality.features.declarations import Reader, WindowRatio
from service_quality.histories.windows import Window
from service_quality.instants import HOUR
from service_quality.policies.policy import Policy


def answered_twice(self: Reading, one: Placed, policy: Policy) -> bool:
    self.state.answered_ahead.clear()
    return _IS_ANSWERED(self, one, policy)


def answered_by_what_came_before(self: Reading, one: Placed, policy: Policy) -> bool:
    return _IS_ANSWERED(self, one if one.number is None else one._replace(number=-1), policy)


def answered_by_the_first(self: Reading, one: Placed, policy: Policy) -> bool:
    self.state.loose.reverse()
    is_answered = _IS_ANSWERED(self, one, policy)
    self.state.loose.reverse()
    return is_answered


_IS_ANSWERED = Reading._is_answered


def began_within_an_hour(placed: Sequence[Placed], index: int, *, of: Round) -> bool:
    at_once = began_by_agent_module._AT_ONCE
    began_by_agent_module._AT_ONCE = HOUR
    found = began_by_agent(placed, index, of=of)
    began_by_agent_module._AT_ONCE = at_once
    return found


def began_if_asked_in_any_round(placed: Sequence[Placed], index: int, *, of: Round) -> bool:
    return began_by_agent(placed, index, of=replace(of, opened_at=placed[-1].event.occurred_at))


def instant_wait(self: Turn, answer: InteractionEvent, *given: Any, **which: Any) -> Reply:
    reply = _REPLY(self, answer, *given, **which)
    return reply if reply.waited_ms is not None else reply._replace(waited_ms=0, waited_at_least_ms=0)


def wait_to_the_end_of_the_day(self: Turn, answer: InteractionEvent, *given: Any, **which: Any) -> Reply:
    return _REPLY(self, replace(answer, precision="ms"), *given, **which)


_REPLY = Turn.reply


def share_of_the_last(self: Turn, answer: InteractionEvent, waited: int, *given: Any, **how: Any) -> tuple[Share, ...]:
    return (Share(answer.agent_id, waited),)


def share_of_the_next(self: Turn, answer: InteractionEvent, *given: Any, **how: Any) -> tuple[Share, ...]:
    following, holders = answer.agent_id, []
    for at, agent_id in reversed(self.holders):
        following = following if agent_id is None else agent_id
        holders.append((at, following))
    return _SHARES(replace(self, holders=holders[::-1]), answer, *given, **how)


def no_share_without_time(self: Turn, *given: Any, **how: Any) -> tuple[Share, ...]:
    shares = _SHARES(self, *given, **how)
    return tuple(share for share in shares if share.waited_ms) if len(shares) > 1 else shares


_SHARES = Turn._shares


def in_the_stated_currency(event: InteractionEvent, currency: str | None) -> dict[str, str | None]:
    return _BEHAVIOUR_ATTRIBUTES(event, event.currency)


_BEHAVIOUR_ATTRIBUTES = visit_facts._attributes


def gap_without_end(event: InteractionEvent, after: InteractionEvent) -> int:
    return min(after.occurred_at - event.occurred_at, LONGEST_VIEW)


def day_of_each_order(events: Sequence[InteractionEvent], currencies: Mapping[str, str]) -> list[visit_facts.Visited]:
    visit = _LOOK_AT(events, currencies)
    return [one._replace(is_first_order=one.event.kind == "order_placed") for one in visit]


_LOOK_AT = visit_facts.look_at

#: What tells that a search without results was made, also where nothing is said of results.
UNSAID_RESULT = (("unfulfilled_searches", OfEvents("searched", only=("results", None))),)  # type: ignore[arg-type]  # as meant


def without_sums(told: Sequence[tuple[str, OfEvents]]) -> tuple[tuple[str, OfEvents], ...]:
    return tuple((name, source._replace(sums=None) if name == "units" else source) for name, source in told)


def first_who_answered(one: Round) -> str | None:
    return one.replies[0].agent_id if one.replies else one.assigned_agent or one.last_writer


def assigned_agent(one: Round) -> str | None:
    return one.assigned_agent or (one.replies[-1].agent_id if one.replies else one.last_writer)


def who_answered_or_was_assigned(one: Round) -> str | None:
    return one.replies[-1].agent_id if one.replies else one.assigned_agent


def who_wrote_last(one: Round) -> str | None:
    return one.last_writer or one.assigned_agent


def at_the_end(folded: Any, event_id: str) -> ConversationState:
    state: ConversationState = folded.state
    return state


def since_the_event(state: ConversationState, event: Occurrence) -> EventValues:
    return _VALUES(
        state, replace(event, occurred_at=event.received_at) if isinstance(event, InteractionEvent) else event
    )


def of_all_rounds(state: ConversationState, event: Occurrence) -> EventValues:
    values = _VALUES(state, event)
    return {**values, "customer_messages": sum(one.customer_messages for one in state.rounds)}


def answered_in_any_round(state: ConversationState, event: Occurrence) -> EventValues:
    values = _VALUES(state, event)
    return {**values, "answered": int(any(one.replies for one in state.rounds))}


_VALUES = event_values.read_event_values


def only_what_is_new(changed: Iterable[tuple[tuple[str, int, str], int]]) -> list[Fact]:
    return [fact for fact in _LISTED(changed) if fact.value > 0]


_LISTED = conversation_facts._listed


def reopening_by_the_next_owner(one: Round | None, before: Round | None) -> conversation_facts._Items:
    return _ITEMS(one, before and one)


_ITEMS = conversation_facts._items


def shares_for_all(reply: Reply) -> Iterator[Any]:
    return (fact for fact in _REPLY_FACTS(reply) if fact[0] is not None)


def wait_of_the_agent(reply: Reply) -> Iterator[Any]:
    if reply.waited_ms is None:
        return _REPLY_FACTS(reply)
    return _REPLY_FACTS(reply._replace(shares=(Share(reply.agent_id, reply.waited_ms, reply.judged_ms),)))


_REPLY_FACTS = conversation_facts._reply_facts


def below_its_bound(waited_ms: int) -> str:
    return _BUCKET(waited_ms + 1)


_BUCKET = conversation_facts._bucket


def resolved_by_its_end(one: Round) -> bool:
    return one.end == RESOLVED


def resolved_by_an_answer(one: Round) -> bool:
    return one.end == RESOLVED and bool(one.replies)


def visit_without_a_day(event: InteractionEvent | TimeReached) -> str:
    return _CONVERSATION_KEY(replace(event, occurred_at=0) if isinstance(event, InteractionEvent) else event)


def visit_in_the_contact_it_names(event: InteractionEvent | TimeReached) -> str:
    if event.conversation_id is not None:
        return f"contact\x1f{event.conversation_id}"
    return _CONVERSATION_KEY(event)


_CONVERSATION_KEY = conversation.conversation_key


def start_without_hop(window: Window, clock: int) -> int:
    return clock - window.length


def share_as_counted(ratio: WindowRatio, reader: Reader[Any]) -> Any:
    recent, whole = (reader.total(ratio.entity, window, ratio.fact) for window in (ratio.recent, ratio.window))
    return reader.ratio(recent, whole)
