"""The oracle at the edges of its definitions, by hand; each example stands against a plausible misreading."""

from tests.oracle.rounds import open_turn, rounds, turns
from tests.oracle.story import Policy
from tests.properties.stories_by_hand import (
    DAY_OF_MINUTES,
    MINUTE,
    agent,
    answers,
    asks,
    event,
    ids,
    opened,
    rates,
    sums,
    thanks,
    told,
    values_at_the_end,
)

PENDING = Policy(pauses_when=("pending",))
MIDNIGHT = 12 * 60 - 1 / MINUTE  # the end of the first day


def test_opening_after_an_agents_message_starts_a_wait_only_by_words():
    assert open_turn(told(answers(0), opened(5))) is None
    assert open_turn(told(answers(0), opened(5, text="Where is it?"))) is not None
    assert len(rounds(told(asks(0), event("resolved", 1), opened(5)))) == 2


def test_answer_counts_for_a_question_at_most_a_minute_behind_it_and_only_if_both_are_exact():
    assert open_turn(told(asks(0), answers(-1))) is None
    assert open_turn(told(asks(0), answers(-1 - 1 / MINUTE))) is not None
    assert open_turn(told(asks(0, precision="day"), answers(-0.5))) is not None
    assert open_turn(told(asks(0), answers(-0.5, precision="day"))) is not None
    assert open_turn(told(asks(0), imported=(answers(-0.5),))) is not None
    assert open_turn(told(answers(-0.5), imported=(asks(0),))) is not None


def test_of_two_early_answers_the_latest_counts_and_a_message_that_answered_another_question_does_not():
    story = told(asks(0), event("bot_message", -5), answers(-0.5, "ann"), answers(-0.25, "bob"))

    assert sums(story, agent("bob"))["replies"] == 1
    assert "replies" not in sums(story, agent("ann"))
    answered = told(asks(-5), asks(0.5), answers(0))
    assert [turn.is_reply for turn in turns(answered)] == [True, False]
    assert values_at_the_end(answered)["waiting"] == 1


def test_early_answer_behind_the_end_of_a_round_counts_for_the_next():
    story = told(asks(0), event("resolved", 5), asks(10), answers(9.5))

    assert [turn.round for turn in turns(story)] == [0, 1]
    assert turns(story)[1].is_reply


def test_silence_takes_the_answer_that_comes_after_it():
    story = told(asks(0), answers(8 * DAY_OF_MINUTES), event("resolved", 8 * DAY_OF_MINUTES + 1))

    assert sums(story) == {"contacts": 1, "unanswered": 1, "abandoned": 1}
    assert rounds(story)[0].resolution is None


def test_round_without_activity_ends_seven_days_after_its_opening():
    assert len(rounds(told(rates(0, 4), asks(8 * DAY_OF_MINUTES)))) == 2
    assert len(rounds(told(rates(0, 4), asks(6 * DAY_OF_MINUTES)))) == 1


def test_second_resolution_is_none():
    story = told(asks(0), answers(1), event("resolved", 2), event("resolved", 60))

    assert sums(story)["resolutions"] == 1
    assert sums(story)["resolution_ms"] == 120_000


def test_agent_began_only_within_ten_seconds_exactly_without_a_message_between_and_with_a_question_later():
    ten_seconds = 10 / 60
    assert "replies" not in sums(told(opened(0), answers(ten_seconds), asks(30)))
    assert sums(told(opened(0), answers(ten_seconds + 1 / MINUTE), asks(30)))["replies"] == 1
    assert sums(told(opened(0), asks(0.05), answers(0.15), asks(30)))["reply_ms"] == 9_000
    assert sums(told(opened(0), answers(0.1), thanks(30)))["replies"] == 1
    assert sums(told(opened(0, precision="day"), answers(0.1), asks(30)))["replies"] == 1
    assert sums(told(opened(0), answers(0.1, precision="day"), asks(30)))["replies"] == 1


def test_imported_events_of_one_instant_are_ordered_by_id():
    assert ids(told(imported=(answers(0, event_id="b"), answers(0, event_id="a")))) == ["a", "b"]


def test_wait_from_a_day_is_missing_and_from_an_instant_to_a_day_has_a_lower_bound():
    from_day = values_at_the_end(told(asks(MIDNIGHT, precision="day"), answers(24 * 60)))
    to_day = values_at_the_end(told(asks(0), answers(MIDNIGHT + DAY_OF_MINUTES, precision="day")))
    same_day = values_at_the_end(told(asks(0), answers(MIDNIGHT, precision="day")))

    names = ("first_response_ms", "first_response_at_least_ms", "first_response_days")
    assert [from_day[name] for name in names] == [None, None, 1]
    assert [to_day[name] for name in names] == [None, 43_200_000, 1]
    assert [same_day[name] for name in names] == [None, None, 0]


def test_values_of_a_day_have_no_hour_and_no_length():
    waits_from_a_day = values_at_the_end(told(asks(MIDNIGHT, precision="day"), event("internal_note", 24 * 60)))
    note_of_a_day = values_at_the_end(told(asks(0), event("internal_note", MIDNIGHT, precision="day")))

    names = (
        "waiting",
        "waiting_ms",
        "waiting_days",
        "conversation_age_ms",
        "opened_hour",
        "event_hour",
        "event_weekday",
    )
    assert [waits_from_a_day[name] for name in names] == [1, None, 1, None, None, 12, 1]
    assert [note_of_a_day[name] for name in names] == [1, None, 0, None, 12, None, 0]


def test_resolution_is_timed_only_between_instants():
    assert "timed_resolutions" not in sums(told(asks(-1, precision="day"), answers(0), event("resolved", 1)))
    assert "timed_resolutions" not in sums(told(asks(-1), answers(0), event("resolved", MIDNIGHT, precision="day")))


def test_pause_goes_on_over_thanks_and_over_the_same_status_again():
    story = told(
        asks(0), event("status_changed", 1, status="pending"), thanks(2), event("status_changed", 3, status="pending"),
        event("status_changed", 11, status="open"), answers(12), policy=PENDING,
    )  # fmt: skip

    assert sums(story)["reply_ms"] == 120_000


def test_last_amount_and_last_attribute_named_count():
    story = told(
        asks(0, amount_minor=100, category="Returns"), event("internal_note", 1, amount_minor=200, category="Delivery")
    )

    assert values_at_the_end(story)["price_minor"] == 200
    assert sums(story, "category\x1fDelivery") == {"contacts": 1}


def test_longest_later_reply_leaves_the_first_out_and_first_replies_the_later_ones():
    story = told(asks(0), answers(15), asks(20), answers(22), asks(30), answers(31))

    values = values_at_the_end(story)
    assert (values["longest_later_reply_ms"], values["last_reply_ms"]) == (120_000, 60_000)
    assert (sums(story)["first_replies"], sums(story)["replies"]) == (1, 3)
    assert "slow_replies" not in sums(story)
