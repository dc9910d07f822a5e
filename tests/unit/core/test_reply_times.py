"""Cases that public help desks got wrong, each a fact about turns and replies."""

import pytest

from service_quality.conversations.conversation import advance
from service_quality.conversations.event_values import read_event_values
from service_quality.conversations.turns import ConversationState, read_state
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from tests.unit.core.sample_events import NOON, conversation, event


def state(*events) -> ConversationState:
    return read_state(conversation(*events))


def waits(read: ConversationState) -> list[int | None]:
    return [reply.waited_ms for reply in read.replies]


def test_bot_that_answers_first_is_no_reply():
    read = state(event("customer_message", 0), event("bot_message", SECOND), event("agent_message", MINUTE))

    assert waits(read) == [MINUTE]
    assert list(read.agents) == ["ann"]


def test_customer_still_waits_after_a_bot():
    read = state(event("customer_message", 0), event("bot_message", SECOND))

    assert read.waiting_since == NOON


@pytest.mark.parametrize("kind", ["internal_note", "status_changed", "bot_message", "complaint_filed"])
def test_what_is_no_message_of_a_person_does_not_stop_the_clock(kind):
    read = state(event("customer_message", 0), event(kind, SECOND, agent_id="bob"), event("agent_message", MINUTE))

    assert waits(read) == [MINUTE]


def test_transfer_while_waiting_does_not_stop_the_clock():
    read = state(
        event("customer_message", 0, agent_id=None),
        event("assigned", SECOND, agent_id="ann"),
        event("assigned", MINUTE, agent_id="bob"),
        event("agent_message", 2 * MINUTE, agent_id="bob"),
    )

    assert waits(read) == [2 * MINUTE]
    assert read.transfers == [NOON + MINUTE]


def test_the_same_message_twice_is_counted_once():
    message = event("customer_message", 0)

    assert state(message, message).customer_messages == 1


def test_seen_before_gives_the_same_conversation_back():
    held = conversation(event("customer_message", 0))

    assert advance(held, event("customer_message", 0), received_clock=NOON + DAY) is held


def test_reopened_days_later_keeps_its_first_response():
    read = state(
        event("customer_message", 0),
        event("agent_message", MINUTE),
        event("resolved", HOUR),
        event("customer_message", 5 * DAY),
        event("agent_message", 5 * DAY + 2 * MINUTE),
    )

    assert waits(read) == [MINUTE, 2 * MINUTE]


def test_reopening_starts_a_clock_of_its_own():
    read = state(
        event("customer_message", 0),
        event("agent_message", MINUTE),
        event("resolved", HOUR),
        event("reopened", 5 * DAY),
    )

    assert read.waiting_since == NOON + 5 * DAY
    assert read.reopened == [NOON + 5 * DAY]
    assert read.resolved_at is None


def test_resolving_without_an_answer_ends_the_wait():
    read = state(event("customer_message", 0), event("resolved", HOUR))

    assert (read.waiting_since, read.replies) == (None, [])


def test_reply_belongs_to_its_sender_and_outcome_to_the_last_who_answered():
    read = state(
        event("conversation_opened", 0, agent_id="ann"),
        event("agent_message", MINUTE, agent_id="bob"),
        event("assigned", 2 * MINUTE, agent_id="cat"),
    )

    assert [reply.agent_id for reply in read.replies] == ["bob"]
    assert read.owner == "bob"


def test_outcome_belongs_to_the_assigned_agent_while_nobody_answered():
    assert state(event("conversation_opened", 0, agent_id="ann")).owner == "ann"


def test_later_events_never_change_the_first_response():
    read = state(
        event("customer_message", 0),
        event("agent_message", MINUTE),
        event("customer_message", 2 * MINUTE),
        event("agent_message", HOUR),
    )

    values = read_event_values(read, event("agent_message", HOUR), clock=NOON + HOUR)

    assert values["first_response_ms"] == MINUTE
    assert values["longest_later_reply_ms"] == 58 * MINUTE


def test_an_earlier_answer_that_arrives_late_is_the_first_response():
    read = state(
        event("customer_message", 0), event("agent_message", HOUR), event("agent_message", MINUTE, agent_id="bob")
    )

    assert [(reply.agent_id, reply.waited_ms) for reply in read.replies] == [("bob", MINUTE)]


def test_several_messages_before_an_answer_are_one_turn():
    read = state(event("customer_message", 0), event("customer_message", MINUTE), event("agent_message", 3 * MINUTE))

    assert waits(read) == [3 * MINUTE]


def test_second_message_of_an_agent_answers_nobody():
    read = state(event("customer_message", 0), event("agent_message", MINUTE), event("agent_message", 2 * MINUTE))

    assert (waits(read), read.agent_messages) == ([MINUTE], 2)


def test_agent_who_writes_first_has_no_response_time():
    read = state(event("agent_message", 0), event("conversation_opened", SECOND), event("customer_message", MINUTE))

    assert (read.replies, read.waiting_since) == ([], NOON + MINUTE)


def test_order_of_arrival_does_not_matter():
    question, answer = event("customer_message", 0), event("agent_message", MINUTE)

    assert conversation(question, answer).events == conversation(answer, question).events


@pytest.mark.parametrize("day_known", ["customer_message", "agent_message"])
def test_wait_from_or_to_a_mere_day_is_missing_and_not_zero(day_known):
    question = event("customer_message", 0, precision="day" if day_known == "customer_message" else "ms")
    answer = event("agent_message", DAY, precision="day" if day_known == "agent_message" else "ms")

    read = state(question, answer)

    assert [(reply.waited_ms, reply.waited_days) for reply in read.replies] == [(None, 1)]


def test_rating_shows_only_in_closed():
    worst, best = (event("rated", 1, rating=stars) for stars in (1, 5))

    values = [
        read_event_values(state(event("customer_message", 0), rated), rated, clock=NOON) for rated in (worst, best)
    ]

    assert values[0] == values[1]
    assert values[0]["closed"] == 1


def test_text_is_not_stored():
    assert conversation(event("customer_message", 0, text="call 13812345678")).events[0].text is None
