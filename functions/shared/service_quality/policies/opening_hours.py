"""The hours of a policy document: shifts by day of the week and by date, which must not overlap."""

from itertools import pairwise

from service_quality.policies.document_values import Problems, joined, shown, string
from service_quality.policies.local_days import MINUTES_OF_DAY, WEEKDAYS, parse_day, parse_shift
from service_quality.policies.policy import Shift, Shifts

_SHIFT = 'a shift such as "09:00-12:30", over midnight "22:00-06:00"'


def read_opening(problems: Problems, value: object) -> tuple[Shifts, ...] | None:
    """The shifts from Monday to Sunday; a day that is not named is closed, and None is always open."""
    if value is None:
        return None
    named = problems.object_at("opening", value, known=WEEKDAYS)
    before = len(problems.found)
    week = tuple(_read_shifts(problems, f"opening.{day}", named.get(day, [])) for day in WEEKDAYS)
    for name, shifts, tomorrow in zip(WEEKDAYS, week, week[1:] + week[:1], strict=True):
        if shifts and tomorrow and shifts[-1][1] - MINUTES_OF_DAY > tomorrow[0][0]:
            problems.add(f"opening.{name}", "a shift that goes on into the next day's first", "shifts that end before")
    if isinstance(value, dict) and not any(week) and len(problems.found) == before:
        problems.add("opening", "no shift in the whole week", "at least one, or null for a shop that is always open")
    return week


def read_own_days(problems: Problems, value: object) -> tuple[tuple[int, Shifts], ...]:
    """The days with shifts of their own, in order."""
    if not isinstance(value, dict):
        problems.add("own_days", shown(value), "a JSON object of dates and shifts")
        return ()
    days = []
    for name, shifts in value.items():
        path = joined("own_days", name)
        day = problems.read(path, name, by=_day, expected='a date such as "2026-11-24"', fallback=0)
        days.append((day, _read_shifts(problems, path, shifts)))
    return tuple(sorted(days))


def _read_shifts(problems: Problems, path: str, value: object) -> Shifts:
    parsed = [
        problems.read(f"{path}[{number}]", one, by=_shift, expected=_SHIFT, fallback=None)
        for number, one in enumerate(problems.list_at(path, value))
    ]
    shifts = sorted(shift for shift in parsed if shift is not None)
    for earlier, later in pairwise(shifts):
        if later[0] < earlier[1]:
            problems.add(path, "shifts that overlap", "each to open after the one before has closed")
    return tuple(shifts)


def _shift(value: object) -> Shift | None:
    return parse_shift(string(value))


def _day(value: object) -> int:
    return parse_day(string(value))
