"""A conversation as the product understands it, in plain values: what a dry run prints and a bug report quotes."""

from collections.abc import Sequence

from service_quality.conversations.conversation import Conversation
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.reading import read_conversation
from service_quality.conversations.reading_order import in_order
from service_quality.conversations.rounds import AGE, SILENCE, Reply, Round, Unanswered
from service_quality.instants import format_instant
from service_quality.policies.policy import Policy


def describe_conversation(
    conversation: Conversation, policies: Sequence[Policy] = (), *, until: int | None = None
) -> dict[str, object]:
    """The ids of a conversation of at least one event, and its rounds; instants are ISO 8601, in UTC.

    A missing value is None; lengths of time are missing where an end is known to the day only. A round that has been
    silent for too long `until` an instant, the end of the log, has ended.
    """
    placed, first = in_order(conversation), conversation.events[0]
    state = read_conversation(placed, policies, past=conversation.past, until=until)
    ends = placed[-1].event.occurred_at if until is None else until
    return {
        "shop_id": first.shop_id,
        "conversation_id": first.conversation_id,
        "merged": state.is_merged,
        "closed": state.closed,
        "owner": state.owner,
        "waiting_since": _instant(None if state.turn is None else state.turn.since),
        "rounds": [_round(one, state, until=ends) for one in state.rounds if not one.is_summary],
    }


def _round(one: Round, state: ConversationState, *, until: int) -> dict[str, object]:
    turn = state.turn if one is state.round else None
    rating = one.ratings[-1] if one.ratings else None
    return {
        "number": one.number,
        "opened_at": format_instant(one.opened_at),
        "reopening": one.is_reopening and one.number > 1,
        "end": one.end or None,
        "ended_at": _instant(one.ended_at),
        "end_is_derived": one.end in (SILENCE, AGE),
        "first_response_ms": one.replies[0].waited_ms if one.replies else None,
        "replies": [_reply(reply) for reply in one.replies],
        "waiting_since": _instant(None if turn is None else turn.since),
        "wait_is_provisional": turn is not None and turn.is_provisional(until, state.contact),
        "unanswered": [_unanswered(ended) for ended in one.unanswered],
        "resolved": one.is_resolved,
        "resolution_ms": one.resolution_ms if one.is_resolved else None,
        "owner": one.owner,
        "rating": rating.rating if rating else None,
        "rated_at": _instant(rating.at if rating else None),
        "rated_agent": rating.agent_id if rating else None,
        "dissatisfied": rating.is_dissatisfied if rating else None,
        "transfers": [format_instant(at) for at in one.transfers],
        "complaints": [format_instant(at) for at in one.complaints],
        "customer_messages": one.customer_messages,
        "agent_messages": one.agent_messages,
        "bot_messages": one.bot_messages,
    }


def _reply(reply: Reply) -> dict[str, object]:
    return {
        "at": format_instant(reply.at),
        "agent_id": reply.agent_id,
        "waited_ms": reply.waited_ms,
        "business_ms": reply.open_ms,
        "judged_by": reply.judged_by,
        "on_time": None if reply.judged_ms is None else reply.judged_ms <= reply.on_time_within_ms,
        "provisional": reply.provisional,
        "shares": [{"agent_id": share.agent_id, "waited_ms": share.waited_ms} for share in reply.shares],
    }


def _unanswered(turn: Unanswered) -> dict[str, object]:
    return {
        "at": format_instant(turn.at),
        "agent_id": turn.agent_id,
        "abandoned": turn.abandoned,
        "provisional": turn.provisional,
    }


def _instant(at: int | None) -> str | None:
    return None if at is None else format_instant(at)
