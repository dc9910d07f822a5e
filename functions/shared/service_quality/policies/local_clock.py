"""What the clock on a shop's wall shows at an instant: days since 1970-01-01 and milliseconds of the day."""

from datetime import datetime
from zoneinfo import ZoneInfo

from service_quality.instants import DAY, SECOND


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """The milliseconds by which a zone is ahead of UTC at an instant.

    >>> offset_at(ZoneInfo("Asia/Kolkata"), 0)
    19800000
    """
    delta = datetime.fromtimestamp(instant // SECOND, zone).utcoffset()
    return (delta.days * 86_400 + delta.seconds) * SECOND if delta else 0


def to_local(instant: int, zone: str) -> int:
    """The instant at which a clock in UTC shows what the clock in a zone shows at this one.

    >>> to_local(0, "Asia/Shanghai")
    28800000
    """
    return instant + offset_at(ZoneInfo(zone), instant)


def midnight_of(local_day: int, zone: str) -> int:
    """The first instant of a local day; where the clock leaps over midnight, the instant of the leap.

    >>> midnight_of(0, "Asia/Shanghai")
    -28800000
    """
    around, local = ZoneInfo(zone), local_day * DAY
    candidates = (local - offset_at(around, local - DAY), local - offset_at(around, local + DAY))
    return min(one for one in candidates if to_local(one, zone) >= local)
