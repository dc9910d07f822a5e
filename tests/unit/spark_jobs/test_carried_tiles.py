"""Tiles that are carried to later pieces of a log read as the facts they were made of."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.histories.windows import WINDOWS
from service_quality.instants import DAY, HOUR, MINUTE
from spark_jobs.reader.carried_tiles import CarriedTiles, joined
from spark_jobs.reader.window_sums import EntityFacts, ReadPoints, SortedFacts

START = 19_600 * DAY
GAPS = (0, 1, MINUTE, HOUR, 6 * HOUR, DAY, 31 * DAY)
LATENESS = (0, 0, 5 * MINUTE, HOUR, DAY, 30 * DAY, 92 * DAY)

#: Facts in log order: entity, gap of the clock before it, lateness, value.
FACTS = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from(GAPS), st.sampled_from(LATENESS), st.sampled_from((1, 2, -1, 10**12))),
    max_size=14,
)


def located(rows: list[tuple[int, int, int, int]]) -> EntityFacts:
    entity, gap, lateness, value = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    clock = START + np.cumsum(gap)
    return EntityFacts(entity, np.arange(len(rows), dtype=np.int64), clock, clock - lateness, {"value": value})


def part_of(facts: EntityFacts, first: int, end: int) -> EntityFacts:
    own = slice(first, end)
    return EntityFacts(
        facts.entity[own], facts.log_index[own], facts.clock[own], facts.at[own], {"value": facts.values["value"][own]}
    )


def points_behind(facts: EntityFacts) -> ReadPoints:
    """Every entity, and one without facts, at the last clock and at later ones."""
    last = int(facts.clock[-1]) if len(facts.clock) else START
    places = [(entity, last + gap) for entity in range(4) for gap in GAPS]
    entity, clock = np.array(places, dtype=np.int64).T
    return ReadPoints(entity, np.full_like(entity, len(facts.at)), clock)


@settings(max_examples=200)
@given(FACTS, st.integers(0, 14), st.integers(0, 14), st.sampled_from(list(WINDOWS.values())))
def test_carried_tiles_read_as_their_facts(rows, cut, other_cut, window):
    facts = located(rows)
    cuts = [0, *sorted(min(one, len(rows)) for one in (cut, other_cut)), len(rows)]
    carried = CarriedTiles.nothing(window)
    for first, end in pairwise(cuts):
        if end > first:
            carried = carried.after(part_of(facts, first, end), "value", clock=int(facts.clock[end - 1]))

    points = points_behind(facts)

    whole = SortedFacts(facts, points).over(window)
    assert carried.totals(points).tolist() == whole.totals("value").tolist()
    nothing = part_of(facts, 0, 0)
    again = SortedFacts(joined(carried.as_facts("value"), nothing), points).over(window)
    np.testing.assert_array_equal(again.time_since("value"), whole.time_since("value"))
    np.testing.assert_array_equal(again.time_since_first("value"), whole.time_since_first("value"))


def test_facts_of_a_tile_are_one_row():
    facts = located([(0, 1, 0, 1)] * 1_000)

    carried = CarriedTiles.nothing(WINDOWS["1d"]).after(facts, "value", clock=START + 1_000)

    assert carried.value.tolist() == [1_000]


def test_tile_that_is_cancelled_or_has_left_is_not_carried():
    window = WINDOWS["1h"]
    cancelled = CarriedTiles.nothing(window).after(located([(0, 0, 0, 1), (0, 0, 0, -1)]), "value", clock=START)
    held = CarriedTiles.nothing(window).after(located([(0, 0, 0, 1)]), "value", clock=START)

    left = held.after(located([]), "value", clock=START + DAY)

    assert len(cancelled.value) == len(left.value) == 0
    assert held.value.tolist() == [1]
