"""Whose a round is, its ratings and its scores, at the edges of the definitions, by hand."""

from tests.oracle.event_values import event_values
from tests.oracle.outcome import is_scored, label
from tests.properties.stories_by_hand import (
    DAY_OF_MINUTES,
    agent,
    answers,
    asks,
    event,
    opened,
    rates,
    sums,
    thanks,
    told,
    values_at_the_end,
)


def test_agent_whom_the_opening_named_has_the_wait_and_who_had_no_time_has_no_share():
    story = told(
        opened(0, agent_id="ann"), event("assigned", 0, agent_id="bob"), event("assigned", 0, agent_id="cas"),
        answers(10, "dan"),
    )  # fmt: skip
    named = told(opened(0, agent_id="ann"), answers(10, "dan"))

    assert sums(named, agent("ann"))["reply_ms"] == 600_000
    assert sums(named, agent("dan"))["timed_replies"] == 1
    assert "reply_ms" not in sums(named, agent("dan"))
    assert sums(story, agent("cas"))["reply_ms"] == 600_000
    assert sums(story, agent("bob")) == {}
    assert sums(story, agent("dan"))["transfers"] == 2


def test_time_in_nobodys_hands_is_nobodys_unless_nobody_had_the_conversation_all_the_while():
    begun = (event("assigned", 0, agent_id="ann"), asks(1))
    queued = told(*begun, event("assigned", 3, agent_id=None), answers(30))
    never = told(begun[0], event("assigned", 0.5, agent_id=None), asks(1), answers(30, "bob"))
    again = told(*begun, event("assigned", 3, agent_id=None), event("assigned", 4, agent_id="bob"), answers(30, "bob"))

    assert sums(queued, agent("ann"))["reply_ms"] == 120_000
    assert sums(never, agent("bob"))["reply_ms"] == 1_740_000
    assert "reply_ms" not in sums(never, agent("ann"))
    assert sums(again, agent("bob"))["reply_ms"] == 1_560_000
    assert "transfers" not in sums(again)


def test_assignment_to_the_agent_who_has_it_and_the_first_one_are_no_transfers():
    story = told(asks(0), event("assigned", 1, agent_id="ann"), event("assigned", 2, agent_id="ann"))

    assert "transfers" not in sums(story)
    assert values_at_the_end(story)["transfers"] == 0


def test_assignment_behind_the_end_of_a_round_does_not_move_its_outcome():
    story = told(event("assigned", 0, agent_id="ann"), event("resolved", 1), event("assigned", 2, agent_id="bob"))

    assert sums(story, agent("ann")) == {
        "contacts": 1, "resolutions": 1, "timed_resolutions": 1, "resolution_ms": 60_000, "transfers": 1,
    }  # fmt: skip
    assert sums(story, agent("bob")) == {}


def test_owner_is_the_last_who_wrote_where_nobody_replied_or_was_named_and_not_of_another_round():
    assert sums(told(answers(0), answers(1, "bob")), agent("bob"))["contacts"] == 1
    story = told(
        event("assigned", 0, agent_id="ann"), event("resolved", 1), asks(10), event("assigned", 11, agent_id="bob")
    )
    assert sums(story, agent("ann"))["contacts"] == 1
    assert sums(story, agent("bob"))["contacts"] == 1


def test_unanswered_turn_is_whose_the_conversation_was_then_else_the_owners():
    later = event("assigned", 8 * DAY_OF_MINUTES, agent_id="bob")
    by_silence = told(asks(0), later)
    before_it = told(asks(0), event("assigned", 1, agent_id="ann"), later)
    answered_once = told(asks(0), answers(1), asks(5), event("assigned", 6, agent_id="cas"), event("resolved", 9))
    unnamed = told(asks(0), answers(1), asks(5), event("resolved", 9))

    assert sums(by_silence, agent("bob")) == {}
    assert sums(before_it, agent("ann")) == {"contacts": 1, "unanswered": 1, "abandoned": 1, "transfers": 1}
    assert sums(answered_once, agent("cas")) == {"unanswered": 1}
    assert sums(answered_once, agent("ann"))["resolutions"] == 1
    assert sums(unnamed, agent("ann"))["unanswered"] == 1


def test_rating_in_the_next_round_before_any_answer_there_rates_the_round_before():
    story = told(asks(0), answers(1), event("resolved", 2), asks(10), rates(11, 1), answers(12, "bob"))

    assert label(story.event(0), story) == 1
    assert label(story.event(3), story) is None
    assert label(answers(12, "bob"), story) is None
    assert sums(story, agent("ann"))["ratings"] == 1
    assert event_values(story.event(4), story)["reopenings"] == 1


def test_label_stands_behind_the_event():
    story = told(asks(0), answers(1), rates(2, 3), answers(3))

    assert label(story.event(1), story) == 3
    assert label(story.event(3), story) is None
    assert sums(story)["dissatisfied_ratings"] == 1


def test_rated_round_is_open_again_after_a_message_or_complaint_but_not_after_thanks():
    rated = (asks(0), answers(1), rates(2, 4))

    assert values_at_the_end(told(*rated, thanks(3)))["closed"] == 1
    assert values_at_the_end(told(*rated, asks(3), answers(4)))["closed"] == 0
    assert values_at_the_end(told(*rated, event("complaint_filed", 3)))["closed"] == 0
    complaint = event("complaint_filed", 3)
    assert is_scored(complaint, told(*rated, complaint))


def test_resolution_that_closes_is_scored_and_a_complaint_of_a_visit_is_not():
    resolved = event("resolved", 2)
    complaint = event("complaint_filed", 0, conversation_id=None, customer_id="zoe")

    assert is_scored(resolved, told(asks(0), answers(1), resolved))
    assert not is_scored(complaint, told(complaint))
    assert sums(told(complaint), "customer\x1fzoe") == {"complaints": 1}
    assert event_values(complaint, told(complaint))["closed"] == 0
