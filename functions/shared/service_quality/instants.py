"""Instants and durations: integer UTC epoch milliseconds inside, ISO 8601 at the edges."""

from datetime import UTC, date, datetime, timedelta

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LATEST_SECOND = 253_402_300_799  # of the epoch: the end of the year 9999

_FIRST_MONDAY = 4 * DAY  # 1970-01-05
_EPOCH = datetime(1970, 1, 1)  # without a zone: every instant here is UTC


def floor_to(instant: int, grain: int) -> int:
    """The latest multiple of `grain` at or before an instant.

    >>> floor_to(7_250, SECOND)
    7000
    """
    return instant - instant % grain


def end_of_day(instant: int) -> int:
    """The last millisecond of the instant's UTC day.

    >>> format_instant(end_of_day(0))
    '1970-01-01T23:59:59.999Z'
    """
    return floor_to(instant, DAY) + DAY - 1


def day_at(instant: int) -> date:
    """The UTC day of an instant.

    >>> str(day_at(DAY))
    '1970-01-02'
    """
    return (_EPOCH + timedelta(milliseconds=instant)).date()


def hour_of_day(instant: int) -> int:
    """0 to 23, UTC."""
    return instant % DAY // HOUR


def day_of_week(instant: int) -> int:
    """0 for Monday to 6 for Sunday, UTC.

    >>> day_of_week(parse_instant("2026-11-24T00:00:00Z"))
    1
    """
    return (instant - _FIRST_MONDAY) % (7 * DAY) // DAY


def parse_instant(text: str) -> int:
    """Epoch milliseconds of an ISO 8601 instant with a zone; `ValueError` without one.

    >>> parse_instant("1970-01-01T00:00:01.5+00:00")
    1500
    """
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError("an instant without a time zone")
    delta = parsed - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * DAY + delta.seconds * SECOND + delta.microseconds // 1000


def format_instant(instant: int) -> str:
    """ISO 8601 in UTC with milliseconds.

    >>> format_instant(1500)
    '1970-01-01T00:00:01.500Z'
    """
    return (_EPOCH + timedelta(milliseconds=instant)).isoformat(timespec="milliseconds") + "Z"
