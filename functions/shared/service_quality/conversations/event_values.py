"""Values of a conversation as numbers: the features that need no history."""

from typing import Protocol

from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.deadlines import answer_due_at, waited_share
from service_quality.conversations.declared_values import CURRENCY_KNOWN, DECLARED_VALUES
from service_quality.conversations.local_time import UTC, on_the_clock
from service_quality.conversations.wait_stages import WAITED_SHARE
from service_quality.instants import day_of_week, hour_of_day

#: The names of what `read_event_values` gives; a feature of another name is refused while it is declared.
EVENT_VALUES = tuple(DECLARED_VALUES)
#: Those of them that are 1 for yes and 0 for no.
FLAGS = tuple(name for name, value in DECLARED_VALUES.items() if value.is_flag)

#: The values of a conversation at an instant, by name.
EventValues = dict[str, float | int | None]


class Occurrence(Protocol):
    """An instant at which a conversation is looked at: that of an event, or one that time has reached."""

    @property
    def occurred_at(self) -> int: ...
    @property
    def precision(self) -> str: ...


def read_event_values(state: ConversationState, event: Occurrence) -> EventValues:
    """Values of the event's round up to the event and at its instant; `state` is that after the event.

    Durations in milliseconds, missing where an end is known to the day only; hours and days in the zone of the policy
    that judges the round, or the wait. A rating shows only in `closed`,
    which is for rules.
    """
    if state.round is None:
        return {**_WITHOUT_ROUND, "closed": int(state.closed)}
    last = state.round
    replies, turn, at = last.replies, state.turn, event.occurred_at
    first = replies[0] if replies else None
    answer = last.last_answer if turn is None else None
    later = [reply.waited_ms for reply in replies[1:] if reply.waited_ms is not None]
    is_timed, is_exact = last.opened_precision == "ms", event.precision == "ms"
    opened_at, shown_at, zone = last.opened_at, at, last.policy.zone
    if zone != UTC:
        opened_at = on_the_clock(opened_at, last.opened_precision, zone)
        shown_at = on_the_clock(at, event.precision, zone)
    return {
        "answered": int(bool(replies)),
        "first_response_at_least_ms": first.waited_at_least_ms if first else None,
        "first_response_ms": first.waited_ms if first else None,
        "first_response_days": first.waited_days if first else None,
        "first_response_untimed": int(first is not None and first.waited_ms is None),
        "longest_later_reply_ms": max(later) if later else None,
        "last_reply_ms": replies[-1].waited_ms if replies else None,
        "waiting": int(turn is not None),
        "waiting_ms": turn.waited_at(at, state.pauses_until(at)) if turn is not None and is_exact else None,
        "paused_ms": turn.paused_ms(at, state.pauses_until(at)) if turn is not None and is_exact else None,
        "waiting_days": None if turn is None else turn.days_until(at, event.precision),
        WAITED_SHARE: waited_share(state, at) if is_exact else None,
        "answer_due_at": answer_due_at(state),
        "answered_at": answer.at if answer is not None else None,
        "answer_over_ms": answer.over_ms if answer is not None else None,
        "conversation_age_ms": at - last.opened_at if is_timed and is_exact else None,
        "opened_hour": hour_of_day(opened_at) if is_timed else None,
        "opened_weekday": day_of_week(opened_at),
        "event_hour": hour_of_day(shown_at) if is_exact else None,
        "event_weekday": day_of_week(shown_at),
        "replies": len(replies),
        "customer_messages": last.customer_messages,
        "agent_messages": last.agent_messages,
        "bot_messages": last.bot_messages,
        "transfers": len(last.transfers),
        "reopenings": last.number - 1,
        "conversation_complaints": len(last.complaints),
        "price_minor": state.amount_minor,
        CURRENCY_KNOWN: int(state.currency is not None),
        "closed": int(state.closed),
    }


_WITHOUT_ROUND: EventValues = {name: 0 if value.is_count else None for name, value in DECLARED_VALUES.items()}
