"""Who waited for whom: the turns, replies and standing of one conversation, read off its events in one pass."""

from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, floor_to

_AGENT_FIELDS = ("supervisor_id", "manager_id", "agent_tenure", "agent_shift")
_CONTACT_FIELDS = ("customer_id", "category", "subcategory", "product", "sku", "channel")


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
class Standing:
    """What a conversation's events say so far, with instants in epoch milliseconds."""

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
        """Whom the outcome belongs to: the last agent who answered, else the one it was assigned to."""
        return self.replies[-1].agent_id if self.replies else self.assigned_agent

    @property
    def closed(self) -> bool:
        """Nothing more is expected: rated, or resolved and not reopened since."""
        return self.rating is not None or self.resolved_at is not None


def read_standing(conversation: Conversation) -> Standing:
    """One pass over the events in their order.

    A turn opens with the contact itself or with the first customer message while none is open, and ends with
    the first message of a person. Bots and notes neither end a turn nor stop its clock.
    """
    standing = Standing()
    for event in conversation.events:
        _read_attributes(standing, event)
        reader = _READERS.get(event.kind)
        if reader is not None:
            reader(standing, event)
    return standing


def _read_attributes(standing: Standing, event: InteractionEvent) -> None:
    for name in _CONTACT_FIELDS:
        value = getattr(event, name)
        if value is not None:
            standing.contact[name] = value
    if event.amount_minor is not None:
        standing.amount_minor = event.amount_minor
    if event.agent_id is not None:
        profile = standing.agents.setdefault(event.agent_id, {})
        for name in _AGENT_FIELDS:
            value = getattr(event, name)
            if value is not None:
                profile[name] = value


def _opened(standing: Standing, event: InteractionEvent) -> None:
    if standing.opened_at is None:
        standing.opened_at, standing.opened_precision = event.occurred_at, event.precision
    if event.agent_id is not None:
        standing.assigned_agent = event.agent_id
    if not standing.agent_messages:
        _start_turn(standing, event)


def _customer_message(standing: Standing, event: InteractionEvent) -> None:
    standing.customer_messages += 1
    standing.resolved_at = None
    _start_turn(standing, event)


def _start_turn(standing: Standing, event: InteractionEvent) -> None:
    if standing.opened_at is None:
        standing.opened_at, standing.opened_precision = event.occurred_at, event.precision
    if standing.waiting_since is None:
        standing.waiting_since, standing.waiting_precision = event.occurred_at, event.precision


def _agent_message(standing: Standing, event: InteractionEvent) -> None:
    standing.agent_messages += 1
    if standing.waiting_since is None or event.agent_id is None:
        return
    standing.replies.append(_reply(standing, event, event.agent_id, standing.waiting_since))
    standing.waiting_since = None


def _reply(standing: Standing, event: InteractionEvent, agent_id: str, since: int) -> Reply:
    exact = event.precision == "ms" and standing.waiting_precision == "ms"
    waited = event.occurred_at - since if exact else None
    days = event.occurred_at // DAY - since // DAY
    at_least = floor_to(event.occurred_at, DAY) - since if days and standing.waiting_precision == "ms" else None
    return Reply(event.occurred_at, agent_id, waited, days, waited if exact else at_least)


def _bot_message(standing: Standing, event: InteractionEvent) -> None:
    standing.bot_messages += 1


def _assigned(standing: Standing, event: InteractionEvent) -> None:
    if standing.assigned_agent is not None and standing.assigned_agent != event.agent_id:
        standing.transfers.append(event.occurred_at)
    standing.assigned_agent = event.agent_id


def _resolved(standing: Standing, event: InteractionEvent) -> None:
    standing.resolved_at = event.occurred_at
    standing.waiting_since = None


def _reopened(standing: Standing, event: InteractionEvent) -> None:
    standing.reopened.append(event.occurred_at)
    standing.resolved_at = None
    _start_turn(standing, event)


def _rated(standing: Standing, event: InteractionEvent) -> None:
    standing.rated_at, standing.rating = event.occurred_at, event.rating


def _complaint_filed(standing: Standing, event: InteractionEvent) -> None:
    standing.complaints.append(event.occurred_at)


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
