"""Business time the slow way: look at the clock on the shop's wall at the start of every minute.

It takes the policy as the document that people write, and knows no interval.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

Hours = Mapping[str, list[str]]


class Shop:
    """A shop's hours: by day of the week (None: always open), on dates of their own, holidays, make-up days."""

    def __init__(
        self,
        *,
        zone: str,
        week: Hours | None,
        dates: Hours,
        holidays: frozenset[date],
        make_up_days: frozenset[date],
        make_up_as: str,
    ) -> None:
        self.zone = ZoneInfo(zone)
        self.week = week
        self.dates = dates
        self.holidays = holidays
        self.make_up_days = make_up_days
        self.make_up_as = make_up_as

    def hours_of(self, day: date) -> list[str]:
        """What is written for a day."""
        if day.isoformat() in self.dates:
            return self.dates[day.isoformat()]
        if day in self.holidays and day not in self.make_up_days:
            return []
        if self.week is None:
            return ["00:00-24:00"]
        return self.week.get(self.make_up_as if day in self.make_up_days else NAMES[day.weekday()], [])

    def is_open(self, instant: datetime) -> bool:
        """Whether the clock on the wall shows an hour at which the shop is open."""
        wall = instant.astimezone(self.zone)
        clock = f"{wall:%H:%M}"
        for hours in self.hours_of(wall.date()):
            opens, closes = hours.split("-")
            if opens <= clock and (clock < closes or closes <= opens):
                return True
        for hours in self.hours_of(wall.date() - timedelta(days=1)):
            opens, closes = hours.split("-")
            if closes <= opens and clock < closes:
                return True
        return False

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """The open minutes between two instants of whole minutes."""
        minutes, instant = 0, start.astimezone(UTC)
        while instant < end:
            minutes += self.is_open(instant)
            instant += MINUTE
        return minutes
