"""What an import knows of a conversation: what the shop held of it when the import was made, and what it is with it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from service_quality.conversations.conversation import Conversation, advance, is_remembered
from service_quality.events.interaction_event import FIELDS, InteractionEvent

#: What makes two events of one id differ: arrival is none of it, and customers' words are in no state.
CONTENT = tuple(name for name in FIELDS if name not in ("received_at", "text", "query"))


class ImportedPart(NamedTuple):
    """One conversation in an import, whose facts are those of `after` minus those of `before`.

    `before` is empty where nothing was known of the conversation.
    """

    before: Conversation
    after: Conversation

    def remembered(self, *, received_clock: int) -> bool:
        """Whether the conversation is within retention by the log's own time."""
        return is_remembered(self.after.touched_at, received_clock=received_clock)


def join_parts(known: Conversation, parts: Sequence[ImportedPart]) -> Conversation:
    """What is known and what imports say of it, in their order: each event once, in the content that came last.

    `known` itself where there are no parts. The bound of a conversation is not applied.
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
    """Whether both say the same, whenever they arrived."""
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
    """Whether a conversation holds every event of another one, in whatever content."""
    return {event.event_id for event in other.events} <= {event.event_id for event in conversation.events}
