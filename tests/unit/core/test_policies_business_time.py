"""Business time on the days that others get wrong."""

import json

import pytest

from service_quality.instants import DAY, HOUR, MINUTE, parse_instant
from service_quality.policies.business_time import BusinessTime, business_time
from service_quality.policies.calendars import CalendarState
from service_quality.policies.policy import DEFAULT_POLICY, Policy
from service_quality.policies.policy_document import parse_policy

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def policy(zone: str = "UTC", **given: object) -> Policy:
    document = {"revision": "r", "valid_from": "2019-01-01T00:00:00Z", "zone": zone, **given}
    return parse_policy(json.dumps(document).encode())


def every_day(*shifts: str) -> dict[str, list[str]]:
    return {day: [*shifts] for day in WEEK}


def hours(one: Policy, start: str, end: str) -> float:
    return BusinessTime(one).between(parse_instant(start), parse_instant(end)) / HOUR


@pytest.mark.parametrize(
    ("zone", "midnight", "next_midnight", "length"),
    [
        ("Europe/Berlin", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        ("Europe/Berlin", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("America/New_York", "2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00", 23),
        ("America/New_York", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
        ("Australia/Lord_Howe", "2026-10-04T00:00+10:30", "2026-10-05T00:00+11:00", 23.5),
        ("Australia/Lord_Howe", "2026-04-05T00:00+11:00", "2026-04-06T00:00+10:30", 24.5),
        ("Asia/Shanghai", "2026-03-29T00:00+08:00", "2026-03-30T00:00+08:00", 24),
    ],
)
def test_day_is_as_long_as_its_clock_says(zone, midnight, next_midnight, length):
    assert hours(policy(zone, opening=every_day("00:00-24:00")), midnight, next_midnight) == length


def test_shift_across_a_clock_change_is_shorter_or_longer():
    night = policy("Europe/Berlin", opening=every_day("22:00-06:00"))

    assert hours(night, "2026-03-28T12:00+01:00", "2026-03-29T12:00+02:00") == 7
    assert hours(night, "2026-10-24T12:00+02:00", "2026-10-25T12:00+01:00") == 9


def test_hour_that_the_clock_repeats_counts_twice_and_one_leapt_over_not_at_all():
    at_two = policy("Europe/Berlin", opening=every_day("02:00-03:00"))

    assert hours(at_two, "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00") == 2
    assert hours(at_two, "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00") == 0


def test_lunch_break_is_no_business_time():
    split = policy("Asia/Shanghai", opening=every_day("09:00-12:00", "13:00-18:00"))

    assert hours(split, "2026-11-24T11:30+08:00", "2026-11-24T13:30+08:00") == 1
    assert hours(split, "2026-11-24T00:00+08:00", "2026-11-25T00:00+08:00") == 8


def test_night_and_weekend_between_question_and_answer_do_not_count():
    office = policy("Asia/Shanghai", opening={day: ["09:00-18:00"] for day in WEEK[:5]})

    assert hours(office, "2026-11-20T17:00+08:00", "2026-11-23T10:00+08:00") == 2


def test_holiday_is_closed_and_make_up_day_is_a_monday():
    office = policy("Asia/Shanghai", opening={day: ["09:00-18:00"] for day in WEEK[:5]}, holidays="CN")

    assert hours(office, "2026-10-01T00:00+08:00", "2026-10-08T00:00+08:00") == 0
    assert hours(office, "2026-10-10T00:00+08:00", "2026-10-11T00:00+08:00") == 9
    assert hours(office._replace(holidays=None), "2026-10-01T00:00+08:00", "2026-10-08T00:00+08:00") == 45
    assert hours(office._replace(holidays=None), "2026-10-10T00:00+08:00", "2026-10-11T00:00+08:00") == 0


def test_own_day_precedes_holiday_make_up_day_and_week():
    shop = policy(
        "Asia/Shanghai",
        opening=every_day("09:00-18:00"),
        holidays="CN",
        own_days={"2026-10-01": ["10:00-12:00"], "2026-10-10": [], "2026-10-12": ["09:00-10:00", "11:00-12:30"]},
    )

    assert hours(shop, "2026-10-01T00:00+08:00", "2026-10-02T00:00+08:00") == 2
    assert hours(shop, "2026-10-10T00:00+08:00", "2026-10-11T00:00+08:00") == 0
    assert hours(shop, "2026-10-12T00:00+08:00", "2026-10-13T00:00+08:00") == 2.5


def test_shift_over_midnight_belongs_to_the_day_on_which_it_opens():
    night = policy(opening={"saturday": ["22:00-06:00"]}, own_days={"2026-11-29": []})

    assert hours(night, "2026-11-28T00:00Z", "2026-11-30T00:00Z") == 8


def test_shifts_that_meet_on_an_own_day_count_once():
    night = policy(opening=every_day("22:00-06:00"), own_days={"2026-11-25": ["05:00-08:00"]})

    assert hours(night, "2026-11-25T00:00Z", "2026-11-25T12:00Z") == 8


def test_always_open_shop_counts_calendar_time():
    span = parse_instant("2026-01-01T00:00Z"), parse_instant("2026-01-01T00:00Z") + 400 * DAY + 7

    assert BusinessTime(DEFAULT_POLICY).between(*span) == 400 * DAY + 7


def test_end_that_is_not_later_is_no_time():
    assert business_time(DEFAULT_POLICY).between(5, 5) == 0
    assert business_time(DEFAULT_POLICY).between(9_000, 5) == 0
    assert business_time(DEFAULT_POLICY).between(3 * DAY, 5) == 0


def test_instant_after_business_time_is_the_first_one():
    office = BusinessTime(policy("Asia/Shanghai", opening={day: ["09:00-18:00"] for day in WEEK[:5]}, holidays="CN"))
    asked = parse_instant("2026-09-30T17:59+08:00")

    assert office.instant_after(asked, MINUTE) == parse_instant("2026-09-30T18:00+08:00")
    assert office.instant_after(asked, 3 * MINUTE) == parse_instant("2026-10-08T09:02+08:00")
    assert office.instant_after(asked, 0) == asked


def test_shop_that_never_opens_has_no_such_instant():
    closed = BusinessTime(DEFAULT_POLICY._replace(opening=((),) * 7))

    assert closed.instant_after(0, 1) is None


@pytest.mark.parametrize(
    ("start", "end", "state"),
    [
        ("2026-12-31T00:00+08:00", "2026-12-31T23:59+08:00", CalendarState.PUBLISHED),
        ("2026-12-31T15:00Z", "2026-12-31T17:00Z", CalendarState.PROVISIONAL),
        ("2018-06-01T00:00Z", "2020-06-01T00:00Z", CalendarState.PROVISIONAL),
    ],
)
def test_time_that_touches_a_year_without_a_decree_is_provisional(start, end, state):
    counter = BusinessTime(policy("Asia/Shanghai", holidays="CN"))

    assert counter.state_between(parse_instant(start), parse_instant(end)) is state
    assert (
        BusinessTime(policy("Asia/Shanghai")).state_between(parse_instant(start), parse_instant(end))
        is CalendarState.PUBLISHED
    )
