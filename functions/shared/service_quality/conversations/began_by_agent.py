"""Contacts that an agent began: an opening that asks nothing."""

from collections.abc import Iterator, Sequence

from service_quality.conversations.conversation import RETENTION
from service_quality.conversations.reading_order import Placed
from service_quality.conversations.rounds import Round
from service_quality.events import kinds
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import SECOND
from service_quality.policies.policy import Policy
from service_quality.policies.silence import is_over_by_silence

#: A conversation that an agent begins is opened by the agent's message: its opening comes with it.
_AT_ONCE = 10 * SECOND
_ENDS = frozenset({"resolved", "reopened"})


def began_by_agent(placed: Sequence[Placed], index: int, *, of: Round) -> bool:
    """Whether the opening at an index, which has no words, asks nothing in its round.

    An agent wrote at once, before the customer did, and the customer wrote later in the round.
    """
    opening = placed[index].event
    if opening.precision != "ms":
        return False
    left = _in_round(placed, index, of.policy)
    answer = next((event for event in left if event.kind in ("agent_message", "customer_message")), None)
    if answer is None or answer.kind == "customer_message":
        return False
    is_near = answer.occurred_at - opening.occurred_at <= _AT_ONCE
    if not is_near or answer.precision != "ms":
        return False
    return _asks_later(left, until=of.opened_at + RETENTION)


def _in_round(placed: Sequence[Placed], index: int, policy: Policy) -> Iterator[InteractionEvent]:
    """The events behind an index, up to the end of its round."""
    last_activity = placed[index].event.occurred_at
    for event, _ in placed[index + 1 :]:
        if event.kind in _ENDS or is_over_by_silence(policy, last_activity, event.occurred_at):
            return
        if event.kind in kinds.ACTIVITY and event.courtesy is None:
            last_activity = event.occurred_at
        yield event


def _asks_later(left: Iterator[InteractionEvent], *, until: int) -> bool:
    """Whether the customer asks in the round.

    After `until` a question opens the next round, unless the customer waits since an opening with words.
    """
    waits = False
    for event in left:
        if event.kind == "customer_message" and event.courtesy is None:
            return waits or event.occurred_at <= until
        if event.kind == "conversation_opened" and event.text_digest is not None:
            waits = True
        elif event.kind == "agent_message":
            waits = False
    return False
