"""The rhythm of events: more by day than by night, more on some weekdays than on others."""

import math
from random import Random

from service_quality.instants import DAY, HOUR, day_of_week

#: The weight of each local hour, and of each weekday from Monday on.
HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 11, 15, 17, 16, 14, 14, 15, 15, 14, 13, 14, 16, 17, 14, 9, 5)
WEEKDAYS = (1.15, 1.05, 1.0, 1.0, 1.05, 0.9, 0.85)


def random_stream(*names: object) -> Random:
    """Random numbers that depend on the names alone, the same in every process."""
    return Random("/".join(map(str, names)))


def count(random: Random, mean: float) -> int:
    """A Poisson count, by Knuth's product of uniforms."""
    limit, product, counted = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        counted += 1
    return counted


def moments(random: Random, mean: float, *, start: int, days: int, utc_offset: int) -> list[int]:
    """About `mean` instants within the days from `start`, in order, in the rhythm of the local clock."""
    weights = [WEEKDAYS[day_of_week(start + day * DAY)] for day in range(days)]
    found = []
    for _ in range(count(random, mean)):
        (day,) = random.choices(range(days), weights)
        (hour,) = random.choices(range(24), HOURS)
        local = start + day * DAY + hour * HOUR + random.randrange(HOUR)
        found.append(max(start, local - utc_offset))
    return sorted(found)


def spread(random: Random, median: float, sigma: float = 0.8) -> int:
    """A skewed duration around a median, at least one millisecond."""
    return max(1, int(median * math.exp(random.gauss(0, sigma))))
