"""The oracle's waits on conversations that were worked out by hand; literal numbers are milliseconds."""

from tests.oracle.event_values import event_values
from tests.oracle.facts import total_facts
from tests.oracle.rounds import open_turn
from tests.oracle.story import Policy
from tests.properties.stories_by_hand import (
    EVERY_FACT,
    MINUTE,
    NOON,
    agent,
    answers,
    asks,
    event,
    sums,
    told,
    values_at_the_end,
)


def test_bot_does_not_answer_and_is_no_agent():
    waiting = told(asks(0), event("bot_message", 1, agent_id="bot"))
    answered = told(asks(0), event("bot_message", 1, agent_id="bot"), answers(10))

    assert values_at_the_end(waiting)["waiting_ms"] == 60_000
    assert values_at_the_end(waiting)["answered"] == 0
    assert sums(answered)["reply_ms"] == 600_000
    assert sums(answered, agent("bot")) == {}


def test_note_activity_line_and_assignment_do_not_stop_the_clock():
    story = told(
        asks(0),
        event("internal_note", 1, agent_id="ann"),
        event("status_changed", 2),
        event("assigned", 3, agent_id="ann"),
    )

    assert values_at_the_end(story)["waiting_ms"] == 180_000
    assert "replies" not in sums(story)


def test_several_messages_before_the_answer_are_one_turn_since_the_first():
    story = told(asks(0), asks(2), asks(4), answers(5))

    assert sums(story)["replies"] == 1
    assert sums(story)["reply_ms"] == 300_000
    assert values_at_the_end(story)["customer_messages"] == 3


def test_reply_and_outcome_are_the_senders_and_not_the_assignees():
    story = told(asks(0), event("assigned", 0, agent_id="bob"), answers(2), event("resolved", 3))

    assert sums(story, agent("ann"))["replies"] == 1
    assert sums(story, agent("ann"))["resolutions"] == 1
    assert sums(story, agent("bob")) == {
        "timed_replies": 1, "reply_ms": 120_000, "on_time_replies": 1, "half_spent_replies": 1, "reply_ms_to_3m": 1,
    }  # fmt: skip


def test_transfer_while_waiting_charges_each_agent_for_the_own_time_and_the_customer_waits_the_whole():
    story = told(
        asks(0), event("assigned", 0, agent_id="ann"), event("assigned", 29, agent_id="bob"), answers(30, "bob")
    )

    assert sums(story)["reply_ms"] == 1_800_000
    assert sums(story)["slow_replies"] == 1
    assert sums(story)["timed_replies"] == 1
    assert sums(story, agent("ann")) == {
        "timed_replies": 1, "reply_ms": 1_740_000, "slow_replies": 1, "half_spent_replies": 1,
        "late_replies": 1, "reply_ms_to_1h": 1,
    }  # fmt: skip
    assert sums(story, agent("bob")) == {
        "contacts": 1, "transfers": 1, "replies": 1, "first_replies": 1, "timed_replies": 1, "reply_ms": 60_000,
        "on_time_replies": 1, "reply_ms_to_1m": 1,
    }  # fmt: skip


def test_later_events_leave_the_first_response_and_an_earlier_one_that_comes_late_changes_it():
    early, late = answers(9, "ann"), answers(4, "bob")

    assert values_at_the_end(told(asks(0), early, asks(20), answers(50)))["first_response_ms"] == 540_000
    story = told(asks(0), early, late)
    assert event_values(early, story)["first_response_ms"] == 240_000
    assert sums(story)["replies"] == 1


def test_answered_and_pending_pauses_the_clock_if_the_policy_says_so():
    events = (
        asks(0), answers(1), asks(10), event("status_changed", 12, status="pending"),
        event("status_changed", 42, status="open"), answers(45),
    )  # fmt: skip

    assert values_at_the_end(told(*events))["last_reply_ms"] == 2_100_000
    assert values_at_the_end(told(*events, policy=Policy(pauses_when=("pending",))))["last_reply_ms"] == 300_000


def test_pause_ends_with_the_customers_next_question():
    story = told(
        asks(0), answers(1, status="pending"), asks(60), answers(62), event("resolved", 63),
        policy=Policy(pauses_when=("pending",)),
    )  # fmt: skip

    assert values_at_the_end(story)["last_reply_ms"] == 120_000
    assert sums(story)["resolution_ms"] == 240_000


def test_contact_that_an_agent_began_has_no_response_time():
    outbound = (event("conversation_opened", 0, agent_id="ann"), answers(5 / 60), asks(30), answers(32))
    story = told(*outbound)

    assert event_values(outbound[1], story)["first_response_ms"] == 5_000
    assert sums(story)["replies"] == 1
    assert values_at_the_end(story)["first_response_ms"] == 120_000


def test_opening_that_an_agent_answers_later_than_a_minute_or_that_has_words_is_a_question():
    slow = told(event("conversation_opened", 0), answers(2), asks(30))
    with_words = told(event("conversation_opened", 0, text="Where is my parcel?"), answers(0.5), asks(30))

    assert sums(slow)["reply_ms"] == 120_000
    assert sums(with_words)["reply_ms"] == 30_000


def test_answer_stamped_before_its_question_but_arriving_after_it_ends_the_wait_at_once():
    question, answer = asks(0), answers(-20 / 60)
    story = told(question, answer, event("internal_note", 45))

    assert values_at_the_end(story)["waiting"] == 0
    assert event_values(question, story)["answered"] == 1
    assert sums(story, agent("ann"))["first_replies"] == 1
    assert total_facts(story, EVERY_FACT)["shop\x1f", NOON, "timed_replies"] == 1
    assert "reply_ms" not in sums(story)
    assert sums(told(question, answers(-61 / 60))) == {"contacts": 1}
    assert values_at_the_end(told(answer, question))["waiting"] == 1


def test_one_late_answer_serves_one_question_and_the_next_starts_nothing():
    story = told(asks(0), asks(0.5), answers(-0.25))

    assert sums(story)["replies"] == 1
    assert open_turn(story) is None


def test_answer_of_a_day_ends_the_wait_whose_length_is_missing():
    story = told(asks(0), answers(11 * 60 + 59, precision="day"))

    values = values_at_the_end(story)
    assert (values["answered"], values["waiting"], values["first_response_ms"]) == (1, 0, None)
    assert values["first_response_untimed"] == 1
    assert sums(story) == {"contacts": 1, "replies": 1, "first_replies": 1}


def test_answer_after_a_day_leaves_nobody_waiting_and_stands_at_the_end_of_the_histogram():
    story = told(asks(0), answers(25 * 60), asks(26 * 60), answers(50 * 60))

    assert values_at_the_end(story)["waiting"] == 0
    assert sums(story)["reply_ms_over_1d"] == 1
    assert sums(story)["reply_ms_to_1d"] == 1
    assert sums(story)["reply_ms"] == 176_400_000


def test_wait_is_in_the_first_bucket_whose_bound_it_does_not_exceed():
    story = told(asks(0), answers(0.5), asks(10), answers(13), asks(20), answers(23 + 1 / MINUTE))

    found = sums(story)
    assert (found["reply_ms_to_30s"], found["reply_ms_to_3m"], found["reply_ms_to_5m"]) == (1, 1, 1)
    assert found["on_time_replies"] == 2
