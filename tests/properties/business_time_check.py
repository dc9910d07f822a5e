"""Business time beside the minute-by-minute oracle, on random calendars.

`python -m tests.properties.business_time_check 10000` prints how many calendars differ and ends with 1 if any does.
"""

import sys
from random import Random

from service_quality.instants import MINUTE
from service_quality.policies.business_time import BusinessTime
from tests.properties.random_policies import random_policy, random_span


def difference(seed: int) -> str:
    """How business time and oracle differ on one random calendar; "" where they agree."""
    rng = Random(seed)
    start, end = random_span(rng)
    policy, shop = random_policy(rng, start.date())
    began, ended = (round(instant.timestamp()) * 1_000 for instant in (start, end))

    found, expected = BusinessTime(policy).between(began, ended), shop.minutes_between(start, end) * MINUTE

    return (
        "" if found == expected else f"seed {seed}: found {found} ms, expected {expected}, {start} to {end}: {policy}"
    )


def main(calendars: int, first: int = 0) -> int:
    """Compare so many calendars, from a seed on; the exit status."""
    found = [one for one in map(difference, range(first, first + calendars)) if one]
    print("\n".join([*found[:10], f"{calendars:,} calendars, {len(found):,} differences"]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
