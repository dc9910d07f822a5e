"""A folded log cut into blocks: a shop's entities are in parts, by the hash of their keys, its log in pieces."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pyarrow as pa

from service_quality.histories.history import HistoryPlan
from spark_jobs.logs.imported_log import NOT_YET
from spark_jobs.reader.attribute_sets import AttributeSets
from spark_jobs.reader.block_rows import EVENTS, FACTS, READ_POINTS, Block, EntityRows, narrow
from spark_jobs.reader.window_sums import Integers

#: Events of a shop in one piece of its log.
EVENTS_A_PIECE = 1 << 17

_OF_READ_POINTS = ("log_index", "clock")
_OF_FACTS = (*_OF_READ_POINTS, "at", "value", "name")


@dataclass(frozen=True)
class Cut:
    """How a shop is cut: its number of parts, and the events of a piece of its log."""

    parts: int = 1
    events_a_piece: int = EVENTS_A_PIECE

    def part_of(self, key: str) -> int:
        """The part of an entity."""
        return crc32(key.encode()) % self.parts if self.parts > 1 else 0


def cut_folded(folded: pa.Table, plan: HistoryPlan, cut: Cut) -> Iterator[Block]:
    """The blocks of some rows of one shop's folded log (folding.LIVE_SCHEMA), in any order.

    Facts of an import whose record the log does not hold are in no block.
    """
    scored, facts = folded.filter(folded.column("scored")), _flatten_facts(folded)
    sets = AttributeSets(
        pa.chunked_array(facts.column("attributes").chunks + scored.column("attributes").chunks, type=pa.string())
    )
    of_facts = _Rows({name: integers(facts, name) for name in _OF_FACTS[:-1]}, cut)
    of_scored = _Rows({name: integers(scored, name) for name in _OF_READ_POINTS}, cut)
    names = fact_numbers(plan)
    fact_of_row = _numbered(facts.column("name"), names)
    on_log = of_facts.columns["log_index"] < NOT_YET
    for entity, windows in plan.windows.items():
        keys, codes = sets.entities(entity)
        of_entity = [names[name] for name in sorted({name for held in windows.values() for name in held})]
        chosen = on_log & np.isin(fact_of_row, of_entity)
        of_facts.add(keys, np.where(chosen, codes[: facts.num_rows], -1))
        of_scored.add(keys, codes[facts.num_rows :])
    yield from of_facts.blocks(FACTS, {"name": fact_of_row})
    yield from of_scored.blocks(READ_POINTS, {})
    leaving = pa.compute.or_(folded.column("scored"), folded.column("label").is_valid())
    yield from _cut_events(folded.filter(leaving), cut)


def fact_numbers(plan: HistoryPlan) -> Mapping[str, int]:
    """The number by which blocks name each fact."""
    return {name: number for number, name in enumerate(sorted(plan.kept))}


def integers(table: pa.Table, name: str) -> Integers:
    """A column of integers without missing ones."""
    values: Integers = table.column(name).to_numpy().astype(np.int64)
    return values


class _Rows:
    """Rows of one kind, under each entity that has a history of them."""

    def __init__(self, columns: Mapping[str, Integers], cut: Cut) -> None:
        self.columns = columns
        self._cut = cut
        self._keys: list[str] = []
        self._codes: list[Integers] = []
        self._rows: list[Integers] = []

    def add(self, keys: list[str], codes: Integers) -> None:
        """The rows under one kind of entity: the number of each row's key, −1 for none."""
        rows = np.flatnonzero(codes >= 0)
        self._rows.append(rows)
        self._codes.append(codes[rows] + len(self._keys))
        self._keys += keys

    def blocks(self, kind: str, more: Mapping[str, Integers]) -> Iterator[Block]:
        """The rows by part and piece, those of an entity together."""
        if not any(map(len, self._rows)):
            return
        rows, codes = np.concatenate(self._rows), np.concatenate(self._codes)
        pieces, piece = np.unique(self.columns["log_index"][rows] // self._cut.events_a_piece, return_inverse=True)
        part = np.array([self._cut.part_of(key) for key in self._keys], dtype=np.int64)[codes]
        of_block = part * len(pieces) + piece
        order = np.argsort(of_block * len(self._keys) + codes)
        rows, codes, of_block = rows[order], codes[order], of_block[order]
        firsts = np.flatnonzero(np.diff(of_block, prepend=-1))
        ends = np.append(firsts[1:], len(rows))
        columns = {name: column[rows] for name, column in {**self.columns, **more}.items()}
        for first, end in zip(firsts.tolist(), ends.tolist(), strict=True):
            own = codes[first:end]
            runs = np.flatnonzero(np.diff(own, prepend=-1))
            content = EntityRows(
                keys=[self._keys[code] for code in own[runs].tolist()],
                counts=np.diff(np.append(runs, len(own))).astype(np.int32),
                columns={name: narrow(column[first:end]) for name, column in columns.items()},
            )
            number, of_pieces = divmod(int(of_block[first]), len(pieces))
            yield Block(number, int(pieces[of_pieces]), kind, content)


def _cut_events(events: pa.Table, cut: Cut) -> Iterator[Block]:
    """The scored events and the ratings by piece: tables as Arrow streams."""
    piece = integers(events, "log_index") // cut.events_a_piece
    for one in np.unique(piece).tolist():
        mine = events.filter(pa.array(piece == one)).drop_columns(["attributes", "facts", "scored"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, mine.schema) as writer:
            writer.write_table(mine)
        yield Block(one % cut.parts, one, EVENTS, sink.getvalue().to_pybytes())


def _flatten_facts(folded: pa.Table) -> pa.Table:
    """One row a fact: its own columns, and log index and clock of the event that brought it."""
    lists = folded.column("facts").combine_chunks()
    if isinstance(lists, pa.ChunkedArray):
        lists = lists.chunk(0) if lists.num_chunks else pa.array([], type=lists.type)
    facts = lists.flatten()
    parents = pa.compute.list_parent_indices(lists)
    fields = {name: facts.field(name) for name in ("attributes", "at", "name", "value")}
    fields |= {name: folded.column(name).combine_chunks().take(parents) for name in ("log_index", "clock")}
    return pa.table(fields)


def _numbered(names: pa.ChunkedArray, numbers: Mapping[str, int]) -> Integers:
    encoded = names.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    of_name = np.array([numbers[name] for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    codes: Integers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return of_name[codes] if len(codes) else codes
