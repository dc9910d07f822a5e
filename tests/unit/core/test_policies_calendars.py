"""Holidays and make-up working days of China, and years without a decree."""

from collections import Counter
from datetime import date

import pytest

from service_quality.policies.calendars import CalendarState, calendar_warning, load_calendar, missing_years
from service_quality.policies.local_days import format_day, parse_day, weekday_of, year_of

CN = load_calendar("CN")
PUBLISHED = range(2019, 2027)
#: Free days, weekends within a holiday included, and make-up days by year.
COUNTS = {
    2019: (28, 6),
    2020: (30, 6),
    2021: (31, 7),
    2022: (32, 7),
    2023: (28, 7),
    2024: (28, 8),
    2025: (28, 5),
    2026: (33, 6),
}


def of_year(days: frozenset[int], year: int) -> list[int]:
    return sorted(day for day in days if year_of(day) == year)


@pytest.mark.parametrize("year", PUBLISHED)
def test_year_has_the_days_of_its_decree(year):
    assert (len(of_year(CN.holidays, year)), len(of_year(CN.make_up_days, year))) == COUNTS[year]


def test_make_up_days_are_weekends_and_no_holidays():
    assert {weekday_of(day) for day in CN.make_up_days} == {5, 6}
    assert not CN.make_up_days & CN.holidays
    assert {year_of(day) for day in CN.make_up_days} == {*PUBLISHED}


@pytest.mark.parametrize("year", range(2019, 2031))
def test_every_year_is_free_on_the_days_of_the_law(year):
    days = {format_day(day)[5:] for day in of_year(CN.holidays, year)}

    assert {"01-01", "05-01", "10-01", "10-02", "10-03"} <= days


@pytest.mark.parametrize("year", range(2027, 2031))
def test_provisional_year_has_statutory_days_alone(year):
    assert len(of_year(CN.holidays, year)) in (12, 13)
    assert not of_year(CN.make_up_days, year)
    assert CN.state_of(year) is CalendarState.PROVISIONAL


def test_no_day_stands_outside_the_years_of_the_file():
    assert Counter(year_of(day) for day in CN.holidays).keys() == {*range(2019, 2031)}


def test_decree_of_2026_is_what_was_published():
    days = {format_day(day)[5:] for day in of_year(CN.holidays, 2026)}
    spring = {f"02-{day}" for day in range(15, 24)}

    assert spring | {"01-02", "04-06", "05-05", "06-19", "09-25", "10-07"} <= days
    assert [format_day(day)[5:] for day in of_year(CN.make_up_days, 2026)] == [
        *("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
    ]


@pytest.mark.parametrize(
    ("year", "state"),
    [(2018, "provisional"), (2019, "published"), (2026, "published"), (2027, "provisional"), (9999, "provisional")],
)
def test_year_without_a_decree_is_a_state(year, state):
    assert CN.state_of(year) is CalendarState(state)


def test_shop_without_a_calendar_waits_for_no_decree():
    assert load_calendar(None).state_of(2050) is CalendarState.PUBLISHED
    assert calendar_warning(None, date(2050, 12, 1)) == ""


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        (date(2026, 11, 30), ()),
        (date(2026, 12, 1), (2027,)),
        (date(2026, 12, 31), (2027,)),
        (date(2027, 1, 1), (2027,)),
        (date(2027, 12, 1), (2027, 2028)),
        (date(2025, 12, 31), ()),
    ],
)
def test_next_year_is_missing_from_december_on(today, missing):
    assert missing_years("CN", today) == missing
    assert all(str(year) in calendar_warning("CN", today) for year in missing)
    assert bool(calendar_warning("CN", today)) is bool(missing)


def test_warning_says_since_when_and_what_to_do():
    assert calendar_warning("CN", date(2026, 12, 1)) == (
        "calendar CN: found no published decree for 2027, expected it from 2026-12-01 on; figures of these days are"
        " provisional; run python -m tools.make_holidays"
    )


@pytest.mark.parametrize("text", ["2026-02-30", "20260201", "2026-W48-2", "2026-1-1", "", "2026-11-24 "])
def test_other_form_of_a_date_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_day(text)
