"""Random opening hours, as the document that the parser reads and as the shop that the oracle knows."""

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from service_quality.policies.calendars import load_calendar
from service_quality.policies.local_days import format_day
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import parse_policy
from tests.oracle.business_minutes import NAMES, Shop

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Havana",
    "UTC",
)
#: Days near which clocks change, or that differ from their week in China.
ODD_DAYS = (
    *("2025-03-30", "2025-10-26", "2026-03-08", "2026-11-01", "2026-04-05", "2025-10-05", "2026-03-14", "2026-02-15"),
    *("2011-12-29", "2010-11-07", "2026-02-14", "2025-09-28", "2026-12-31", "2026-01-04", "2019-05-05", "2021-04-04"),
)


def random_hours(rng: Random, *, over_midnight: bool) -> list[str]:
    """Up to three shifts of a day that do not overlap, the last perhaps over midnight until one at the latest."""
    bounds = sorted(rng.sample(range(60, 24 * 60 + 1), 2 * rng.choice((0, 1, 1, 2, 3))))
    if bounds and over_midnight and bounds[-1] < 24 * 60 and rng.random() < 0.3:
        bounds[-1] = rng.randrange(1, 61)
        bounds[-1] = 60 if bounds[-1] >= bounds[-2] else bounds[-1]
    clocks = [f"{minute // 60:02}:{minute % 60:02}" for minute in bounds]
    return [f"{opens}-{closes}" for opens, closes in zip(clocks[::2], clocks[1::2], strict=True)]


def random_policy(rng: Random, near: date) -> tuple[Policy, Shop]:
    """A policy whose odd days lie near a date, and the same shop for the oracle."""
    week = {name: random_hours(rng, over_midnight=True) for name in NAMES}
    if rng.random() < 0.05 or not any(week.values()):
        week = {name: ["00:00-24:00"] for name in NAMES}
    always = rng.random() < 0.1
    days = [(near + timedelta(days=rng.randrange(-3, 4))).isoformat() for _ in range(rng.randrange(3))]
    dates = {day: random_hours(rng, over_midnight=True) for day in days}
    keeps = rng.random() < 0.7
    document: dict[str, Any] = {
        "revision": "random",
        "valid_from": "2019-01-01T00:00:00Z",
        "zone": rng.choice(ZONES),
        "opening": None if always else week,
        "own_days": dates,
        "make_up_days_as": rng.choice(NAMES),
    }
    if keeps:
        document["holidays"] = "CN"
    calendar = load_calendar("CN" if keeps else None)
    shop = Shop(
        zone=document["zone"],
        week=document["opening"],
        dates=dates,
        holidays=frozenset(date.fromisoformat(format_day(day)) for day in calendar.holidays),
        make_up_days=frozenset(date.fromisoformat(format_day(day)) for day in calendar.make_up_days),
        make_up_as=document["make_up_days_as"],
    )
    return parse_policy(json.dumps(document).encode()), shop


def random_span(rng: Random) -> tuple[datetime, datetime]:
    """Two instants of whole minutes, up to three days apart, near an odd day."""
    day = datetime.fromisoformat(rng.choice(ODD_DAYS)).replace(tzinfo=UTC)
    start = day + timedelta(minutes=rng.randrange(-36 * 60, 24 * 60))
    return start, start + timedelta(minutes=rng.randrange(3 * 24 * 60))
