"""An import's part of a conversation: the conversation as the shop held it, and the same with the import's events."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation, advance, is_within_retention
from service_quality.events.interaction_event import FIELDS, InteractionEvent

#: The fields by which two events of one id differ: without the arrival, and without customers' words, which no state
#: holds.
CONTENT = tuple(name for name in FIELDS if name not in ("received_at", "text", "query"))


class ImportedPart(NamedTuple):
    """One conversation in an import, whose facts are those of `after` minus those of `before`.

    `before` is empty for a conversation that the shop did not hold.
    """

    before: Conversation
    after: Conversation

    def is_within_retention(self, *, received_clock: int) -> bool:
        """Whether the conversation is within retention by the log's own time."""
        return is_within_retention(self.after.touched_at, received_clock=received_clock)


def join_parts(known: Conversation, parts: Sequence[ImportedPart]) -> Conversation:
    """The known conversation joined with imported parts, in their order: each event once, in its latest content.

    `known` itself without parts. The bound of a conversation is not applied.
    """
    if not parts:
        return known
    events = {event.event_id: event for event in known.events}
    touched_at = known.touched_at
    for _, after in parts:
        for event in after.events:
            if not same_content(events.get(event.event_id), event):
                events[event.event_id] = event
        touched_at = max(touched_at, after.touched_at)
    ordered = sorted(events.values(), key=lambda event: (event.occurred_at, event.event_id))
    return Conversation(tuple(ordered), touched_at)


def same_content(one: InteractionEvent | None, other: InteractionEvent) -> bool:
    """Whether both have the same content, whenever they arrived."""
    return one is not None and all(getattr(one, name) == getattr(other, name) for name in CONTENT)


def put_in(conversation: Conversation, event: InteractionEvent) -> Conversation:
    """The conversation with an event of an import, received when it occurred; it replaces another content of its id.

    RejectedEventError when the conversation is at its bound.
    """
    known = next((one for one in conversation.events if one.event_id == event.event_id), None)
    if known is None:
        return advance(conversation, event, received_clock=event.occurred_at)
    if same_content(known, event):
        return conversation
    others = tuple(one for one in conversation.events if one is not known)
    return advance(replace(conversation, events=others), event, received_clock=event.occurred_at)


def holds_all(conversation: Conversation, other: Conversation) -> bool:
    """Whether a conversation holds every event id of another one, with any content."""
    return {event.event_id for event in other.events} <= {event.event_id for event in conversation.events}
