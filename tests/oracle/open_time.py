"""A shop's open time: looked up day by day where it closes on whole days, else minute by minute on the wall's clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.oracle.business_minutes import NAMES, Shop
from tests.oracle.spans import MINUTE
from tests.oracle.story import Calendar

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_ms(calendar: Calendar, start: int, end: int) -> int:
    """The open milliseconds between two instants."""
    return sum(until - since for since, until in open_parts(calendar, start, end))


def open_parts(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of the time between two instants in which the shop is open, in order."""
    found = _open_days(calendar, start, end) if calendar.week is None else _open_minutes(calendar, start, end)
    return (part for part in found if part[0] < part[1])


def after_open_days(calendar: Calendar, start: int, length: int) -> int:
    """The instant until which so much time has passed since another, days on which the shop never opens left out."""
    day, left = next(_days(calendar, start, start)), length
    while True:
        begins, ends = max(start, _midnight(calendar, day)), _midnight(calendar, day + timedelta(days=1))
        if _shop(calendar).hours_of(day):
            if left <= ends - begins:
                return begins + left
            left -= ends - begins
        day += timedelta(days=1)


def is_unsettled(calendar: Calendar, start: int, end: int) -> bool:
    """Whether a day from one instant to another lies in a year that is not settled."""
    if calendar.settled is None:
        return False
    return any(day.year not in calendar.settled for day in _days(calendar, start, end))


def _open_days(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    for day in _days(calendar, start, end):
        if day not in calendar.closed:
            yield max(start, _midnight(calendar, day)), min(end, _midnight(calendar, day + timedelta(days=1)))


def _open_minutes(calendar: Calendar, start: int, end: int) -> Iterator[tuple[int, int]]:
    for minute in range(start // MINUTE, -(-end // MINUTE)):
        if _is_open(calendar, minute):
            yield max(start, minute * MINUTE), min(end, (minute + 1) * MINUTE)


@lru_cache(maxsize=500_000)
def _is_open(calendar: Calendar, minute: int) -> bool:
    """Whether the shop is open in a minute since 1970."""
    return _shop(calendar).is_open(EPOCH + minute * timedelta(minutes=1))


@lru_cache
def _shop(calendar: Calendar) -> Shop:
    week = None if calendar.week is None else [list(hours) for hours in calendar.week]
    return Shop(
        zone=calendar.zone,
        week=None if week is None else dict(zip(NAMES, week, strict=True)),
        dates={},
        holidays=calendar.closed,
        make_up_days=calendar.make_up,
        make_up_as=NAMES[0],
    )


def _days(calendar: Calendar, start: int, end: int) -> Iterator[date]:
    first, last = ((EPOCH + at * MILLISECOND).astimezone(ZoneInfo(calendar.zone)).date() for at in (start, end))
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _midnight(calendar: Calendar, day: date) -> int:
    """The instant at which a day begins in the zone."""
    return (datetime.combine(day, time(), ZoneInfo(calendar.zone)) - EPOCH) // MILLISECOND
