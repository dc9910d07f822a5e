"""The windows of some entities of a shop along its log: blocks of pieces in, values at their read points out.

Facts and read points are held for some pieces at a time; of the pieces before there are the tiles that have not left.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from service_quality.events.identifiers import SEPARATOR
from service_quality.histories.history import Column
from service_quality.histories.windows import WINDOWS
from spark_jobs.reader.asked_sums import TIME_SINCE, TOTAL, Asked
from spark_jobs.reader.block_rows import FACTS, READ_POINTS, VALUES, Block, EntityRows, Narrowed, narrow
from spark_jobs.reader.carried_tiles import CarriedTiles, joined
from spark_jobs.reader.counted_spans import EVERYTHING, ColumnSpan, CountedSpans
from spark_jobs.reader.window_sums import EntityFacts, Floats, Integers, ReadPoints, SortedFacts

Values = Integers | Floats
#: Columns of facts or read points of one kind of entity, the entity's number among them.
Columns = Mapping[str, Integers]

_FACTS = ("entity", "log_index", "clock", "at", "value", "name")
_READ_POINTS = ("entity", "log_index", "clock")


class EntityValues(NamedTuple):
    """What was asked of one kind of entity at read points of one piece, by their log indexes."""

    log_index: Narrowed
    values: Mapping[Asked, Narrowed]


class _Version(NamedTuple):
    """A column as it counts from behind a log index on."""

    column: Column
    behind: int


@dataclass
class EntityWindows:
    """The windows that are `asked` of the entities of one part of a shop.

    `numbers` are those of the facts in blocks, `spans` those of columns that began later than the shop.
    """

    asked: Sequence[Asked]
    numbers: Mapping[str, int]
    spans: CountedSpans
    _entities: dict[str, int] = field(default_factory=dict)
    _kinds: list[str] = field(default_factory=list)
    _carried: dict[_Version, CarriedTiles] = field(default_factory=dict)
    _last: "_Pieces | None" = None

    def read(self, blocks: Iterable[Block], *, events_a_piece: int) -> Iterator[Block]:
        """The values at the read points of the next pieces of the log, by piece."""
        self._carry()
        rows: dict[str, list[EntityRows]] = {FACTS: [], READ_POINTS: []}
        for block in blocks:
            rows[block.kind].append(block.content)
        facts, read_points = self._by_kind(rows[FACTS], _FACTS), self._by_kind(rows[READ_POINTS], _READ_POINTS)
        by_piece: dict[int, dict[str, EntityValues]] = defaultdict(dict)
        for entity, columns in read_points.items():
            points = ReadPoints(*(columns[name] for name in _READ_POINTS))
            own = _Facts(facts.get(entity), self.numbers)
            found = {one: self._value(one, own, points) for one in self.asked if one.column.entity == entity}
            for piece, values in _by_piece(points.log_index, found, events_a_piece):
                by_piece[piece][entity] = values
        self._last = _Pieces(facts, [*facts.values(), *read_points.values()])
        yield from (Block(0, piece, VALUES, by_piece[piece]) for piece in sorted(by_piece))

    def _by_kind(self, rows: Sequence[EntityRows], names: Sequence[str]) -> dict[str, Columns]:
        """The columns of the rows of each kind of entity."""
        if not rows:
            return {}
        numbers = [np.repeat([self._number(key) for key in one.keys], one.counts) for one in rows]
        columns = {"entity": np.concatenate(numbers)} | {
            name: np.concatenate([one.columns[name] for one in rows]).astype(np.int64) for name in names[1:]
        }
        kinds, of_number = np.unique(np.array(self._kinds), return_inverse=True)
        of_row = of_number[columns["entity"]]
        found: dict[str, Columns] = {}
        for number, kind in enumerate(kinds.tolist()):
            mine = np.flatnonzero(of_row == number)
            if len(mine):
                found[kind] = {name: column[mine] for name, column in columns.items()}
        return found

    def _number(self, key: str) -> int:
        number = self._entities.get(key)
        if number is None:
            number = self._entities[key] = len(self._kinds)
            self._kinds.append(key.partition(SEPARATOR)[0])
        return number

    def _value(self, asked: Asked, facts: "_Facts", points: ReadPoints) -> Values:
        """What is asked at each read point, of the facts that its column holds there."""
        found: Values | None = None
        for span in _spans_of(asked.column, self.spans):
            value = self._of_version(asked, _Version(asked.column, span.counts_behind), facts, points)
            found = value if found is None else np.where(points.log_index > span.behind, value, found)
        assert found is not None
        return found

    def _of_version(self, asked: Asked, version: _Version, facts: "_Facts", points: ReadPoints) -> Values:
        window, name = WINDOWS[asked.column.window], asked.column.fact
        carried = self._carried.get(version)
        if asked.what == TOTAL:
            totals = facts.sorted(name, version.behind, points).over(window).totals(name)
            # Never below zero, as online (features/feature_context.py).
            return np.maximum(totals if carried is None else totals + carried.totals(points), 0)
        if carried is None:
            sorted_facts = facts.sorted(name, version.behind, points)
        else:
            sorted_facts = SortedFacts(joined(carried.as_facts(name), facts.named(name, version.behind)), points)
        reader = sorted_facts.over(window)
        return reader.time_since(name) if asked.what == TIME_SINCE else reader.time_since_first(name)

    def _carry(self) -> None:
        """Hold the facts of the last pieces as tiles, as far as they may be read behind them."""
        if self._last is None:
            return
        for column in sorted({one.column for one in self.asked}):
            own = _Facts(self._last.facts.get(column.entity), self.numbers)
            for behind in {span.counts_behind for span in _spans_of(column, self.spans)}:
                version = _Version(column, behind)
                carried = self._carried.get(version) or CarriedTiles.nothing(WINDOWS[column.window])
                facts = own.named(column.fact, behind)
                self._carried[version] = carried.after(facts, column.fact, clock=self._last.clock)
        self._last = None


class _Pieces:
    """The facts of some pieces, and the clock that was reached in them."""

    def __init__(self, facts: Mapping[str, Columns], everything: Iterable[Columns]) -> None:
        self.facts = facts
        self.clock = max((int(columns["clock"].max()) for columns in everything), default=0)


class _Facts:
    """The facts of one kind of entity in some pieces, by their names."""

    def __init__(self, columns: Columns | None, numbers: Mapping[str, int]) -> None:
        self._columns = columns or {name: np.empty(0, dtype=np.int64) for name in _FACTS}
        self._numbers = numbers
        self._sorted: dict[tuple[str, int], SortedFacts] = {}

    def named(self, name: str, behind: int) -> EntityFacts:
        """The facts of one name that entered behind a log index."""
        columns = self._columns
        chosen = (columns["name"] == self._numbers[name]) & (columns["log_index"] > behind)
        entity, log_index, clock, at, value = (columns[one][chosen] for one in _FACTS[:-1])
        return EntityFacts(entity, log_index, clock, at, {name: value})

    def sorted(self, name: str, behind: int, points: ReadPoints) -> SortedFacts:
        """These facts beside the read points, sorted once for all windows."""
        if (name, behind) not in self._sorted:
            self._sorted[name, behind] = SortedFacts(self.named(name, behind), points)
        return self._sorted[name, behind]


def _spans_of(column: Column, spans: CountedSpans) -> Sequence[ColumnSpan]:
    own = spans.get(column, EVERYTHING)
    return own if own == EVERYTHING else (*EVERYTHING, *own)


def _by_piece(
    log_index: Integers, values: Mapping[Asked, Values], events_a_piece: int
) -> Iterator[tuple[int, EntityValues]]:
    """The values at the read points of each piece."""
    piece = log_index // events_a_piece
    order = np.argsort(piece, kind="stable")
    firsts = np.flatnonzero(np.diff(piece[order], prepend=-1))
    for mine in np.split(order, firsts[1:]):
        of_piece = {one: narrow(value[mine]) for one, value in values.items()}
        yield int(piece[mine[0]]), EntityValues(narrow(log_index[mine]), of_piece)
