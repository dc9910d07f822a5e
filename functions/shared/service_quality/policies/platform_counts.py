"""What a platform standard counts of the waits of one customer: by day, and how many were answered in time."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from service_quality.policies.platform_standards import DayCount, PlatformStandard, counted_day


class CustomerWait(NamedTuple):
    """A wait of a customer, from an instant until a person's answer, or until it ended without one.

    `ended_at` is None while the customer still waits.
    """

    began_at: int
    answered_at: int | None
    ended_at: int | None


class _Counted(NamedTuple):
    day: int
    is_on_time: bool


def count_waits(standard: PlatformStandard, waits: Iterable[CustomerWait], *, until: int) -> list[DayCount]:
    """The counts by day of one customer's waits, by a log that ends at an instant.

    `round` counts every wait; `customer_day` a day once, on time if all its waits are; `first_consult` the first wait
    of each session, which goes on while the customer comes back soon enough. A wait that is not over, and not too long
    yet, is left out.
    """
    in_order = sorted(waits, key=lambda wait: (wait.began_at, wait.ended_at or until))
    chosen = _first_of_sessions(standard, in_order, until) if standard.counted == "first_consult" else iter(in_order)
    counted = list(_counted(standard, chosen, until))
    by_day = {day: list(group) for day, group in groupby(counted, key=attrgetter("day"))}
    if standard.counted == "customer_day":
        return [DayCount(day, 1, int(all(one.is_on_time for one in group))) for day, group in by_day.items()]
    return [DayCount(day, len(group), sum(one.is_on_time for one in group)) for day, group in by_day.items()]


def _counted(standard: PlatformStandard, waits: Iterable[CustomerWait], until: int) -> Iterator[_Counted]:
    for wait in waits:
        day = counted_day(standard, wait.began_at)
        is_on_time = wait.answered_at is not None and wait.answered_at - wait.began_at <= standard.within_ms
        is_decided = wait.ended_at is not None or until - wait.began_at > standard.within_ms
        if day is not None and is_decided:
            yield _Counted(day, is_on_time)


def _first_of_sessions(standard: PlatformStandard, waits: Iterable[CustomerWait], until: int) -> Iterator[CustomerWait]:
    session_ends: int | None = None
    for wait in waits:
        if session_ends is None or wait.began_at - session_ends > standard.same_session_ms:
            yield wait
        session_ends = max(session_ends or 0, until if wait.ended_at is None else wait.ended_at)
