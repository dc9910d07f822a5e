"""What two libraries say of China's working days, as JSON: `python tools/calendar_libraries.py FIRST LAST AHEAD`.

Runs in the environment of `requirements/calendars.txt`, which has nothing else of this checkout; called by
`tools/make_holidays.py`. FIRST to LAST are years with a decree, the AHEAD years after them have statutory days alone.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta

SATURDAY = 5


def days_of(year: int) -> Iterator[date]:
    """Every day of a year."""
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(1)


def differing(year: int, is_working: Callable[[date], bool]) -> dict[str, list[str]]:
    """The days on which a year differs from its weeks: free weekdays and worked weekends."""
    days = list(days_of(year))
    return {
        "free_weekdays": [str(day) for day in days if day.weekday() < SATURDAY and not is_working(day)],
        "make_up_days": [str(day) for day in days if day.weekday() >= SATURDAY and is_working(day)],
    }


def main(first: int, last: int, ahead: int) -> None:
    """Print what both libraries say, by library and year."""
    import chinese_calendar  # noqa: PLC0415  (of another environment)
    import holidays  # noqa: PLC0415

    decreed, years = holidays.country_holidays("CN"), range(first, last + 1)
    statutory = holidays.country_holidays("CN", observed=False)
    said = {
        "chinesecalendar": {year: differing(year, chinese_calendar.is_workday) for year in years},
        "holidays": {year: differing(year, decreed.is_working_day) for year in years},
        "named": {
            year: [str(day) for day in days_of(year) if all(chinese_calendar.get_holiday_detail(day))] for year in years
        },
        "statutory": {
            year: [str(day) for day in days_of(year) if day in statutory] for year in range(last + 1, last + 1 + ahead)
        },
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
