"""Platform standards: dated presets of how fast a platform wants its customers answered, and how a shop does by them.

Everything is computed from counts by day; rates are per mille, rounded down.
"""

import json
import pkgutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from service_quality.instants import SECOND
from service_quality.policies.local_days import parse_day, parse_duration, parse_shift

FILE = "platform_standards.json"
#: The present rate is that of so many latest days.
RECENT_DAYS = 7

_ALL = 1_000


class PlatformStandard(NamedTuple):
    """One preset. `counted` is what its rate counts: each round, each customer on each day, or each first consult."""

    name: str
    platform: str
    #: The day on which it was written down from its source, as days since 1970-01-01.
    as_of: int
    source: str
    note: str
    counted: str
    within_ms: int
    #: A customer who comes back within this time continues the session before; 0 where the preset does not say so.
    same_session_ms: int
    zone: str
    #: From and until which minute of the day a round that begins counts.
    hours: tuple[int, int]
    window_days: int
    #: None where sources do not agree: name the one that your platform tells you.
    target_permille: int | None
    #: With fewer rounds than this in its window, a shop is not assessed.
    minimum: int


class DayCount(NamedTuple):
    """The rounds of a shop that count on a day (days since 1970-01-01), and those of them answered in time."""

    day: int
    rounds: int
    on_time: int


class StandardState(StrEnum):
    """How a shop does by a standard."""

    MET = "met"
    MISSED = "missed"
    NOT_ASSESSED = "not_assessed"
    NO_TARGET = "no_target"


class Assessment(NamedTuple):
    """A shop by a standard in the window that ends with a day."""

    state: StandardState
    rounds: int
    on_time: int
    #: None without rounds.
    permille: int | None
    #: How many further rounds, all on time, reach minimum and target; None where no number does.
    rounds_to_target: int | None


@cache
def load_standards() -> Mapping[str, PlatformStandard]:
    """The presets by name."""
    document = json.loads(pkgutil.get_data(__package__, FILE) or b"")
    return {
        one["name"]: PlatformStandard(
            name=one["name"],
            platform=one["platform"],
            as_of=parse_day(one["as_of"]),
            source=one["source"],
            note=document["note"],
            counted=one["counted"],
            within_ms=parse_duration(one["within"]),
            same_session_ms=parse_duration(one["same_session"]) if "same_session" in one else 0,
            zone=one["zone"],
            hours=parse_shift(one["hours"]),
            window_days=one["window_days"],
            target_permille=one.get("target_permille"),
            minimum=one["minimum"],
        )
        for one in document["standards"]
    }


def counted_day(standard: PlatformStandard, began_at: int) -> int | None:
    """The platform's day on which a round counts that begins at an instant; None outside of the preset's hours."""
    local = _on_its_clock(standard, began_at)
    opens, closes = standard.hours
    return _day_of(local) if opens <= local.hour * 60 + local.minute < closes else None


def platform_day(standard: PlatformStandard, at: int) -> int:
    """The platform's day of an instant, at whatever hour."""
    return _day_of(_on_its_clock(standard, at))


def assess(standard: PlatformStandard, days: Sequence[DayCount], *, today: int) -> Assessment:
    """How a shop does in the window that ends with today, today included."""
    rounds, on_time = _sums(days, first=today - standard.window_days + 1, last=today)
    return Assessment(
        _state(standard, rounds, on_time),
        rounds,
        on_time,
        on_time * _ALL // rounds if rounds else None,
        rounds_to_target(standard, rounds, on_time),
    )


def rounds_to_target(standard: PlatformStandard, rounds: int, on_time: int) -> int | None:
    """The least n with (on_time + n) ÷ (rounds + n) ≥ target and rounds + n ≥ minimum; None where no n does.

    >>> taobao = load_standards()["taobao_tmall_3_minutes"]
    >>> rounds_to_target(taobao, 200, 170), rounds_to_target(taobao, 200, 180), rounds_to_target(taobao, 40, 40)
    (100, 0, 60)
    """
    target = standard.target_permille
    if target is None:
        return None
    missing = target * rounds - _ALL * on_time
    if missing > 0 and target == _ALL:
        return None
    needed = -(-missing // (_ALL - target)) if missing > 0 else 0
    return max(needed, standard.minimum - rounds, 0)


def project(standard: PlatformStandard, days: Sequence[DayCount], *, today: int, ends_on: int) -> int | None:
    """The rate in the window that ends with a later day, if each day until then is the mean of the latest seven.

    Per mille; None where so few rounds are to be expected that the shop will not be assessed.
    """
    first = ends_on - standard.window_days + 1
    kept_rounds, kept_on_time = _sums(days, first=first, last=today)
    recent_rounds, recent_on_time = _sums(days, first=today - RECENT_DAYS + 1, last=today)
    coming = min(max(ends_on - today, 0), standard.window_days)
    # Seven times the counts, so that the mean of seven days stays whole.
    rounds = RECENT_DAYS * kept_rounds + coming * recent_rounds
    on_time = RECENT_DAYS * kept_on_time + coming * recent_on_time
    return on_time * _ALL // rounds if rounds and rounds >= RECENT_DAYS * standard.minimum else None


def _on_its_clock(standard: PlatformStandard, at: int) -> datetime:
    return datetime.fromtimestamp(at // SECOND, ZoneInfo(standard.zone))


def _day_of(local: datetime) -> int:
    return parse_day(local.date().isoformat())


def _state(standard: PlatformStandard, rounds: int, on_time: int) -> StandardState:
    if rounds < standard.minimum:
        return StandardState.NOT_ASSESSED
    if standard.target_permille is None:
        return StandardState.NO_TARGET
    return StandardState.MET if on_time * _ALL >= standard.target_permille * rounds else StandardState.MISSED


def _sums(days: Sequence[DayCount], *, first: int, last: int) -> tuple[int, int]:
    counted = [one for one in days if first <= one.day <= last]
    return sum(one.rounds for one in counted), sum(one.on_time for one in counted)
