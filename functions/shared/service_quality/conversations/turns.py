"""Who waited for whom: the turns, replies and state of one conversation, read off its events in one pass."""

from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation
from service_quality.events.declared_fields import AGENT, CONTACT
from service_quality.events.interaction_event import InteractionEvent, fields_describing
from service_quality.instants import DAY, floor_to

_AGENT_FIELDS, _CONTACT_FIELDS = fields_describing(AGENT), fields_describing(CONTACT)


class Reply(NamedTuple):
    """An agent's message that answered a waiting customer.

    `waited_ms` is None where either end is known to the day only; `waited_days` counts midnights between them.
    `waited_at_least_ms` is the shortest wait that the stamps allow: from an exact start to the beginning of the
    day of the answer.
    """

    at: int
    agent_id: str
    waited_ms: int | None
    waited_days: int
    waited_at_least_ms: int | None


@dataclass(slots=True)
class ConversationState:
    """A conversation's state after its events so far; instants in epoch milliseconds."""

    opened_at: int | None = None
    opened_precision: str = "ms"
    waiting_since: int | None = None
    waiting_precision: str = "ms"
    replies: list[Reply] = field(default_factory=list)
    customer_messages: int = 0
    agent_messages: int = 0
    bot_messages: int = 0
    transfers: list[int] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)
    complaints: list[int] = field(default_factory=list)
    resolved_at: int | None = None
    rated_at: int | None = None
    rating: int | None = None
    amount_minor: int | None = None
    assigned_agent: str | None = None
    contact: dict[str, str] = field(default_factory=dict)
    agents: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def owner(self) -> str | None:
        """The agent to whom the outcome belongs: the last who answered, else the assigned one."""
        return self.replies[-1].agent_id if self.replies else self.assigned_agent

    @property
    def closed(self) -> bool:
        """Whether the conversation is rated, or resolved and not reopened since."""
        return self.rating is not None or self.resolved_at is not None


def read_state(conversation: Conversation) -> ConversationState:
    """The state of a conversation, by one pass over its events in their order.

    A turn opens with the contact itself or with the first customer message while no turn is open, and ends with the
    first message of a person. Bots and notes neither end a turn nor stop its clock.
    """
    state = ConversationState()
    for event in conversation.events:
        _read_attributes(state, event)
        reader = _READERS.get(event.kind)
        if reader is not None:
            reader(state, event)
    return state


def _read_attributes(state: ConversationState, event: InteractionEvent) -> None:
    for name in _CONTACT_FIELDS:
        value = getattr(event, name)
        if value is not None:
            state.contact[name] = value
    if event.amount_minor is not None:
        state.amount_minor = event.amount_minor
    if event.agent_id is not None:
        profile = state.agents.setdefault(event.agent_id, {})
        for name in _AGENT_FIELDS:
            value = getattr(event, name)
            if value is not None:
                profile[name] = value


def _opened(state: ConversationState, event: InteractionEvent) -> None:
    if state.opened_at is None:
        state.opened_at, state.opened_precision = event.occurred_at, event.precision
    if event.agent_id is not None:
        state.assigned_agent = event.agent_id
    if not state.agent_messages:
        _start_turn(state, event)


def _customer_message(state: ConversationState, event: InteractionEvent) -> None:
    state.customer_messages += 1
    state.resolved_at = None
    _start_turn(state, event)


def _start_turn(state: ConversationState, event: InteractionEvent) -> None:
    if state.opened_at is None:
        state.opened_at, state.opened_precision = event.occurred_at, event.precision
    if state.waiting_since is None:
        state.waiting_since, state.waiting_precision = event.occurred_at, event.precision


def _agent_message(state: ConversationState, event: InteractionEvent) -> None:
    state.agent_messages += 1
    if state.waiting_since is None or event.agent_id is None:
        return
    state.replies.append(_reply(state, event, event.agent_id, state.waiting_since))
    state.waiting_since = None


def _reply(state: ConversationState, event: InteractionEvent, agent_id: str, since: int) -> Reply:
    exact = event.precision == "ms" and state.waiting_precision == "ms"
    waited = event.occurred_at - since if exact else None
    days = event.occurred_at // DAY - since // DAY
    at_least = floor_to(event.occurred_at, DAY) - since if days and state.waiting_precision == "ms" else None
    return Reply(event.occurred_at, agent_id, waited, days, waited if exact else at_least)


def _bot_message(state: ConversationState, event: InteractionEvent) -> None:
    state.bot_messages += 1


def _assigned(state: ConversationState, event: InteractionEvent) -> None:
    if state.assigned_agent is not None and state.assigned_agent != event.agent_id:
        state.transfers.append(event.occurred_at)
    state.assigned_agent = event.agent_id


def _resolved(state: ConversationState, event: InteractionEvent) -> None:
    state.resolved_at = event.occurred_at
    state.waiting_since = None


def _reopened(state: ConversationState, event: InteractionEvent) -> None:
    state.reopened.append(event.occurred_at)
    state.resolved_at = None
    _start_turn(state, event)


def _rated(state: ConversationState, event: InteractionEvent) -> None:
    state.rated_at, state.rating = event.occurred_at, event.rating


def _complaint_filed(state: ConversationState, event: InteractionEvent) -> None:
    state.complaints.append(event.occurred_at)


_READERS = {
    "conversation_opened": _opened,
    "customer_message": _customer_message,
    "agent_message": _agent_message,
    "bot_message": _bot_message,
    "assigned": _assigned,
    "resolved": _resolved,
    "reopened": _reopened,
    "rated": _rated,
    "complaint_filed": _complaint_filed,
}
