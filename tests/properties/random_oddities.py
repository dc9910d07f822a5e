"""What sources do besides the usual: thanks, sequences, statuses, merges, unknown senders, and edited events."""

from dataclasses import replace
from typing import Any, Protocol, TypeVar

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import MINUTE, SECOND

Option = TypeVar("Option")

THANKS = "Thanks!"
WORDS = "Wo bleibt mein Paket?"
WITH_STATUS = ("status_changed", "resolved", "reopened", "conversation_opened", "agent_message")
#: One option in so many is the odd one.
SELDOM, NOW_AND_THEN = 16, 4


class Choosing(Protocol):
    """Decodes an integer into choices, the first option of each from 0."""

    def of(self, options: tuple[Option, ...]) -> Option: ...


def with_oddities(choices: Choosing, event: InteractionEvent) -> InteractionEvent:
    """The event, now and then with what its source says besides."""
    said: dict[str, Any] = {}
    if event.kind == "customer_message" and _one_in(choices, NOW_AND_THEN):
        said |= {"text": THANKS, "courtesy": 1}
    if event.kind == "conversation_opened" and _one_in(choices, 2):
        said["text"] = WORDS
    if event.kind in ("agent_message", "assigned") and _one_in(choices, SELDOM):
        said |= dict.fromkeys(("agent_id", "supervisor_id", "manager_id", "agent_tenure", "agent_shift"))
    if event.kind == "rated" and _one_in(choices, SELDOM):
        said["rating"] = None
    if event.kind in WITH_STATUS and _one_in(choices, NOW_AND_THEN):
        said["status"] = choices.of(("pending", "open"))
    if event.kind in ("status_changed", "resolved") and _one_in(choices, SELDOM):
        said["merged_into"] = "c9"
    if event.conversation_id is not None:
        said["sequence"] = choices.of((None, 1, None, 2, None, 3))
    return replace(event, **said)


def edited(choices: Choosing, event: InteractionEvent, *, now: int) -> InteractionEvent:
    """The event as its source sends it again under the same id: corrected, moved, or as another kind."""
    again = replace(event, received_at=now)
    changed = choices.of(("content", "content", "content", "instant", "kind"))
    if changed == "instant":
        return replace(again, occurred_at=event.occurred_at - choices.of((SECOND, MINUTE)))
    if changed == "kind" and event.conversation_id is not None:
        return replace(again, kind=choices.of(("bot_message", "internal_note")))
    if event.kind == "rated":
        return replace(again, rating=choices.of((1, 5, 3)))
    if event.kind == "customer_message":
        return replace(again, text="Wo bleibt mein Paket denn?")
    return replace(again, category=choices.of(("delivery", "returns")), agent_id=event.agent_id and "cas")


def _one_in(choices: Choosing, count: int) -> bool:
    return choices.of((False,) * (count - 1) + (True,))
