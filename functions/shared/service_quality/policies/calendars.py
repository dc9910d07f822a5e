"""Holidays and make-up working days (调休) by year, and the state of a year that no decree has settled yet."""

import json
import pkgutil
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from service_quality.policies.local_days import parse_day

#: Name of a calendar → the data file beside this module, written by `python -m tools.make_holidays`.
FILES = {"CN": "holidays_cn.json"}
#: From this month on, the calendar of the next year is expected.
EXPECTED_FROM_MONTH = 12


class CalendarState(StrEnum):
    """What is known of a year: its decree, or only what the law says of every year."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"


class Calendar(NamedTuple):
    """The days that differ from their week, as days since 1970-01-01, and the years with a published decree.

    A provisional year has its statutory days alone, without bridges and make-up days; a year that the data file does
    not hold has no day at all.
    """

    name: str
    holidays: frozenset[int]
    make_up_days: frozenset[int]
    published: frozenset[int]

    def state_of(self, year: int) -> CalendarState:
        """Whether the year's decree is known; a shop without a calendar waits for none."""
        known = not self.name or year in self.published
        return CalendarState.PUBLISHED if known else CalendarState.PROVISIONAL


NO_CALENDAR = Calendar("", frozenset(), frozenset(), frozenset())


@cache
def load_calendar(name: str | None) -> Calendar:
    """The calendar of a name; one without days for None. KeyError for a name that no data file has."""
    if name is None:
        return NO_CALENDAR
    document = json.loads(pkgutil.get_data(__package__, FILES[name]) or b"")
    years = document["published"]
    return Calendar(
        name,
        holidays=_days(
            day for year in (*years.values(), *document["provisional"].values()) for day in year["holidays"]
        ),
        make_up_days=_days(day for year in years.values() for day in year["make_up_days"]),
        published=frozenset(map(int, years)),
    )


def missing_years(name: str | None, today: date) -> tuple[int, ...]:
    """The years whose decree is expected by a day and missing: the day's own, and from December on the next."""
    calendar = load_calendar(name)
    expected = (today.year, today.year + 1) if today.month >= EXPECTED_FROM_MONTH else (today.year,)
    return tuple(year for year in expected if calendar.state_of(year) is CalendarState.PROVISIONAL)


def calendar_warning(name: str | None, today: date) -> str:
    """Why people must bring a calendar up to date, in one sentence; "" where nothing is missing.

    >>> calendar_warning("CN", date(2026, 11, 30))
    ''
    """
    missing = missing_years(name, today)
    if not missing:
        return ""
    years = " and ".join(map(str, missing))
    return (
        f"calendar {name}: found no published decree for {years}, expected it from {missing[0] - 1}-12-01 on;"
        " figures of these days are provisional; run python -m tools.make_holidays"
    )


def _days(texts: Iterable[str]) -> frozenset[int]:
    return frozenset(map(parse_day, texts))
