"""Values of a conversation as numbers: the features that need no history."""

from service_quality.conversations.turns import ConversationState
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, day_of_week, hour_of_day

#: The names of what `read_event_values` gives; a feature of another name is refused while it is declared.
EVENT_VALUES = (
    "answered", "first_response_at_least_ms", "first_response_ms", "first_response_days", "first_response_untimed",
    "longest_later_reply_ms", "last_reply_ms", "waiting_ms", "waiting_days", "conversation_age_ms",
    "opened_hour", "opened_weekday", "event_hour", "event_weekday",
    "replies", "customer_messages", "agent_messages", "bot_messages", "transfers", "reopenings",
    "conversation_complaints", "price_minor", "closed",
)  # fmt: skip


def read_event_values(state: ConversationState, event: InteractionEvent, *, clock: int) -> dict[str, int | None]:
    """Values of the conversation including the event, at the clock.

    Durations in milliseconds, missing where an end is known to the day only. A rating shows only in `closed`,
    which is for rules.
    """
    replies = state.replies
    first = replies[0] if replies else None
    later = [reply.waited_ms for reply in replies[1:] if reply.waited_ms is not None]
    opened_at = state.opened_at
    return {
        "answered": int(bool(replies)),
        "first_response_at_least_ms": first.waited_at_least_ms if first else None,
        "first_response_ms": first.waited_ms if first else None,
        "first_response_days": first.waited_days if first else None,
        "first_response_untimed": int(first is not None and first.waited_ms is None),
        "longest_later_reply_ms": max(later) if later else None,
        "last_reply_ms": replies[-1].waited_ms if replies else None,
        "waiting_ms": _since(state.waiting_since, state.waiting_precision, clock),
        "waiting_days": None if state.waiting_since is None else clock // DAY - state.waiting_since // DAY,
        "conversation_age_ms": _since(opened_at, state.opened_precision, clock),
        "opened_hour": hour_of_day(opened_at) if opened_at is not None and state.opened_precision == "ms" else None,
        "opened_weekday": None if opened_at is None else day_of_week(opened_at),
        "event_hour": hour_of_day(event.occurred_at) if event.precision == "ms" else None,
        "event_weekday": day_of_week(event.occurred_at),
        "replies": len(replies),
        "customer_messages": state.customer_messages,
        "agent_messages": state.agent_messages,
        "bot_messages": state.bot_messages,
        "transfers": len(state.transfers),
        "reopenings": len(state.reopened),
        "conversation_complaints": len(state.complaints),
        "price_minor": state.amount_minor,
        "closed": int(state.closed),
    }


def _since(start: int | None, precision: str, clock: int) -> int | None:
    return None if start is None or precision == "day" else max(0, clock - start)
