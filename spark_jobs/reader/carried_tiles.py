"""The sums of a window's tiles that are carried from one piece of a log to the next: one row a tile, not one a fact.

Behind the piece in which a fact entered, only its tile matters: the order within the piece is over.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from service_quality.histories.windows import Window
from spark_jobs.reader.window_sums import EntityFacts, EntityKeys, Integers, ReadPoints, prefix_sums, starts

_BEFORE_EVERYTHING = -1  # a log index
_FAR = np.int64(np.iinfo(np.int64).max // 4)


@dataclass(frozen=True)
class CarriedTiles:
    """One fact's sums in the tiles of one window that have not left: parallel arrays, each tile of an entity once."""

    window: Window
    entity: Integers
    tile: Integers
    value: Integers

    @classmethod
    def nothing(cls, window: Window) -> "CarriedTiles":
        """No tiles."""
        return cls(window, *(np.empty(0, dtype=np.int64) for _ in range(3)))

    def totals(self, read_points: ReadPoints) -> Integers:
        """The sum of what the window still holds of the tiles at each read point, which all have an entity."""
        if not len(self.entity):
            return np.zeros(len(read_points.entity), dtype=np.int64)
        sums = prefix_sums(self.value[self._keys.order])
        first = self._keys.first(read_points.entity)
        ends = self._keys.rank(first, np.full_like(read_points.clock, _FAR))
        left = self._keys.rank(first, starts(self.window, read_points.clock))
        totals: Integers = sums[ends] - sums[left]
        return totals

    def as_facts(self, name: str) -> EntityFacts:
        """The tiles as facts that entered before everything else."""
        return EntityFacts(
            self.entity, np.full_like(self.tile, _BEFORE_EVERYTHING), self.tile, self.tile, {name: self.value}
        )

    def after(self, facts: EntityFacts, name: str, *, clock: int) -> "CarriedTiles":
        """The tiles with further facts, as far as the window holds them at a clock that is reached by then."""
        chosen = (facts.at >= starts(self.window, facts.clock)) & (facts.at >= self.window.start(clock))
        kept = self.tile >= self.window.start(clock)
        at = facts.at[chosen]
        entity = np.concatenate([self.entity[kept], facts.entity[chosen]])
        tile = np.concatenate([self.tile[kept], at - at % self.window.hop])
        value = np.concatenate([self.value[kept], facts.values[name][chosen]])
        order = np.lexsort((tile, entity))
        entity, tile, value = entity[order], tile[order], value[order]
        firsts = np.flatnonzero(_begins(entity, tile))
        sums = np.add.reduceat(value, firsts) if len(firsts) else value
        held = firsts[sums != 0]
        return CarriedTiles(self.window, entity[held], tile[held], sums[sums != 0])

    @cached_property
    def _keys(self) -> EntityKeys:
        return EntityKeys(self.entity, self.tile)


def _begins(*keys: Integers) -> NDArray[np.bool_]:
    """Where a sorted row differs from the one before it in any key."""
    differs = np.ones(len(keys[0]), dtype=np.bool_)
    differs[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    return differs


def joined(facts: EntityFacts, others: EntityFacts) -> EntityFacts:
    """The facts of both, which have values of the same names."""
    names = ("entity", "log_index", "clock", "at")
    entity, log_index, clock, at = (np.concatenate([getattr(facts, name), getattr(others, name)]) for name in names)
    values = {name: np.concatenate([value, others.values[name]]) for name, value in facts.values.items()}
    return EntityFacts(entity, log_index, clock, at, values)
