"""What each platform standard counts of a customer's waits."""

import pytest

from service_quality.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from service_quality.policies.local_days import parse_day
from service_quality.policies.platform_counts import CustomerWait, count_waits
from service_quality.policies.platform_standards import DayCount, load_standards

TAOBAO, PINDUODUO, JD = load_standards().values()
TODAY = parse_day("2026-11-24")
NOON = parse_instant("2026-11-24T12:00:00+08:00")
END = NOON + 8 * HOUR


def waited(began_at: int, length: int) -> CustomerWait:
    return CustomerWait(began_at, began_at + length, began_at + length)


def test_every_wait_is_a_round():
    waits = [waited(NOON, 3 * MINUTE), waited(NOON + HOUR, 3 * MINUTE + 1), waited(NOON + DAY, SECOND)]

    assert count_waits(TAOBAO, waits, until=END + DAY) == [DayCount(TODAY, 2, 1), DayCount(TODAY + 1, 1, 1)]


def test_day_of_a_customer_counts_once_and_is_in_time_if_all_its_waits_are():
    waits = [waited(NOON, MINUTE), waited(NOON + HOUR, 4 * MINUTE), waited(NOON + DAY, MINUTE)]

    assert count_waits(PINDUODUO, waits, until=END + DAY) == [DayCount(TODAY, 1, 0), DayCount(TODAY + 1, 1, 1)]


@pytest.mark.parametrize(
    ("pause", "sessions"), [(10 * MINUTE, 1), (10 * MINUTE + 1, 2)], ids=["a return", "a new consult"]
)
def test_return_within_ten_minutes_is_the_same_session(pause, sessions):
    first = waited(NOON, 20 * SECOND)
    later = waited(first.answered_at + pause, 20 * SECOND)

    assert count_waits(JD, [later, first], until=END) == [DayCount(TODAY, sessions, sessions)]


def test_session_goes_on_while_the_first_question_waits():
    never, during = CustomerWait(NOON, None, NOON + HOUR), waited(NOON + 30 * MINUTE, SECOND)

    assert count_waits(JD, [never, during], until=END) == [DayCount(TODAY, 1, 0)]


def test_wait_that_ended_without_an_answer_is_not_in_time_and_a_short_one_that_runs_is_left_out():
    ended = CustomerWait(NOON, None, NOON + MINUTE)
    short, long = CustomerWait(END - 3 * MINUTE, None, None), CustomerWait(END - 3 * MINUTE - 1, None, None)

    assert count_waits(TAOBAO, [ended], until=END) == [DayCount(TODAY, 1, 0)]
    assert count_waits(TAOBAO, [short], until=END) == []
    assert count_waits(TAOBAO, [long], until=END) == [DayCount(TODAY, 1, 0)]


def test_wait_outside_the_platforms_hours_does_not_count():
    early, late = (parse_instant(f"2026-11-24T{time}:00+08:00") for time in ("08:59", "23:00"))

    assert count_waits(TAOBAO, [waited(early, SECOND), waited(late, SECOND)], until=END) == []
    assert count_waits(PINDUODUO, [waited(early, SECOND), waited(late, SECOND)], until=END) == [DayCount(TODAY, 1, 1)]
