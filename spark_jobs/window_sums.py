"""The Spark side of windows: sums before every event as the difference of two prefix sums, linear after one sort.

What a window holds at a place is what entered before the place minus what has left by its clock. A fact that arrived
when its tile had left never enters. Pure numpy; one shop at a time.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service_quality.windows import Window

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EntityFacts:
    """The facts of one kind for one kind of entity: parallel arrays, in any order.

    `entity` is a code ≥ 0 of the entity, `place` where the fact entered the log, `clock` what the shop's clock was
    then, `at` its own instant.
    """

    entity: Integers
    place: Integers
    clock: Integers
    at: Integers
    value: Integers


@dataclass(frozen=True)
class Moments:
    """When the windows are read: the entity's code (−1 where there is none), place and clock, parallel arrays."""

    entity: Integers
    place: Integers
    clock: Integers


@dataclass(frozen=True)
class WindowReader:
    """Reads one window of one kind of fact at many moments."""

    facts: EntityFacts
    moments: Moments
    window: Window

    def totals(self) -> Integers:
        """The sum in the window at each moment; 0 where there is no entity."""
        facts, moments = self.facts, self.moments
        value = np.where(self._alive, facts.value, 0)
        entered = _sum_below(facts.entity, facts.place, value, moments.entity, moments.place)
        left = _sum_below(facts.entity, self._leaves_at, value, moments.entity, moments.clock + 1)
        return np.where(moments.entity < 0, 0, entered - left)

    def ages(self) -> Floats:
        """Clock minus the start of the newest tile whose sum is positive; NaN where the window has none."""
        corrected = np.unique(self.facts.entity[self.facts.value < 0])
        simple = (self.facts.value > 0) & ~np.isin(self.facts.entity, corrected)
        newest = self._newest_by_maximum(simple)
        for code in corrected:
            mine = self.moments.entity == code
            newest[mine] = self._newest_one_by_one(int(code), self.moments.place[mine], self.moments.clock[mine])
        inside = newest >= self._starts(self.moments.clock)
        return np.where(inside & (self.moments.entity >= 0), self.moments.clock - newest, np.nan)

    @cached_property
    def _tile(self) -> Integers:
        return self.facts.at - self.facts.at % self.window.hop

    @cached_property
    def _leaves_at(self) -> Integers:
        return self._tile + (self.window.hop + self.window.length)

    @cached_property
    def _alive(self) -> NDArray[np.bool_]:
        return self._tile >= self._starts(self.facts.clock)

    def _starts(self, clock: Integers) -> Integers:
        bound = clock - self.window.length
        return bound - bound % self.window.hop

    def _newest_by_maximum(self, chosen: NDArray[np.bool_]) -> Integers:
        """Where nothing is ever taken back, the newest tile so far is a running maximum."""
        entity, place, tile = self.facts.entity[chosen], self.facts.place[chosen], self._tile[chosen]
        order = np.lexsort((place, entity))
        entity, place, tile = entity[order], place[order], tile[order]
        nothing = np.int64(np.iinfo(np.int64).min // 4)
        if not len(entity):
            return np.full(len(self.moments.entity), nothing)
        lowest, span = tile.min(), tile.max() - tile.min() + 1
        running = np.maximum.accumulate(entity * span + (tile - lowest))
        last = _rank_below(entity, place, self.moments.entity, self.moments.place) - 1
        found = (last >= 0) & (entity[np.maximum(last, 0)] == self.moments.entity)
        return np.where(found, running[np.maximum(last, 0)] % span + lowest, nothing)

    def _newest_one_by_one(self, code: int, places: Integers, clocks: Integers) -> Integers:
        """With corrections a tile can become empty again: walk through them."""
        mine = (self.facts.entity == code) & self._alive
        facts = sorted(
            zip(
                self.facts.place[mine].tolist(), self._tile[mine].tolist(), self.facts.value[mine].tolist(), strict=True
            )
        )
        newest = np.empty(len(places), dtype=np.int64)
        tiles: dict[int, int] = defaultdict(int)
        entered = 0
        for index in np.argsort(places, kind="stable"):
            while entered < len(facts) and facts[entered][0] < places[index]:
                tiles[facts[entered][1]] += facts[entered][2]
                entered += 1
            newest[index] = max(
                (tile for tile, total in tiles.items() if total > 0), default=np.iinfo(np.int64).min // 4
            )
        return newest


def _sum_below(entity: Integers, key: Integers, value: Integers, of: Integers, bound: Integers) -> Integers:
    """For each (of, bound): the sum of the values of the same entity with a key below the bound."""
    order = np.lexsort((key, entity))
    entity, key = entity[order], key[order]
    running = np.concatenate(([0], np.cumsum(value[order])))
    upto = _rank_below(entity, key, of, bound)
    since = np.searchsorted(entity, of, side="left")
    return running[upto] - running[since]


def _rank_below(entity: Integers, key: Integers, of: Integers, bound: Integers) -> Integers:
    """How many of the (entity, key) pairs, sorted, stand before each (of, bound)."""
    if not len(key):
        return np.zeros(len(of), dtype=np.int64)
    lowest = min(int(key.min()), int(bound.min())) if len(bound) else int(key.min())
    highest = max(int(key.max()), int(bound.max())) if len(bound) else int(key.max())
    span = highest - lowest + 2
    return np.searchsorted(entity * span + (key - lowest), of * span + (bound - lowest), side="left")
