"""The oracle's deadlines on conversations that were worked out by hand: minutes after noon of Monday, 2 March 2026."""

from dataclasses import replace
from datetime import date

import pytest

from service_quality.features.declarations import EventValue, FeatureSet
from tests.oracle.deadlines import deadline, waited_share
from tests.oracle.entries import NaiveEntry, TimeReached
from tests.oracle.looks import next_look
from tests.oracle.story import Calendar, Policy, Story, Target
from tests.properties.naive_reader import NaiveReader
from tests.properties.stories_by_hand import MINUTE, NOON, answers, asks, event, told

HALF_HOUR, HALF, WHOLE = "waiting_ms:1800000", "waited_share:0.5", "waited_share:1"
DAY, SECOND = 24 * 60, 1 / 60
NINE_TO_FIVE = (("09:00-17:00",),) * 5 + ((), ())
#: A shop in UTC that is closed on Wednesday, the 4th.
OPEN = Calendar("UTC", closed=frozenset({date(2026, 3, 4)}), week=NINE_TO_FIVE)
BUSINESS = Policy(calendar=OPEN, targets=(Target(120 * MINUTE, 120 * MINUTE, counts_open_time=True),))


def due(story: Story, stage: str) -> float | None:
    """The due instant in minutes after noon; None for none."""
    found = deadline(story, stage)
    return None if found is None else (found.due_at - NOON) / MINUTE


def test_wait_is_due_so_long_after_its_question_and_a_courtesy_asks_nothing():
    assert deadline(told(asks(0), asks(7)), HALF_HOUR) == (NOON + 30 * MINUTE, 1, 1, HALF_HOUR)
    assert due(told(event("customer_message", 0, courtesy=1)), HALF_HOUR) is None


@pytest.mark.parametrize("ends", [answers(1), event("resolved", 1), event("status_changed", 1, merged_into="c9")])
def test_nothing_is_due_once_the_wait_is_over(ends):
    assert due(told(asks(0), ends), HALF_HOUR) is None


def test_turns_are_numbered_in_their_round_by_replies_and_waits_without_one():
    later = told(asks(0), answers(1), asks(2), answers(3), asks(4))
    reopened = told(asks(0), answers(1), asks(2), event("resolved", 3), event("reopened", 60))
    by_a_clock_that_is_behind = told(asks(1), asks(0.5), answers(0.4), asks(10))

    assert deadline(later, HALF_HOUR) == (NOON + 34 * MINUTE, 1, 3, HALF_HOUR)
    assert deadline(reopened, HALF_HOUR) == (NOON + 90 * MINUTE, 2, 1, HALF_HOUR)
    assert deadline(by_a_clock_that_is_behind, HALF_HOUR) == (NOON + 40 * MINUTE, 1, 2, HALF_HOUR)


def test_clock_is_reached_while_a_round_runs_whether_anybody_waits_or_not():
    noon = f"clock:{NOON + 30 * MINUTE}"
    waits, answered = told(asks(0)), told(asks(0), answers(1))

    assert deadline(waits, noon) == (NOON + 30 * MINUTE, 1, 1, noon)
    assert deadline(answered, noon) == (NOON + 30 * MINUTE, 1, 2, noon)
    assert due(told(asks(0), event("resolved", 1)), noon) is None
    assert due(told(asks(0), event("status_changed", 1, merged_into="c9")), noon) is None
    assert due(waits, f"clock:{NOON + 30 * DAY * MINUTE}") is None


def test_look_lies_where_the_shop_opens_and_behind_what_has_come():
    friday = told(asks(4 * DAY), policy=BUSINESS)
    evening, monday = NOON + (4 * DAY + 6 * 60) * MINUTE, NOON + (7 * DAY - 3 * 60) * MINUTE

    def look(at: int, *, clock: int = NOON, received_clock: int = NOON) -> int | None:
        found = next_look(friday, [at], clock=clock, received_clock=received_clock)
        return None if found is None else found.due_at

    assert look(NOON + 4 * DAY * MINUTE + 5) == NOON + 4 * DAY * MINUTE + 5
    assert look(evening) == monday + 1
    assert look(evening, received_clock=monday + MINUTE) == monday + MINUTE + 1
    assert look(evening, clock=monday + 1, received_clock=monday + MINUTE) is None


def test_share_is_of_the_first_target_that_meets_the_contact():
    chat = Target(60 * 1_000, 20 * 1_000, when=(("channel", ("chat",)),))
    policy = Policy(targets=(chat, Target(60 * MINUTE, None)))

    assert due(told(asks(0, channel="chat"), policy=policy), HALF) == 30 * SECOND
    assert due(told(asks(0, channel="chat"), answers(1), asks(2), policy=policy), HALF) == 2 + 10 * SECOND
    assert due(told(asks(0, channel="mail"), policy=policy), HALF) == 30
    assert due(told(asks(0), answers(1), asks(2), policy=policy), HALF) is None
    assert due(told(asks(0)), HALF) is None


def test_target_is_chosen_by_priority_and_by_customer_tier():
    urgent, vip = (("priority", ("urgent",)),), (("customer_tier", ("vip",)),)
    policy = Policy(targets=(Target(10 * MINUTE, None, when=urgent), Target(20 * MINUTE, None, when=vip),
                             Target(60 * MINUTE, None)))  # fmt: skip

    assert due(told(asks(0, priority="urgent", customer_tier="vip"), policy=policy), WHOLE) == 10
    assert due(told(asks(0, customer_tier="vip"), policy=policy), WHOLE) == 20
    assert due(told(asks(0, priority="low"), policy=policy), WHOLE) == 60
    assert due(told(asks(0), event("internal_note", 1, priority="urgent"), policy=policy), WHOLE) == 10


def test_business_time_leaves_out_nights_weekends_and_holidays():
    monday, tuesday, friday = asks(4 * 60), asks(DAY + 4 * 60), asks(4 * DAY + 4 * 60)

    assert due(told(monday, policy=BUSINESS), HALF) == 5 * 60
    assert due(told(monday, policy=BUSINESS), WHOLE) == DAY - 3 * 60 + 60
    assert due(told(tuesday, policy=BUSINESS), WHOLE) == 3 * DAY - 2 * 60
    assert due(told(friday, policy=BUSINESS), WHOLE) == 7 * DAY - 2 * 60
    assert waited_share(told(monday, policy=BUSINESS), NOON + 20 * 60 * MINUTE) == 0.5


def test_wait_in_all_the_time_is_due_when_the_shop_opens_again():
    policy = Policy(calendar=OPEN)

    assert due(told(asks(4 * 60 + 30), policy=policy), HALF_HOUR) == 5 * 60, "the last instant of the day"
    assert due(told(asks(4 * 60 + 31), policy=policy), HALF_HOUR) == pytest.approx(21 * 60 + 1 / 60_000)
    assert due(told(asks(20 * 60 + 30), policy=policy), HALF_HOUR) == pytest.approx(21 * 60 + 1 / 60_000)
    assert due(told(asks(20 * 60 + 31), policy=policy), HALF_HOUR) == 21 * 60 + 1
    assert due(told(asks(4 * 60 + 31), policy=Policy(calendar=OPEN._replace(week=None))), HALF_HOUR) == 5 * 60 + 1


def test_pauses_push_a_deadline_and_a_running_one_leaves_none():
    paused, goes_on = event("status_changed", 10, status="pending"), event("status_changed", 600, status="open")
    policy = Policy(pauses_when=("pending",))

    assert due(told(asks(0), paused, policy=policy), HALF_HOUR) is None
    assert due(told(asks(0), paused, goes_on, policy=policy), HALF_HOUR) == 620
    assert due(told(asks(0), paused, asks(15), policy=policy), HALF_HOUR) == 35
    assert due(told(asks(0), paused, goes_on, policy=policy), "waiting_ms:600000") == 10


def test_late_question_has_its_stages_counted_from_its_arrival():
    def arrived(minutes: float) -> Story:
        return told(replace(asks(0), received_at=NOON + round(minutes * MINUTE)))

    assert due(arrived(29), HALF_HOUR) == 30
    assert due(arrived(30), HALF_HOUR) == 60
    assert due(arrived(120), HALF_HOUR) == 150


def test_nothing_is_due_by_days_or_behind_the_silence_that_ends_the_round():
    policy = Policy(ends_after=30 * MINUTE)

    assert due(told(asks(0, precision="day")), HALF_HOUR) is None
    assert due(told(asks(0), policy=policy), HALF_HOUR) == 30
    assert due(told(asks(0), policy=policy), "waiting_ms:1800001") is None
    assert due(told(asks(0), event("internal_note", 1), policy=policy), "waiting_ms:1800001") is not None
    assert due(told(asks(0), event("rated", 1, rating=5), policy=policy), "waiting_ms:1800001") is None


@pytest.mark.parametrize(
    "stage",
    ["waiting_ms", "waiting_ms:", "waiting_ms:0", "waiting_ms:01", "waiting_ms:1.50", "waiting_ms:1e3", "age_ms:5", ""],
)
def test_text_that_names_no_stage(stage):
    assert deadline(told(asks(0)), stage) is None


def test_reader_lets_each_stage_be_reached_once_by_what_the_log_has_before_the_record():
    reader = NaiveReader(FeatureSet((EventValue("waiting_ms"), EventValue("customer_messages"))))
    time = TimeReached("c1", 1, 1, HALF_HOUR, NOON + 30 * MINUTE)
    log: list[NaiveEntry] = [asks(0), asks(31), time, time, answers(29), time, asks(40), replace(time, turn=2)]

    readings = reader.read([(str(place), entry) for place, entry in enumerate(log)])

    assert [one.became for one in readings] == [
        "accepted", "accepted", "reached", "silent", "accepted", "silent", "accepted", "silent",
    ]  # fmt: skip
    assert [one.clock - NOON for one in readings[1:4]] == [31 * MINUTE] * 3
    assert readings[2].vector == b"\x00\xba\xdbI\x00\x00\x80?", "30 minutes and one message"
    assert reader.contacts["contact\x1fc1"].reached == frozenset()
