"""Days and hours as a policy writes them: days since 1970-01-01, shifts in minutes, durations of ISO 8601."""

from datetime import date, timedelta

from service_quality.instants import DAY, HOUR, MINUTE, SECOND

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MINUTES_OF_DAY = DAY // MINUTE

_FIRST_DAY = date(1970, 1, 1)
_UNITS = {"D": DAY, "H": HOUR, "M": MINUTE, "S": SECOND}


def weekday_of(day: int) -> int:
    """0 for Monday to 6 for Sunday, of a day since 1970-01-01.

    >>> WEEKDAYS[weekday_of(parse_day("2026-11-24"))]
    'tuesday'
    """
    return (day + 3) % 7


def parse_day(text: str) -> int:
    """The days since 1970-01-01 of a date such as "2026-11-24"; ValueError for any other text."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError("another form of ISO 8601")
    return (day - _FIRST_DAY).days


def format_day(day: int) -> str:
    """The date of a day since 1970-01-01."""
    return (_FIRST_DAY + timedelta(days=day)).isoformat()


def year_of(day: int) -> int:
    """The year of a day since 1970-01-01."""
    return (_FIRST_DAY + timedelta(days=day)).year


def parse_shift(text: str) -> tuple[int, int]:
    """The minutes of a shift such as "09:00-12:30"; one that closes before it opens goes over midnight.

    >>> parse_shift("09:00-12:30"), parse_shift("22:00-06:00"), parse_shift("00:00-24:00")
    ((540, 750), (1320, 1800), (0, 1440))
    >>> parse_shift("09:00-09:00")
    Traceback (most recent call last):
    ValueError: an empty shift
    """
    opens, closes = (_minutes(clock) for clock in text.split("-"))
    if opens in (closes, MINUTES_OF_DAY):
        raise ValueError("an empty shift")
    return opens, closes if closes > opens else closes + MINUTES_OF_DAY


def format_shift(shift: tuple[int, int]) -> str:
    """A shift as a policy writes it.

    >>> format_shift((540, 750)), format_shift((1320, 1800)), format_shift((0, 1440))
    ('09:00-12:30', '22:00-06:00', '00:00-24:00')
    """
    opens, closes = shift
    closes -= MINUTES_OF_DAY * (closes > MINUTES_OF_DAY)
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (opens, closes))


def parse_duration(text: str) -> int:
    """The milliseconds of an ISO 8601 duration in days, hours, minutes and whole seconds; ValueError for another text.

    >>> parse_duration("PT3M"), parse_duration("P3D"), parse_duration("P1DT1H30S")
    (180000, 259200000, 90030000)
    """
    days, t, time = text.removeprefix("P").partition("T")
    if not text.startswith("P") or not (days or time) or bool(t) != bool(time):
        raise ValueError("no duration")
    return _sum_of(days, "D") + _sum_of(time, "HMS")


def format_duration(milliseconds: int) -> str:
    """The shortest ISO 8601 duration of whole seconds in milliseconds.

    >>> format_duration(180_000), format_duration(72 * HOUR), format_duration(90_030_000)
    ('PT3M', 'P3D', 'P1DT1H30S')
    """
    said = ""
    for letter, unit in _UNITS.items():
        count, milliseconds = divmod(milliseconds, unit)
        if letter != "D" and count and "T" not in said:
            said += "T"
        said += f"{count}{letter}" if count else ""
    return f"P{said or 'T0S'}"


def _minutes(clock: str) -> int:
    if len(clock) != len("09:00") or clock[2] != ":" or not (clock[:2] + clock[3:]).isdecimal() or not clock.isascii():
        raise ValueError("no time of day")
    hours, minutes = int(clock[:2]), int(clock[3:])
    if minutes > 59 or hours * 60 + minutes > MINUTES_OF_DAY:
        raise ValueError("no time of day")
    return hours * 60 + minutes


def _sum_of(part: str, letters: str) -> int:
    """The milliseconds of numbers with units, each unit at most once and in order."""
    total = 0
    for letter in letters:
        number, found, rest = part.partition(letter)
        if found:
            if not (number.isascii() and number.isdecimal() and len(number) <= 9):
                raise ValueError("no number before its unit")
            total, part = total + int(number) * _UNITS[letter], rest
    if part:
        raise ValueError("an unknown unit")
    return total
