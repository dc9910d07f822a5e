"""Open time of a shop that closes on whole days: looked up day by day, on the calendar of its zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.oracle.story import Calendar

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_ms(calendar: Calendar, start: int, end: int) -> int:
    """The milliseconds between two instants that no closed day covers."""
    return sum(
        max(0, min(end, _midnight(calendar, day + timedelta(days=1))) - max(start, _midnight(calendar, day)))
        for day in _days(calendar, start, end)
        if day not in calendar.closed
    )


def is_unsettled(calendar: Calendar, start: int, end: int) -> bool:
    """Whether a day from one instant to another lies in a year that is not settled."""
    return any(day.year not in calendar.settled for day in _days(calendar, start, end))


def _days(calendar: Calendar, start: int, end: int) -> Iterator[date]:
    first, last = ((EPOCH + at * MILLISECOND).astimezone(ZoneInfo(calendar.zone)).date() for at in (start, end))
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _midnight(calendar: Calendar, day: date) -> int:
    """The instant at which a day begins in the zone."""
    return (datetime.combine(day, time(), ZoneInfo(calendar.zone)) - EPOCH) // MILLISECOND
