"""The oracle's rounds, ratings and scores on conversations that were worked out by hand."""

from tests.oracle.event_values import event_values
from tests.oracle.facts import total_facts
from tests.oracle.outcome import is_closed, is_scored, label
from tests.oracle.rounds import open_turn, rounds
from tests.oracle.story import Policy
from tests.properties.stories_by_hand import (
    DAY_OF_MINUTES,
    EVERY_FACT,
    NOON,
    agent,
    answers,
    asks,
    event,
    rates,
    sums,
    thanks,
    told,
    values_at_the_end,
)


def test_reopened_days_later_has_a_clock_of_its_own_and_leaves_the_first_response():
    story = told(
        asks(0), answers(2), event("resolved", 3), event("reopened", 3 * DAY_OF_MINUTES),
        answers(3 * DAY_OF_MINUTES + 4, "bob"),
    )  # fmt: skip

    assert len(rounds(story)) == 2
    assert sums(story, agent("ann")) == {
        "contacts": 1, "reopenings": 1, "resolutions": 1, "timed_resolutions": 1, "resolution_ms": 180_000,
        "replies": 1, "first_replies": 1, "timed_replies": 1, "reply_ms": 120_000, "on_time_replies": 1,
        "half_spent_replies": 1, "reply_ms_to_3m": 1,
    }  # fmt: skip
    assert sums(story, agent("bob")) == {
        "contacts": 1, "replies": 1, "first_replies": 1, "timed_replies": 1, "reply_ms": 240_000, "reply_ms_to_5m": 1,
        "half_spent_replies": 1, "late_replies": 1,
    }  # fmt: skip
    assert values_at_the_end(story)["first_response_ms"] == 240_000
    assert values_at_the_end(story)["reopenings"] == 1


def test_merged_conversation_says_nothing():
    story = told(asks(0), answers(1), event("status_changed", 2, merged_into="c2"))

    assert sums(story) == {}
    assert values_at_the_end(story)["closed"] == 1
    assert not is_scored(story.event(0), story)


def test_conversation_that_its_source_never_closes_ends_seven_days_after_its_last_activity():
    note = event("internal_note", 8 * DAY_OF_MINUTES)
    story = told(asks(0), note)

    assert rounds(story)[0].is_silent
    assert rounds(story)[0].ended_at == NOON + 7 * 86_400_000
    assert sums(story) == {"contacts": 1, "unanswered": 1, "abandoned": 1}
    assert ("shop\x1f", NOON + 604_800_000, "abandoned") in total_facts(story, EVERY_FACT)
    assert open_turn(story) is None
    assert not is_scored(note, story)


def test_exactly_seven_days_are_no_silence_yet_and_ratings_and_courtesies_do_not_prolong():
    last = event("internal_note", 7 * DAY_OF_MINUTES)
    story = told(asks(0), rates(5 * DAY_OF_MINUTES, 2), thanks(6 * DAY_OF_MINUTES), last)

    assert rounds(story)[0].ended_from is None
    later = told(asks(0), rates(5 * DAY_OF_MINUTES, 2), thanks(6 * DAY_OF_MINUTES), asks(7 * DAY_OF_MINUTES + 1))
    assert len(rounds(later)) == 2


def test_closed_without_an_answer_counts_as_unanswered_and_resolves_nothing():
    story = told(asks(0), event("assigned", 1, agent_id="ann"), event("resolved", 20))

    assert sums(story) == {"contacts": 1, "unanswered": 1}
    assert sums(story, agent("ann")) == {"contacts": 1, "unanswered": 1}
    assert values_at_the_end(story)["waiting"] == 0


def test_thanks_after_the_resolution_open_nothing():
    story = told(asks(0), answers(1), event("resolved", 2), thanks(3))

    assert len(rounds(story)) == 1
    assert values_at_the_end(story)["closed"] == 1
    assert values_at_the_end(story)["waiting"] == 0
    assert values_at_the_end(story)["customer_messages"] == 2
    assert not is_scored(story.event(3), story)


def test_rating_before_the_resolution_ends_nothing_where_the_conversation_goes_on():
    message = asks(60)
    story = told(asks(0), answers(1), rates(2, 4), message, event("internal_note", 47 * 60))

    assert is_scored(message, story)
    assert is_scored(story.event(4), story)
    assert values_at_the_end(story)["waiting_ms"] == 165_600_000
    assert values_at_the_end(told(asks(0), answers(1), rates(2, 4)))["closed"] == 1
    assert not is_scored(answers(5), told(asks(0), answers(1), rates(2, 4), answers(5)))
    assert not is_closed(told(asks(0), rates(2, 4)), 0)


def test_rated_contact_that_is_reopened_and_complains_is_scored_from_then_on():
    two_days = 2 * DAY_OF_MINUTES
    story = told(
        asks(0), answers(1), rates(2, 5), event("reopened", two_days), asks(two_days + 1),
        event("complaint_filed", two_days + 180),
    )  # fmt: skip

    assert [is_scored(one.event, story) for one in story.events] == [True, True, False, True, True, True]
    assert len(rounds(story)) == 2
    assert sums(story, agent("ann"))["reopenings"] == 1


def test_rating_stays_with_the_agent_whose_answer_it_follows():
    story = told(
        event("conversation_opened", 0, agent_id="ann"), answers(1), rates(60, 1), event("reopened", 24 * 60),
        asks(24 * 60 + 1), answers(25 * 60, "bob"),
    )  # fmt: skip

    assert sums(story, agent("ann"))["dissatisfied_ratings"] == 1
    assert "ratings" not in sums(story, agent("bob"))
    assert label(story.event(1), story) == 1
    assert label(story.event(4), story) is None


def test_of_two_ratings_at_one_instant_the_later_in_the_log_counts():
    story = told(asks(0), answers(1), rates(2, 5, "z"), rates(2, 1, "a"))

    assert sums(story)["rating_points"] == 1
    assert sums(story)["ratings"] == 1
    assert label(story.event(0), story) == 1


def test_each_round_keeps_a_rating_of_its_own_and_one_without_a_number_is_no_rating():
    story = told(
        asks(0), answers(1), rates(2, 2), event("resolved", 3), asks(100), answers(101, "bob"), rates(102, 5),
        rates(103, None),
    )  # fmt: skip

    assert sums(story)["ratings"] == 2
    assert sums(story, agent("ann"))["rating_points"] == 2
    assert sums(story, agent("bob"))["rating_points"] == 5


def test_contact_without_an_agent_and_an_answer_is_counted_with_its_rating():
    story = told(asks(0, customer_id="zoe"), rates(600, 1))

    assert sums(story) == {"contacts": 1, "ratings": 1, "rating_points": 1, "dissatisfied_ratings": 1}
    assert sums(story, "customer\x1fzoe")["dissatisfied_ratings"] == 1


def test_values_are_read_at_the_events_own_place_and_instant():
    first = asks(0, amount_minor=1_999)
    story = told(first, answers(2), asks(30), event("internal_note", 45), event("resolved", 50))

    assert event_values(first, story)["waiting_ms"] == 0
    assert event_values(first, story)["conversation_age_ms"] == 0
    note = event_values(story.event(3), story)
    assert (note["waiting_ms"], note["conversation_age_ms"], note["replies"]) == (900_000, 2_700_000, 1)
    assert (note["opened_hour"], note["opened_weekday"], note["price_minor"], note["closed"]) == (12, 0, 1_999, 0)
    assert sums(story) == {
        "contacts": 1, "resolutions": 1, "timed_resolutions": 1, "resolution_ms": 3_000_000, "replies": 1,
        "first_replies": 1, "timed_replies": 1, "reply_ms": 120_000, "on_time_replies": 1, "reply_ms_to_3m": 1,
        "half_spent_replies": 1, "unanswered": 1,
    }  # fmt: skip


def test_reopened_ends_a_running_round_where_nobody_waits_and_belongs_to_it_where_somebody_does():
    assert len(rounds(told(asks(0), answers(1), event("reopened", 60)))) == 2
    waiting = told(asks(0), event("reopened", 60), answers(61))
    assert len(rounds(waiting)) == 1
    assert sums(waiting)["reply_ms"] == 3_660_000
    assert "reopenings" not in sums(waiting)


def test_customer_who_writes_again_after_silence_opens_a_round_that_is_no_reopening():
    story = told(asks(0), answers(1), asks(9 * DAY_OF_MINUTES))

    assert sums(story)["contacts"] == 2
    assert "reopenings" not in sums(story)
    assert "reopenings" in sums(told(asks(0), answers(1), event("resolved", 2), asks(9 * DAY_OF_MINUTES)))


def test_outcome_is_the_declared_owners():
    events = (event("assigned", 0, agent_id="cas"), asks(1), answers(2), asks(3), answers(4, "bob"))

    assert sums(told(*events), agent("bob"))["contacts"] == 1
    assert sums(told(*events, policy=Policy(owner="first_reply")), agent("ann"))["contacts"] == 1
    assert sums(told(*events, policy=Policy(owner="assigned")), agent("cas"))["contacts"] == 1
