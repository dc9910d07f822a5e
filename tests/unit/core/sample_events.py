"""Events for three-row tests: everything a default but what the row is about."""

from service_quality.conversations.conversation import EMPTY, Conversation, advance
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY

NOON = 19_600 * DAY + DAY // 2


def event(kind: str, at: int, /, **fields: object) -> InteractionEvent:
    """An event of conversation c1, so many milliseconds after noon, received when it occurred."""
    given = {"event_id": f"{kind}@{at}", "shop_id": "shop", "conversation_id": "c1", **fields}
    if kind == "agent_message":
        given = {"agent_id": "ann", **given}
    return InteractionEvent(kind=kind, occurred_at=NOON + at, received_at=NOON + at, **given)  # type: ignore[arg-type]


def conversation(*events: InteractionEvent) -> Conversation:
    """The events folded in the order given."""
    folded = EMPTY
    for one in events:
        folded = advance(folded, one, received_clock=one.received_at)
    return folded
