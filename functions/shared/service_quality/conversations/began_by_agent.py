"""Contacts that an agent began: an opening that asks nothing."""

from collections.abc import Sequence

from service_quality.conversations.conversation import RETENTION
from service_quality.conversations.reading_order import Placed
from service_quality.events import kinds
from service_quality.instants import SECOND
from service_quality.policies.policy import Policy

#: A conversation that an agent begins is opened by the agent's message: its opening comes with it.
_AT_ONCE = 10 * SECOND
_ENDS = frozenset({"resolved", "reopened"})


def began_by_agent(placed: Sequence[Placed], index: int, policy: Policy, *, round_opened_at: int) -> bool:
    """Whether the opening at an index, which has no words, asks nothing in its round.

    An agent wrote at once, before the customer did, and the customer wrote later in the round.
    """
    opening = placed[index].event
    if opening.precision != "ms":
        return False
    written = _first_message(placed, index)
    if written is None:
        return False
    answer = placed[written].event
    is_near = answer.occurred_at - opening.occurred_at <= _AT_ONCE
    asked_until = round_opened_at + RETENTION
    return is_near and answer.precision == "ms" and _asks_later(placed, written, policy, until=asked_until)


def _first_message(placed: Sequence[Placed], index: int) -> int | None:
    """The index of the first message behind an index, if it is an agent's; None if the round ends before."""
    for later in range(index + 1, len(placed)):
        kind = placed[later].event.kind
        if kind == "agent_message":
            return later
        if kind == "customer_message" or kind in _ENDS:
            return None
    return None


def _asks_later(placed: Sequence[Placed], index: int, policy: Policy, *, until: int) -> bool:
    """Whether the customer writes behind an index before the round ends; after `until` a message opens the next."""
    last_activity = placed[index].event.occurred_at
    for one in placed[index + 1 :]:
        event = one.event
        if event.kind in _ENDS or event.occurred_at - last_activity > policy.ends_after_ms:
            return False
        if event.kind == "customer_message" and event.courtesy is None:
            return event.occurred_at <= until
        if event.kind in kinds.ACTIVITY and event.courtesy is None:
            last_activity = event.occurred_at
    return False
