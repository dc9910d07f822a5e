"""Histories: an entity's facts in mergeable tiles, with running sums, at constant cost per fact and per read."""

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from service_quality.by_fields import ByFields, value_class
from service_quality.facts.conversation_facts import Fact, KeptFacts, fact_limit
from service_quality.facts.entities import ENTITIES, Entity
from service_quality.histories.windows import WINDOWS, Window


class Column(NamedTuple):
    """One fact in one window of the histories of one entity."""

    entity: str
    window: str
    fact: str

    @property
    def name(self) -> str:
        """Its parts and a hash of their whole meaning: with another length, hop or limit it is another column."""
        entity, window = ENTITIES[self.entity], WINDOWS[self.window]
        meaning = (entity.parts, entity.keeps_missing, entity.stored_with, window.length, window.hop)
        hashed = hashlib.sha256(json.dumps([meaning, fact_limit(self.fact)]).encode()).hexdigest()[:6]
        return f"{self.entity}.{self.window}.{self.fact}.{hashed}"

    def reaches(self, instant: int, *, clock: int) -> bool:
        """Whether the window at a clock still holds the tile of an instant, or tiles before it."""
        window = WINDOWS[self.window]
        return window.start(clock) <= window.tile(instant)


@value_class(frozen=True)
class HistoryPlan(ByFields):
    """The facts of every window: entity name → window name → fact names in storage order."""

    windows: Mapping[str, Mapping[str, tuple[str, ...]]]

    @classmethod
    def of(cls, columns: Iterable[Column]) -> "HistoryPlan":
        """The plan of these columns, in whatever order they come."""
        windows: dict[str, dict[str, list[str]]] = {}
        for entity, window, fact in sorted(set(columns)):
            windows.setdefault(entity, {}).setdefault(window, []).append(fact)
        return cls(
            {
                entity: {window: tuple(facts) for window, facts in by_window.items()}
                for entity, by_window in windows.items()
            }
        )

    @cached_property
    def kept(self) -> KeptFacts:
        """Fact name → the entities in whose windows it is held."""
        kept: dict[str, tuple[Entity, ...]] = {}
        for entity, windows in self.windows.items():
            for name in sorted({name for names in windows.values() for name in names}):
                kept[name] = (*kept.get(name, ()), ENTITIES[entity])
        return kept

    @cached_property
    def column_of(self) -> Mapping[str, Column]:
        """The columns of all windows by name."""
        columns = (
            Column(entity, window, fact)
            for entity, windows in self.windows.items()
            for window, facts in windows.items()
            for fact in facts
        )
        return {column.name: column for column in columns}

    @cached_property
    def name_of(self) -> Mapping[Column, str]:
        """The name of each column."""
        return {column: name for name, column in self.column_of.items()}

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, sorted."""
        return tuple(sorted(self.column_of))

    @cached_property
    def digest(self) -> str:
        """A hash of the whole plan."""
        return hashlib.sha256(" ".join(self.columns).encode()).hexdigest()[:8]

    @cached_property
    def described(self) -> Mapping[str, list[list[str | int]]]:
        """Entity name → each window with name, hop and facts, as histories are stored with it."""
        return {
            entity: [[window, WINDOWS[window].hop, *facts] for window, facts in windows.items()]
            for entity, windows in self.windows.items()
        }


@dataclass(slots=True, eq=False, repr=False)
class WindowSums(ByFields):
    """The tiles of one window in order of time, and their running sums; integers only, so merging is exact.

    A read takes `gone` tiles out of the sums but holds them until the window is settled: the stored form then depends
    on the log alone, never on reads.
    """

    window: Window
    names: tuple[str, ...]
    starts: list[int] = field(default_factory=list)
    tiles: list[list[int]] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)
    gone: int = 0
    span: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.sums = self.sums or [0] * len(self.names)
        self.span = self.window.hop + self.window.length

    def restore(self, tiles: Sequence[Sequence[int]], names: tuple[str | int, ...]) -> None:
        """Take stored tiles, whose values are of these facts; facts that this window does not hold are dropped."""
        hop = self.window.hop
        if names == self.names:
            self.tiles = [list(tile[1:]) for tile in tiles]
            self.starts = [tile[0] * hop for tile in tiles]
        else:
            places = [1 + names.index(name) if name in names else None for name in self.names]
            kept = [(tile[0] * hop, [0 if place is None else tile[place] for place in places]) for tile in tiles]
            self.tiles = [values for _, values in kept if any(values)]
            self.starts = [start for start, values in kept if any(values)]
        self.sums = [sum(column) for column in zip(*self.tiles, strict=True)] or [0] * len(self.names)

    def expire(self, clock: int) -> None:
        """Take the tiles that have left by this clock out of the sums."""
        if self.gone == len(self.starts) or clock < self.starts[self.gone] + self.span:
            return
        leaving = bisect_left(self.starts, self.window.start(clock), self.gone)
        for tile in self.tiles[self.gone : leaving]:
            for index, value in enumerate(tile):
                self.sums[index] -= value
        self.gone = leaving

    def settle(self, clock: int) -> None:
        """Drop the tiles that have left by this clock."""
        self.expire(clock)
        if self.gone:
            del self.starts[: self.gone], self.tiles[: self.gone]
            self.gone = 0

    def add(self, at: int, index: int, value: int, *, clock: int) -> None:
        """Add a fact; a fact whose tile has already left never enters."""
        _, length, hop = self.window  # `tile` and `start`, spelled out: every fact comes by here
        start, first = at - at % hop, clock - length
        if start < first - first % hop:
            return
        place = bisect_left(self.starts, start, self.gone)
        if place == len(self.starts) or self.starts[place] != start:
            self.starts.insert(place, start)
            self.tiles.insert(place, [0] * len(self.names))
        self.tiles[place][index] += value
        self.sums[index] += value
        if not any(self.tiles[place]):
            del self.starts[place], self.tiles[place]

    def total(self, name: str) -> int:
        """The sum of a fact in the tiles that have not left."""
        return self.sums[self.names.index(name)]

    def newest(self, name: str) -> int | None:
        """The start of the latest tile that holds a positive count of a fact."""
        return self._first_held(name, range(len(self.starts) - 1, self.gone - 1, -1))

    def oldest(self, name: str) -> int | None:
        """The start of the first tile, of those that have not left, that holds a positive count of a fact."""
        return self._first_held(name, range(self.gone, len(self.starts)))

    def _first_held(self, name: str, places: Iterable[int]) -> int | None:
        index = self.names.index(name)
        return next((self.starts[place] for place in places if self.tiles[place][index] > 0), None)


#: Stored form of one history: for each window, tiles as [start / hop, value, …].
StoredHistory = list[list[list[int]]]

#: The windows of stored histories: name, hop, and the facts in the order of a tile's values.
DescribedWindows = Sequence[Sequence[str | int]]


class History:
    """One entity's facts, in all windows that its plan declares.

    >>> plan = HistoryPlan({"agent": {"1d": ("replies",)}})
    >>> history = History(plan.windows["agent"])
    >>> history.update(Fact("agent", 0, "replies", 2), clock=0)
    >>> history.get("1d", "replies", clock=0), history.get("1d", "replies", clock=2 * 86_400_000)
    (2, 0)
    """

    __slots__ = ("windows",)

    def __init__(self, plan: Mapping[str, tuple[str, ...]]) -> None:
        self.windows = {name: WindowSums(WINDOWS[name], names) for name, names in plan.items()}

    def update(self, fact: Fact, *, clock: int) -> None:
        """Enter one fact at the present clock of the shop."""
        _, at, name, value = fact
        for sums in self.windows.values():
            if name in sums.names:
                sums.add(at, sums.names.index(name), value, clock=clock)

    def expire(self, clock: int) -> None:
        """Take the tiles that have left by this clock out of all sums."""
        for sums in self.windows.values():
            if sums.gone < len(sums.starts) and clock >= sums.starts[sums.gone] + sums.span:  # spares most calls
                sums.expire(clock)

    def settle(self, clock: int) -> None:
        """Drop every tile that has left its window by this clock; clocks only rise."""
        for sums in self.windows.values():
            if sums.gone or (sums.starts and clock >= sums.starts[0] + sums.span):
                sums.settle(clock)

    @property
    def empty(self) -> bool:
        """Whether no window holds a tile."""
        for sums in self.windows.values():  # noqa: SIM110  # quicker than `any`: every fact comes by here
            if sums.starts:
                return False
        return True

    def get(self, window: str, name: str, *, clock: int) -> int:
        """The sum of a fact in a window at a clock; 0 when empty."""
        sums = self.windows[window]
        sums.expire(clock)
        return sums.total(name)

    def merge(self, other: "History", *, clock: int) -> None:
        """Add another history of the same plan; commutes and associates, since tiles are integer sums."""
        for name, theirs in other.windows.items():
            mine = self.windows[name]
            for start, tile in zip(theirs.starts, theirs.tiles, strict=True):
                for index, value in enumerate(tile):
                    if value:
                        mine.add(start, index, value, clock=clock)

    def to_stored(self) -> StoredHistory:
        """Plain lists for storing, canonical: equal histories give equal lists."""
        return [
            [[start // sums.window.hop, *tile] for start, tile in zip(sums.starts, sums.tiles, strict=True)]
            for sums in self.windows.values()
        ]

    @classmethod
    def from_stored(
        cls, stored: StoredHistory, described: DescribedWindows, plan: Mapping[str, tuple[str, ...]]
    ) -> "History":
        """The history that `to_stored` wrote of the described windows, as far as it is of this plan.

        What it does not hold is zero: a window that is not described, or described with another hop, or a fact.
        """
        history = cls(plan)
        for (window, hop, *names), tiles in zip(described, stored, strict=True):
            sums = history.windows.get(str(window))
            if sums is not None and sums.window.hop == hop:
                sums.restore(tiles, tuple(names))
        return history


def build_history(facts: Iterable[Fact], plan: Mapping[str, tuple[str, ...]], *, clock: int) -> History:
    """The history of many facts at once, as a backfill makes it."""
    history = History(plan)
    for fact in facts:
        history.update(fact, clock=clock)
    return history
