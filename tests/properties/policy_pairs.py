"""Policies as the core has them, and the same as the oracle knows them."""

from collections.abc import Sequence
from typing import NamedTuple

from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.policies.policy import BUSINESS, Policy, Shifts, Target
from tests.oracle import story as oracle
from tests.properties.oracle_policies import oracle_policy

#: Weekdays from eight to twelve and from one to ten, on Saturdays until an hour after midnight.
_OPENING = (((8 * 60, 12 * 60), (13 * 60, 22 * 60)),) * 5 + (((18 * 60, 25 * 60),), ())

#: What the policies of a shop declare, one after the other, over and over.
_DECLARED: tuple[dict[str, int | str | tuple[str, ...] | tuple[Target, ...] | tuple[Shifts, ...]], ...] = (
    {
        "owner": "first_answer",
        "pauses_when": ("pending",),
        "slow_beyond_ms": 5 * MINUTE,
        "zone": "Asia/Kathmandu",
        "targets": (Target(20 * MINUTE, 3 * MINUTE),),
    },
    {
        "opening": _OPENING,
        "zone": "America/Sao_Paulo",
        "pauses_when": ("open",),
        "targets": (
            Target(5 * MINUTE, None, when=(("channel", ("chat",)), ("category", ("returns", "delivery")))),
            Target(2 * HOUR, HOUR, BUSINESS),
        ),
    },
    {
        "currency": "CNY",
        "ends_after_ms": DAY,
        "answer_tolerance_ms": 0,
        "dissatisfied_at_most": 2,
        "on_time_within_ms": MINUTE,
    },
    {
        "owner": "assigned",
        "answer_tolerance_ms": 5 * MINUTE,
        "pauses_when": ("open", "pending"),
        "zone": "America/Havana",
    },
    {
        "holidays": "CN",
        "zone": "America/New_York",
        "targets": (Target(None, None, BUSINESS),),
        "pauses_when": ("open",),
    },
    {"currency": "JPY", "ends_after_ms": HOUR, "dissatisfied_at_most": 4, "on_time_within_ms": 15 * MINUTE},
    {
        "holidays": "CN",
        "zone": "Asia/Shanghai",
        "targets": (Target(None, None, BUSINESS, when=(("channel", ("chat",)),)),),
    },
    {"holidays": "CN"},
)


class PolicyPair(NamedTuple):
    """One policy twice."""

    core: Policy
    oracle: oracle.Policy


def policy_pairs(known_at: Sequence[int]) -> list[PolicyPair]:
    """The policies that a log holds from these instants on; every third is valid a day before, every third an hour
    after."""
    return [
        _pair(number, at + (0, -DAY, HOUR)[number % 3], **_DECLARED[number % len(_DECLARED)])
        for number, at in enumerate(known_at)
    ]


def _pair(number: int, valid_from: int, **declared: object) -> PolicyPair:
    core = Policy(f"revision {number}", valid_from)._replace(**declared)  # type: ignore[arg-type]
    return PolicyPair(core, oracle_policy(core))
