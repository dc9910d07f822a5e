"""Prefix sums over windows equal a loop over every fact at every read point."""

from collections import defaultdict
from dataclasses import dataclass
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.histories.windows import WINDOWS, Window
from service_quality.instants import DAY, HOUR, MINUTE
from spark_jobs.reader.window_sums import EntityFacts, ReadPoints, SortedFacts

START = 19_600 * DAY
GAPS = (0, 0, 1, MINUTE, 5 * MINUTE, HOUR, 6 * HOUR, DAY, 8 * DAY, 31 * DAY, 91 * DAY, 366 * DAY)
LATENESS = (0, 0, 1, 5 * MINUTE, HOUR, DAY, 7 * DAY, 30 * DAY, 92 * DAY, -4 * MINUTE)


@dataclass(frozen=True)
class FactRow:
    entity: int
    log_index: int
    clock: int
    at: int
    value: int


@dataclass(frozen=True)
class ReadPointRow:
    entity: int
    log_index: int
    clock: int


@dataclass(frozen=True)
class Log:
    facts: list[FactRow]
    read_points: list[ReadPointRow]


@st.composite
def random_logs(draw: st.DrawFn, values: tuple[int, ...] = (1, 1, 2, 10**12, 0, -1, -2)) -> Log:
    """Places in log order, each a read point that some entity is read at and a source of facts of any entities."""
    log, clock = Log([], []), START
    for log_index in range(draw(st.integers(0, 12))):
        clock += draw(st.sampled_from(GAPS))
        log.read_points.append(ReadPointRow(draw(st.integers(-1, 2)), log_index, clock))
        for _ in range(draw(st.integers(0, 3))):
            at, value = clock - draw(st.sampled_from(LATENESS)), draw(st.sampled_from(values))
            log.facts.append(FactRow(draw(st.integers(0, 2)), log_index, clock, at, value))
    return Log(draw(st.permutations(log.facts)), draw(st.permutations(log.read_points)))


def integers(rows, name):
    return np.array([getattr(row, name) for row in rows], dtype=np.int64)


def sort(log: Log) -> SortedFacts:
    log_index, clock, at, entity, value = (
        integers(log.facts, name) for name in ("log_index", "clock", "at", "entity", "value")
    )
    facts = EntityFacts(entity, log_index, clock, at, {"value": value, "ones": np.ones_like(value)})
    return SortedFacts(
        facts, ReadPoints(*(integers(log.read_points, name) for name in ("entity", "log_index", "clock")))
    )


def totals(log: Log, window: Window) -> list[int]:
    return sort(log).over(window).totals("value").tolist()


def times_since(log: Log, window: Window) -> list[float]:
    return sort(log).over(window).time_since("value").tolist()


def held_tiles(log: Log, window: Window, read_point: ReadPointRow) -> dict[int, int]:
    """The sums of the window at a read point, tile by tile."""
    tiles: dict[int, int] = defaultdict(int)
    for fact in log.facts:
        tile = window.tile(fact.at)
        entered = fact.log_index < read_point.log_index and tile >= window.start(fact.clock)
        if fact.entity == read_point.entity and entered and tile >= window.start(read_point.clock):
            tiles[tile] += fact.value
    return tiles


@settings(max_examples=80)
@given(random_logs(), st.sampled_from(list(WINDOWS.values())))
def test_totals_equal_the_loop(log, window):
    found = totals(log, window)

    assert found == [sum(held_tiles(log, window, read_point).values()) for read_point in log.read_points]


@settings(max_examples=80)
@given(random_logs(), st.sampled_from(list(WINDOWS.values())))
def test_times_since_equal_the_loop(log, window):
    found = times_since(log, window)

    for read_point, since in zip(log.read_points, found, strict=True):
        held = [tile for tile, total in held_tiles(log, window, read_point).items() if total > 0]
        assert isnan(since) if not held else since == read_point.clock - max(held)


@settings(max_examples=160)
@given(st.one_of(random_logs(), random_logs((1, 2, 0))), st.sampled_from(list(WINDOWS.values())))
def test_times_since_the_first_equal_the_loop(log, window):
    found = sort(log).over(window).time_since_first("value").tolist()

    for read_point, since in zip(log.read_points, found, strict=True):
        held = [tile for tile, total in held_tiles(log, window, read_point).items() if total > 0]
        assert isnan(since) if not held else since == read_point.clock - min(held)


def test_fact_counts_from_the_next_place_on():
    log = Log([FactRow(0, 3, START, START, 5)], [ReadPointRow(0, log_index, START) for log_index in (2, 3, 4)])

    assert totals(log, WINDOWS["1d"]) == [0, 0, 5]


def test_fact_leaves_with_its_tile():
    window = WINDOWS["1h"]
    leaves_at = window.leaves_at(START)
    log = Log(
        [FactRow(0, 0, START, START, 5)], [ReadPointRow(0, 1, clock) for clock in (START, leaves_at - 1, leaves_at)]
    )

    assert totals(log, window) == [5, 5, 0]


def test_fact_that_came_after_its_tile_had_left_never_enters():
    late = START - 2 * HOUR
    log = Log([FactRow(0, 0, START, late, 5)], [ReadPointRow(0, 1, START)])

    assert totals(log, WINDOWS["1h"]) == [0]
    assert totals(log, WINDOWS["1d"]) == [5]


def test_fact_taken_back_has_no_time_since():
    log = Log(
        [FactRow(0, 0, START, START - DAY, 1), FactRow(0, 1, START, START, 1), FactRow(0, 2, START, START, -1)],
        [ReadPointRow(0, log_index, START) for log_index in (2, 3)],
    )

    assert times_since(log, WINDOWS["7d"]) == [0, DAY]


def test_fact_of_nothing_has_no_time_since():
    log = Log([FactRow(0, 0, START, START, 0)], [ReadPointRow(0, 1, START)])

    assert isnan(times_since(log, WINDOWS["1d"])[0])


@pytest.mark.parametrize("read_points", [[], [ReadPointRow(0, 1, START), ReadPointRow(-1, 1, START)]])
def test_nothing_entered_is_zero_and_has_no_time_since(read_points):
    log = Log([], read_points)

    assert totals(log, WINDOWS["1d"]) == [0] * len(read_points)
    assert np.isnan(times_since(log, WINDOWS["1d"])).all()


def test_one_sort_serves_every_window_and_value():
    facts = [FactRow(0, 0, START, START, 5), FactRow(0, 1, START + HOUR, START + HOUR, 7)]
    log = sort(Log(facts, [ReadPointRow(0, 2, START + 2 * HOUR)]))

    assert log.over(WINDOWS["1h"]).totals("value").tolist() == [7]
    assert log.over(WINDOWS["1d"]).totals("value").tolist() == [12]
    assert log.over(WINDOWS["1d"]).totals("ones").tolist() == [2]
