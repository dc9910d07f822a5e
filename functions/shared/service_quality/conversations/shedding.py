"""Long threads: events that are too old to be repeated leave a conversation, and their rounds stay as integers."""

from dataclasses import replace

from service_quality.conversations.conversation import CONVERSATION_RETENTION, Conversation, Past
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading_order import Placed

#: A conversation of fewer events is left as it is.
SHED_FROM = 200


def first_kept(placed: list[Placed], state: ConversationState, *, received_clock: int) -> int:
    """The index of the first event to be kept: that of the latest round behind which everything is too old; else 0."""
    oldest = received_clock - CONVERSATION_RETENTION
    begins = [one.begins for one in state.rounds if one.begins and placed[one.begins - 1].event.occurred_at < oldest]
    return max(begins, default=0)


def shed(conversation: Conversation, placed: list[Placed], before: ConversationState, *, first: int) -> Conversation:
    """The conversation from an event on; `before` is its state up to there."""
    kept = {one.event.event_id for one in placed[first:]}
    imported = tuple(event for event in conversation.events[: conversation.imported] if event.event_id in kept)
    logged = tuple(event for event in conversation.events[conversation.imported :] if event.event_id in kept)
    return replace(
        conversation,
        events=(*imported, *logged),
        imported=len(imported),
        past=_past(before),
        size=None,
    )


def _past(state: ConversationState) -> Past | None:
    last = state.round
    if last is None:
        return None
    replied = None if state.replied is None else (state.replied.number, state.replied.last_replier)
    named = {last.owner, state.assigned_agent, None if replied is None else replied[1]}
    return Past(
        rounds=last.number,
        end=last.end,
        owner=last.owner,
        replied=replied,
        assigned_agent=state.assigned_agent,
        amount_minor=state.amount_minor,
        contact=tuple(sorted(state.contact.items())),
        agents=tuple(
            (agent_id, tuple(sorted(profile.items())))
            for agent_id, profile in sorted(state.agents.items())
            if agent_id in named
        ),
        currency=state.stated_currency,
    )
