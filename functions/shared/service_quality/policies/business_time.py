"""Business time: the milliseconds that a shop is open between two instants, and the instant at which they are over.

A shop is open while the clock on its wall shows one of its shifts: an hour that the clock repeats counts twice, an hour
that it leaps over does not count.
"""

from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

from service_quality.instants import DAY, MINUTE, SECOND
from service_quality.policies.calendars import CalendarState, load_calendar
from service_quality.policies.local_clock import offset_at
from service_quality.policies.local_days import MINUTES_OF_DAY, weekday_of, year_of
from service_quality.policies.policy import Policy, Shifts

#: Days that are kept, and days that are searched for the end of a duration.
MOST_DAYS = 20_000
_ALWAYS = (((0, MINUTES_OF_DAY),),) * 7

#: From its first instant until before its last, in UTC.
Interval = tuple[int, int]


class BusinessTime:
    """Counts the business time of one policy; keeps the days that it has cut into open intervals."""

    def __init__(self, policy: Policy) -> None:
        self._zone = ZoneInfo(policy.zone)
        self._week = policy.opening or _ALWAYS
        self._make_up_shifts = self._week[policy.make_up_days_as]
        self._own_days = dict(policy.own_days)
        self._calendar = load_calendar(policy.holidays)
        self._open: dict[int, tuple[Interval, ...]] = {}

    def between(self, start: int, end: int) -> int:
        """The open milliseconds from one instant until another; 0 where the other is not later."""
        return sum(
            max(0, min(closes, end) - max(opens, start))
            for day in range(start // DAY, -(-end // DAY))
            for opens, closes in self._intervals(day)
        )

    def instant_after(self, start: int, business_ms: int) -> int | None:
        """The first instant at or after `start` until which so much business time passes.

        None where it does not pass within 20,000 days, as in a shop that never opens.
        """
        left = business_ms
        if left <= 0:
            return start
        for day in range(start // DAY, start // DAY + MOST_DAYS):
            for opens, closes in self._intervals(day):
                opened = max(opens, start)
                if closes - opened >= left:
                    return opened + left
                left -= max(0, closes - opened)
        return None

    def state_between(self, start: int, end: int) -> CalendarState:
        """PROVISIONAL where a day from one instant until another belongs to a year without a published decree."""
        first, last = (year_of((instant + self._offset(instant)) // DAY) for instant in (start, max(start, end)))
        states = {self._calendar.state_of(year) for year in range(first, last + 1)}
        return CalendarState.PROVISIONAL if CalendarState.PROVISIONAL in states else CalendarState.PUBLISHED

    def _intervals(self, day: int) -> tuple[Interval, ...]:
        """The open intervals of a UTC day, in order; none touches another."""
        if day not in self._open:
            if len(self._open) >= MOST_DAYS:
                self._open.clear()
            cut = (part for piece in self._pieces(day * DAY, (day + 1) * DAY) for part in self._open_within(*piece))
            self._open[day] = _united(sorted(cut))
        return self._open[day]

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """A UTC day cut where the zone's offset changes, at most once a day: start, end, offset."""
        before, after = self._offset(start), self._offset(end)
        low, high = start, end
        while before != after and high - low > SECOND:
            middle = (low + high) // (2 * SECOND) * SECOND
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        yield start, high, before
        yield high, end, after

    def _open_within(self, start: int, end: int, offset: int) -> Iterator[Interval]:
        """The open intervals of a piece; shifts of the local day before may reach into it."""
        for day in range((start + offset) // DAY - 1, (end + offset) // DAY + 1):
            midnight = day * DAY - offset
            for opens, closes in self._shifts(day):
                opened, closed = max(start, midnight + opens * MINUTE), min(end, midnight + closes * MINUTE)
                if opened < closed:
                    yield opened, closed

    def _shifts(self, day: int) -> Shifts:
        if day in self._own_days:
            return self._own_days[day]
        if day in self._calendar.make_up_days:
            return self._make_up_shifts
        return () if day in self._calendar.holidays else self._week[weekday_of(day)]

    def _offset(self, instant: int) -> int:
        return offset_at(self._zone, instant)


@lru_cache(maxsize=256)
def business_time(policy: Policy) -> BusinessTime:
    """The counter of a policy, one for all who ask."""
    return BusinessTime(policy)


def _united(intervals: list[Interval]) -> tuple[Interval, ...]:
    """Sorted intervals, those that overlap or touch as one."""
    united: list[Interval] = []
    for opens, closes in intervals:
        if united and opens <= united[-1][1]:
            united[-1] = united[-1][0], max(united[-1][1], closes)
        else:
            united.append((opens, closes))
    return tuple(united)
