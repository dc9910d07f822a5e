"""The clock on a shop's wall: what it shows at an event. Days are looked up a quarter of an hour at a time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.story import Instant, is_exact

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(minutes=15)


def on_the_wall(event: InteractionEvent | Instant, zone: str) -> datetime:
    """The time on the wall; of an event known to the day, a time of the day that its source named."""
    instant = _FIRST + timedelta(milliseconds=event.occurred_at)
    return instant.astimezone(ZoneInfo(zone)) if is_exact(event) else instant


def date_of(event: InteractionEvent | Instant, zone: str) -> date:
    """The day on the wall's calendar."""
    return on_the_wall(event, zone).date()


def days_between(earlier: InteractionEvent, later: InteractionEvent | Instant, zone: str) -> int:
    """The pages that are torn off the calendar between two events; 0 where the later one's day is named too early."""
    return max(0, (date_of(later, zone) - date_of(earlier, zone)).days)


def first_instant_of(day: date, zone: str) -> int:
    """The instant, in milliseconds since 1970, at which the calendar first shows a day or a later one."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=24)
    while instant.astimezone(ZoneInfo(zone)).date() < day:
        instant += _STEP
    return (instant - _FIRST) // timedelta(milliseconds=1)
