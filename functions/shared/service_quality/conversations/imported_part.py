"""An import's part of a conversation: the conversation as the shop held it, and the same with the import's events."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from service_quality.conversations.conversation import (
    Conversation,
    Past,
    advance,
    in_time,
    is_within_retention,
    put_at,
    stated_instant,
)
from service_quality.events.interaction_event import ANNOTATIONS, FIELDS, WORDS, InteractionEvent

#: The fields by which two events of one id differ: without the arrival, and without customers' words, which no state
#: holds.
CONTENT = tuple(name for name in FIELDS if name not in ("received_at", "stated_at", *WORDS, *ANNOTATIONS))


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
    logged = {event.event_id: event for event in known.events[known.imported :]}
    imported = {event.event_id: event for event in known.events[: known.imported]}
    touched_at, order = known.touched_at, list[str]()
    for before, after in parts:
        only_held = set(before.events)  # the log may have corrected these since
        ahead = {event.event_id: event for event in after.events[after.imported :] if event.event_id not in imported}
        order = _merged(order, list(ahead))
        logged = {**ahead, **logged}
        for event in after.events:
            side = logged if event.event_id in logged else imported
            held = side.get(event.event_id)
            if held is None:
                side[event.event_id] = event
            elif event not in only_held and not same_content(held, event):
                side[event.event_id] = replace(event, policies_known=held.policies_known)
        touched_at = max(touched_at, after.touched_at)
    order = _merged(order, [event.event_id for event in known.events[known.imported :]])
    arrived = [logged[event_id] for event_id in order]
    joined = _conversation(imported.values(), arrived, touched_at, known.past or parts[-1].after.past)
    return replace(joined, reached=known.reached)


def _merged(earlier: Sequence[str], later: Sequence[str]) -> list[str]:
    """Two orders of arrival as one: what only the later one has stands before what it stands before there, else last.

    A part holds what was on the log when its import was made, so what it lacks came later.
    """
    merged = list(earlier)
    for number, one in enumerate(later):
        if one not in merged:
            places = [merged.index(behind) for behind in later[number + 1 :] if behind in merged]
            merged.insert(min(places, default=len(merged)), one)
    return merged


def _conversation(
    imported: Iterable[InteractionEvent], logged: Iterable[InteractionEvent], touched_at: int, past: Past | None
) -> Conversation:
    ordered = sorted(imported, key=in_time)
    return Conversation((*ordered, *logged), touched_at, len(ordered), past)


def same_content(one: InteractionEvent | None, other: InteractionEvent) -> bool:
    """Whether both have the same content, whenever they arrived: by the instants that their sources stated."""
    if one is None or stated_instant(one) != stated_instant(other):
        return False
    return all(getattr(one, name) == getattr(other, name) for name in CONTENT if name != "occurred_at")


def put_in(conversation: Conversation, event: InteractionEvent) -> Conversation:
    """The conversation with an event of an import, received when it occurred; it replaces another content of its id.

    RejectedEventError when the conversation is at its bound.
    """
    for index, known in enumerate(conversation.events):
        if known.event_id == event.event_id:
            if same_content(known, event):
                return conversation
            return put_at(conversation, index, event, received_clock=event.occurred_at)
    advanced = advance(conversation, event, received_clock=event.occurred_at)
    imported, logged = advanced.events[: conversation.imported], advanced.events[conversation.imported : -1]
    return replace(
        _conversation([*imported, advanced.events[-1]], logged, advanced.touched_at, conversation.past),
        size=advanced.size,
    )


def holds_all(conversation: Conversation, other: Conversation) -> bool:
    """Whether a conversation holds every event id of another one, with any content."""
    return {event.event_id for event in other.events} <= {event.event_id for event in conversation.events}
