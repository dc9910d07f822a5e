"""A policy of the product in the oracle's words; its holidays are read from the data file by themselves."""

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

from service_quality.policies.policy import BUSINESS, Policy, Shifts
from tests.oracle import story as oracle

_FILE = Path(__file__).parents[2] / "functions/shared/service_quality/policies/holidays_cn.json"
#: The oracle's names of who owns an outcome.
_OWNERS = {"last_answer": "last_reply", "first_answer": "first_reply", "assigned": "assigned"}


def oracle_policy(policy: Policy) -> oracle.Policy:
    """The same policy for the oracle: without own days, and with make-up days that have the hours of a Monday."""
    return oracle.Policy(
        ends_after=policy.ends_after_ms,
        answer_tolerance=policy.answer_tolerance_ms,
        pauses_when=policy.pauses_when,
        owner=_OWNERS[policy.owner],
        on_time_within=policy.on_time_within_ms,
        slow_beyond=policy.slow_beyond_ms,
        dissatisfied_at_most=policy.dissatisfied_at_most,
        valid_from=policy.valid_from,
        calendar=_calendar(policy.zone, policy.holidays, policy.opening),
        targets=tuple(
            oracle.Target(one.first_response_ms, one.next_reply_ms, one.judged_by == BUSINESS, one.when)
            for one in policy.targets
        ),
        zone=policy.zone,
        currency=policy.currency,
    )


@cache
def _calendar(zone: str, holidays: str | None, opening: tuple[Shifts, ...] | None) -> oracle.Calendar:
    week = None if opening is None else tuple(tuple(map(_hours, shifts)) for shifts in opening)
    if holidays is None:
        return oracle.Calendar(zone, week=week)
    document = json.loads(_FILE.read_text("utf-8"))
    years = (*document["published"].values(), *document["provisional"].values())
    return oracle.Calendar(
        zone,
        closed=_dates(day for year in years for day in year["holidays"]),
        settled=frozenset(map(int, document["published"])),
        week=week,
        make_up=_dates(day for year in document["published"].values() for day in year["make_up_days"]),
    )


def _dates(days: Iterable[str]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, days))


def _hours(shift: tuple[int, int]) -> str:
    """A shift as people write it; one over midnight closes on the clock of the next day."""
    opens, closes = (divmod(minute if minute <= 24 * 60 else minute - 24 * 60, 60) for minute in shift)
    return "{:02}:{:02}-{:02}:{:02}".format(*opens, *closes)
