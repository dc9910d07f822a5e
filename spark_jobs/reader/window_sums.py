"""The Spark side of windows: sums before every event as the difference of two prefix sums, linear after three sorts.

A window holds at a log index what entered before it minus what has left by its clock. A fact that arrived when its
tile had left never enters. Pure numpy; one shop at a time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service_quality.histories.windows import Window

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

_NEVER = np.int64(np.iinfo(np.int64).min // 4)


@dataclass(frozen=True)
class EntityFacts:
    """Facts of one kind of entity: parallel arrays, in any order.

    `entity` is a code ≥ 0 of the entity, `log_index` where the fact entered the log, `clock` the shop's clock there,
    `at` its own instant, `values` what can be summed, by name.
    """

    entity: Integers
    log_index: Integers
    clock: Integers
    at: Integers
    values: Mapping[str, Integers]


@dataclass(frozen=True)
class ReadPoints:
    """The points at which windows are read: entity's code (−1 for no entity), log index and clock, parallel arrays."""

    entity: Integers
    log_index: Integers
    clock: Integers

    @cached_property
    def known(self) -> Integers:
        """The read points that have an entity, by entity and log index: the ranks looked up in this order only rise."""
        known = np.flatnonzero(self.entity >= 0)
        return known[EntityKeys(self.entity[known], self.log_index[known]).order]

    @cached_property
    def known_entity(self) -> Integers:
        """The entities of the known ones, in their order."""
        return self.entity[self.known]

    @cached_property
    def known_clock(self) -> Integers:
        """The clocks of the known ones, in their order."""
        return self.clock[self.known]


@dataclass(frozen=True)
class SortedFacts:
    """Facts and read points, each sorted once for all windows and all values."""

    facts: EntityFacts
    read_points: ReadPoints

    def over(self, window: Window) -> "WindowReader":
        """The reader of one window."""
        return WindowReader(self, window)

    @cached_property
    def by_log_index(self) -> "EntityKeys":
        """The facts as they enter."""
        return EntityKeys(self.facts.entity, self.facts.log_index)

    @cached_property
    def by_instant(self) -> "EntityKeys":
        """The facts in the order in which they leave any window: tiles are in the order of their facts' instants."""
        return EntityKeys(self.facts.entity, self.facts.at)

    @cached_property
    def entered(self) -> Integers:
        """The number of facts, by log index, before each known read point."""
        log_index = self.read_points.log_index[self.read_points.known]
        return self.by_log_index.rank_from(self.by_log_index.first(self.read_points.known_entity), log_index)

    @cached_property
    def known_first_by_instant(self) -> Integers:
        """The packed key at which each known read point's entity begins, by instant."""
        return self.by_instant.first(self.read_points.known_entity)

    @cached_property
    def values_by_log_index(self) -> Mapping[str, Integers]:
        """The values as their facts enter."""
        return {name: value[self.by_log_index.order] for name, value in self.facts.values.items()}

    @cached_property
    def values_by_instant(self) -> Mapping[str, Integers]:
        """The values as their facts leave."""
        return {name: value[self.by_instant.order] for name, value in self.facts.values.items()}

    @cached_property
    def sums_by_log_index(self) -> Mapping[str, Integers]:
        """The prefix sums of the values as their facts enter."""
        return {name: prefix_sums(value) for name, value in self.values_by_log_index.items()}

    @cached_property
    def sums_by_instant(self) -> Mapping[str, Integers]:
        """The prefix sums of the values as their facts leave."""
        return {name: prefix_sums(value) for name, value in self.values_by_instant.items()}


class EntityKeys:
    """Facts sorted by entity, then by a key: both packed into one integer."""

    def __init__(self, entity: Integers, key: Integers) -> None:
        self._lowest = int(key.min()) if len(key) else 0
        self._highest = int(key.max()) if len(key) else 0
        packed = self.first(entity) + (key - self._lowest)
        self.order = np.argsort(packed)
        self._packed = packed[self.order]

    def first(self, entity: Integers) -> Integers:
        """The packed key at which each entity begins."""
        return entity * (self._highest - self._lowest + 2)

    def rank_from(self, first: Integers, bound: Integers) -> Integers:
        """The number of facts before each bound of an entity, given by its `first` packed key."""
        packed = np.clip(bound, self._lowest, self._highest + 1)
        packed -= self._lowest
        packed += first
        return np.searchsorted(self._packed, packed)


@dataclass(frozen=True)
class WindowReader:
    """Reads one window at many read points."""

    sorted: SortedFacts
    window: Window

    def totals(self, name: str) -> Integers:
        """The sum of a value in the window at each read point; 0 without an entity.

        Sums run on from one entity to the next: the sum before the entity is in both terms of the difference.
        """
        entered, left = self._sums(name)
        found = entered[self.sorted.entered]
        found -= left[self._left]
        totals = np.zeros(len(self.sorted.read_points.entity), dtype=np.int64)
        totals[self.sorted.read_points.known] = found
        return totals

    def time_since(self, name: str) -> Floats:
        """Clock minus the start of the newest tile whose sum is positive; NaN where the window has no such tile."""
        return self._time_since(name, self._newest_by_maximum, max)

    def time_since_first(self, name: str) -> Floats:
        """Clock minus the start of the oldest tile whose sum is positive; NaN where the window has no such tile."""
        return self._time_since(name, self._oldest_by_walk, min)

    def _time_since(
        self, name: str, chosen: Callable[[NDArray[np.bool_]], Integers], of_tiles: Callable[[Iterable[int]], int]
    ) -> Floats:
        """Clock minus the tile that `chosen` finds among facts that are never taken back; of others by a walk."""
        read_points, entity, value = self.sorted.read_points, self.sorted.facts.entity, self.sorted.facts.values[name]
        corrected = np.unique(entity[value < 0])
        tile = chosen((value > 0) & ~np.isin(entity, corrected))
        for code in corrected:
            tile[read_points.entity == code] = self._one_by_one(int(code), value, of_tiles)
        return np.where(tile >= starts(self.window, read_points.clock), read_points.clock - tile, np.nan)

    def _sums(self, name: str) -> tuple[Integers, Integers]:
        """The prefix sums of a value as its facts enter and leave; those of facts that never enter count as 0."""
        facts = self.sorted
        if self._all_enter:
            return facts.sums_by_log_index[name], facts.sums_by_instant[name]
        entered = prefix_sums(facts.values_by_log_index[name] * self._alive_by_log_index)
        return entered, prefix_sums(facts.values_by_instant[name] * self._alive_by_instant)

    @cached_property
    def _tile(self) -> Integers:
        at = self.sorted.facts.at
        return at - at % self.window.hop

    @cached_property
    def _alive(self) -> NDArray[np.bool_]:
        return self.sorted.facts.at >= starts(self.window, self.sorted.facts.clock)

    @cached_property
    def _all_enter(self) -> bool:
        return bool(self._alive.all())

    @cached_property
    def _alive_by_log_index(self) -> NDArray[np.bool_]:
        return self._alive[self.sorted.by_log_index.order]

    @cached_property
    def _alive_by_instant(self) -> NDArray[np.bool_]:
        return self._alive[self.sorted.by_instant.order]

    @cached_property
    def _left(self) -> Integers:
        """The number of facts, by instant, that are older than the window of each known read point."""
        bounds = starts(self.window, self.sorted.read_points.known_clock)
        return self.sorted.by_instant.rank_from(self.sorted.known_first_by_instant, bounds)

    def _newest_by_maximum(self, chosen: NDArray[np.bool_]) -> Integers:
        """The newest tile as a running maximum, for facts that are never taken back."""
        newest = np.full(len(self.sorted.read_points.entity), _NEVER)
        if not chosen.any():
            return newest
        order, known = self.sorted.by_log_index.order, self.sorted.read_points.known
        lowest, span = self._tile.min(), np.ptp(self._tile) + 2
        since_lowest = np.where(chosen, self._tile - lowest + 1, 0)
        entity = self.sorted.facts.entity[order]
        running = np.concatenate(([-1], np.maximum.accumulate(entity * span + since_lowest[order])))
        found, tile = np.divmod(running[self.sorted.entered], span)
        mine = (found == self.sorted.read_points.entity[known]) & (tile > 0)
        newest[known] = np.where(mine, tile - 1 + lowest, _NEVER)
        return newest

    def _oldest_by_walk(self, chosen: NDArray[np.bool_]) -> Integers:
        """The oldest tile that the window holds, for facts that are never taken back.

        In order of instants it is the first fact behind those that have left that had entered by then: what arrived
        later is passed over, for all read points at a time.
        """
        oldest = np.full(len(self.sorted.read_points.entity), _NEVER)
        chosen = chosen & self._alive
        by_instant, by_log_index = self.sorted.by_instant.order, self.sorted.by_log_index.order
        counted = chosen.astype(np.int64)
        left, entered = prefix_sums(counted[by_instant])[self._left], prefix_sums(counted[by_log_index])
        held = np.flatnonzero(entered[self.sorted.entered] - left > 0)
        order = by_instant[chosen[by_instant]]
        log_index, tile = self.sorted.facts.log_index[order], self._tile[order]
        place, until = left[held], self.sorted.read_points.log_index[self.sorted.read_points.known[held]]
        waiting = np.arange(len(held))
        while len(waiting := waiting[log_index[place[waiting]] >= until[waiting]]):
            place[waiting] += 1
        oldest[self.sorted.read_points.known[held]] = tile[place]
        return oldest

    def _one_by_one(self, code: int, value: Integers, of_tiles: Callable[[Iterable[int]], int]) -> Integers:
        """The tile of one entity by a walk through the facts, since a correction can empty a tile again."""
        read_points = self.sorted.read_points
        places = np.flatnonzero(read_points.entity == code)
        log_indexes, first_held = read_points.log_index[places], starts(self.window, read_points.clock[places])
        mine = (self.sorted.facts.entity == code) & self._alive
        columns = (self.sorted.facts.log_index[mine], self._tile[mine], value[mine])
        facts = sorted(zip(*(column.tolist() for column in columns), strict=True))
        found = np.empty(len(log_indexes), dtype=np.int64)
        tiles: dict[int, int] = defaultdict(int)
        entered = 0
        for index in np.argsort(log_indexes, kind="stable"):
            while entered < len(facts) and facts[entered][0] < log_indexes[index]:
                tiles[facts[entered][1]] += facts[entered][2]
                entered += 1
            held = [tile for tile, total in tiles.items() if total > 0 and tile >= first_held[index]]
            found[index] = of_tiles(held) if held else _NEVER
        return found


def starts(window: Window, clock: Integers) -> Integers:
    """`Window.start` at each clock."""
    start = clock - window.length
    start //= window.hop
    start *= window.hop
    return start


def prefix_sums(value: Integers) -> Integers:
    """Prefix sums: before the first, after the first, …"""
    sums = np.zeros(len(value) + 1, dtype=np.int64)
    np.cumsum(value, out=sums[1:])
    return sums
