"""The values of a conversation alone at an event's own place, or at any instant, as features and rules name them."""

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.deadlines import answer_due_at, waited_share
from tests.oracle.entities import currency_of
from tests.oracle.outcome import is_closed, is_visit, transfers
from tests.oracle.rounds import open_turn, places_in_round, replies, round_at, rounds, turns
from tests.oracle.shares import judged_ms, limit_of, unpaused_ms, waited_at_least_ms, waited_days, waited_ms
from tests.oracle.story import Instant, Story, is_exact
from tests.oracle.wall import days_between, on_the_wall

Values = dict[str, float | int | None]

COUNTS = (
    "answered", "first_response_untimed", "replies", "customer_messages", "agent_messages", "bot_messages", "transfers",
    "conversation_complaints", "reopenings", "waiting", "currency_known", "closed",
)  # fmt: skip
LENGTHS = (
    "first_response_ms", "first_response_at_least_ms", "first_response_days", "longest_later_reply_ms",
    "last_reply_ms", "waiting_ms", "waiting_days", "paused_ms", "waited_share", "answer_due_at",
    "answered_at", "answer_over_ms", "conversation_age_ms",
    "opened_hour", "opened_weekday", "event_hour", "event_weekday", "price_minor",
)  # fmt: skip
OF_WAIT = ("waiting_ms", "waiting_days", "paused_ms", "waited_share", "answer_due_at")


def event_values(event: InteractionEvent, story: Story) -> Values:
    """Every value at the event, by the story up to it."""
    return values_at(event, story.until(story.place_of(event.event_id)), is_void=story.is_void)


def values_at(moment: InteractionEvent | Instant, until: Story, *, is_void: bool) -> Values:
    """Every value at an instant, by the story up to it; of a visit or a merged conversation nothing is known."""
    if is_visit(until) or is_void:
        counts: Values = dict.fromkeys(COUNTS, 0)
        return {**counts, **dict.fromkeys(LENGTHS), "closed": int(is_void)}
    number = round_at(until, len(until) - 1)
    zone = until.policy_at(rounds(until)[number].opens).zone
    return {
        **_of_replies(until, number),
        **_of_waiting(until, moment),
        **_of_last_answer(until, number),
        **_of_opening(until, number, moment),
        "event_hour": on_the_wall(moment, zone).hour if is_exact(moment) else None,
        "event_weekday": on_the_wall(moment, zone).weekday(),
        "customer_messages": len(places_in_round(until, number, "customer_message")),
        "agent_messages": len(places_in_round(until, number, "agent_message")),
        "bot_messages": len(places_in_round(until, number, "bot_message")),
        "conversation_complaints": len(places_in_round(until, number, "complaint_filed")),
        "transfers": len(transfers(until, number)),
        "reopenings": number,
        "price_minor": _last_amount(until),
        "currency_known": int(currency_of(until) is not None),
        "closed": int(is_closed(until, number)),
    }


def _of_replies(story: Story, number: int) -> Values:
    answered = replies(story, number)
    waits = [waited_ms(story, turn) for turn in answered]
    first = answered[0] if answered else None
    return {
        "answered": 1 if answered else 0,
        "replies": len(answered),
        "first_response_ms": waits[0] if waits else None,
        "first_response_at_least_ms": waited_at_least_ms(story, first) if first else None,
        "first_response_days": waited_days(story, first) if first else None,
        "first_response_untimed": 1 if waits and waits[0] is None else 0,
        "longest_later_reply_ms": max((wait for wait in waits[1:] if wait is not None), default=None),
        "last_reply_ms": waits[-1] if waits else None,
    }


def _of_waiting(story: Story, moment: InteractionEvent | Instant) -> Values:
    turn, at, exact = open_turn(story), moment.occurred_at, is_exact(moment)
    if turn is None:
        return {"waiting": 0, **dict.fromkeys(OF_WAIT)}
    start = story.event(turn.start)
    waited = unpaused_ms(story, start.occurred_at, at) if is_exact(start) and exact else None
    return {
        "waiting": 1,
        "waiting_ms": waited,
        "paused_ms": None if waited is None else (at - start.occurred_at - waited) or None,
        "waiting_days": days_between(start, moment, story.policy_at(turn.start).zone),
        "waited_share": waited_share(story, at) if exact else None,
        "answer_due_at": answer_due_at(story),
    }


def _of_last_answer(story: Story, number: int) -> Values:
    """When the last question of a round was answered, and by how much later than its target asks."""
    asked = [turn for turn in turns(story) if turn.round == number]
    if not asked or not asked[-1].is_reply or waited_ms(story, asked[-1]) is None:
        return {"answered_at": None, "answer_over_ms": None}
    turn = asked[-1]
    has_target = bool(story.policy_at(turn.start).targets) and turn.end != turn.start
    limit = limit_of(story, turn) if has_target else None
    over = None if limit is None else max(0, judged_ms(story, turn) - limit)
    return {"answered_at": turn.ended_at, "answer_over_ms": over}


def _of_opening(story: Story, number: int, moment: InteractionEvent | Instant) -> Values:
    opening = story.event(rounds(story)[number].opens)
    exact, wall = is_exact(opening), on_the_wall(opening, story.policy_at(rounds(story)[number].opens).zone)
    return {
        "conversation_age_ms": moment.occurred_at - opening.occurred_at if exact and is_exact(moment) else None,
        "opened_hour": wall.hour if exact else None,
        "opened_weekday": wall.weekday(),
    }


def _last_amount(story: Story) -> int | None:
    amounts = [one.event.amount_minor for one in story.events if one.event.amount_minor is not None]
    return amounts[-1] if amounts else None
