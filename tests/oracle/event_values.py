"""The values of a conversation alone after an event, as the feature dictionary and the rules name them."""

from datetime import UTC, datetime, timedelta

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.outcome import is_closed, transfers
from tests.oracle.spans import DAY
from tests.oracle.waiting import Events, of_kind, open_turn, opening, replies

Values = dict[str, int | None]


def event_values(event: InteractionEvent, events: Events, *, clock: int) -> Values:
    """Every value of the conversation at the clock; `events` are in order of time and hold the event."""
    return {
        **_of_replies(events),
        **_of_waiting(open_turn(events), clock),
        **_of_opening(opening(events), clock),
        "event_hour": _utc(event).hour if event.precision == "ms" else None,
        "event_weekday": _utc(event).weekday(),
        "customer_messages": len(of_kind(events, "customer_message")),
        "agent_messages": len(of_kind(events, "agent_message")),
        "bot_messages": len(of_kind(events, "bot_message")),
        "reopenings": len(of_kind(events, "reopened")),
        "conversation_complaints": len(of_kind(events, "complaint_filed")),
        "transfers": len(transfers(events)),
        "price_minor": _last_amount(events),
        "closed": int(is_closed(events)),
    }


def _of_replies(events: Events) -> Values:
    answered = replies(events)
    first = answered[0] if answered else None
    later = [reply.waited_ms for reply in answered[1:] if reply.waited_ms is not None]
    return {
        "answered": 1 if answered else 0,
        "replies": len(answered),
        "first_response_ms": first.waited_ms if first else None,
        "first_response_at_least_ms": first.waited_at_least_ms if first else None,
        "first_response_days": first.waited_days if first else None,
        "first_response_untimed": 1 if first and first.waited_ms is None else 0,
        "longest_later_reply_ms": max(later, default=None),
        "last_reply_ms": answered[-1].waited_ms if answered else None,
    }


def _of_waiting(turn: InteractionEvent | None, clock: int) -> Values:
    return {
        "waiting_ms": _since(turn, clock),
        "waiting_days": clock // DAY - turn.occurred_at // DAY if turn else None,
    }


def _of_opening(opened: InteractionEvent | None, clock: int) -> Values:
    return {
        "conversation_age_ms": _since(opened, clock),
        "opened_hour": _utc(opened).hour if opened and opened.precision == "ms" else None,
        "opened_weekday": _utc(opened).weekday() if opened else None,
    }


def _since(start: InteractionEvent | None, clock: int) -> int | None:
    """Milliseconds from an event to the clock; missing without the event, and where only its day is known."""
    return None if start is None or start.precision == "day" else max(clock - start.occurred_at, 0)


def _last_amount(events: Events) -> int | None:
    amounts = [event.amount_minor for event in events if event.amount_minor is not None]
    return amounts[-1] if amounts else None


def _utc(event: InteractionEvent) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=event.occurred_at)
