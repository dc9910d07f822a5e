"""Features at the scored events of a log and at the stages of waits that time would have reached between them.

Timers ring in the fold that makes the features (virtual_timers), so a conversation is folded once. What was folded is
kept until all timers are known; counting then says how many events stand before each, and both take their places.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark import StorageLevel, TaskContext
from pyspark.sql import DataFrame

from service_quality.conversations.wait_stages import Stage
from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.folding import LIVE_SCHEMA, by_conversation, fold_timed_batches
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop
from spark_jobs.logs.virtual_timers import BEHIND_ALL, VirtualTime, ends_of
from spark_jobs.reader.block_rows import BLOCK_DDL, Batches, by_shop, gathered
from spark_jobs.reader.cutoff_features import Inserted
from spark_jobs.reader.entity_blocks import integers
from spark_jobs.reader.read_points import at_places
from spark_jobs.reader.served_features import Reading, choose_cuts, read_blocks
from spark_jobs.reader.window_sums import Integers

#: What was folded of a shop, and what its timers stand behind: tables as Arrow streams.
PACKED_DDL = "shop_id string, folded binary, timers binary"
PACKED_SCHEMA = pa.schema([("shop_id", pa.string()), ("folded", pa.binary()), ("timers", pa.binary())])
_COUNTED_DDL = "shop_id string, slot bigint, events bigint, clock bigint"
COUNTED_SCHEMA = pa.schema([("shop_id", pa.string()), *((name, pa.int64()) for name in ("slot", "events", "clock"))])
_OF_TIMERS = ("log_index", "clock", "occurred_at", "conversation_id", "event_id", "after_clock", "after_index")
_ORDER = [(name, "ascending") for name in ("before", *_OF_TIMERS[-2:], *_OF_TIMERS[2:5])]
_ROWS_A_PACK, _COUNTED_AT_ONCE = 20_000, 100_000
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")
#: Timers of a task have numbers of their own up to so many.
_TIMERS_A_TASK = 1 << 40


class PlacedTimers(NamedTuple):
    """The timers of a shop in its log: how many before each event, and in their order the latest due instant up to
    each; their log indexes and clocks in the order of their numbers.
    """

    inserted: Inserted
    reached: Integers
    numbers: Integers
    log_index: Integers
    clock: Integers

    def place(self, log_index: Integers, clock: Integers) -> tuple[Integers, Integers]:
        """Log indexes and clocks behind what stands before; a timer has the negative of its number for a log index."""
        before = self.inserted.before(log_index)
        index, reached = log_index + before, np.maximum(clock, np.concatenate(([0], self.reached))[before])
        is_timer = log_index < 0
        own = np.searchsorted(self.numbers, -log_index[is_timer])
        index[is_timer], reached[is_timer] = self.log_index[own], self.clock[own]
        return index, reached


def compute_with_time(
    log: DataFrame, features: FeatureSet, stages: Sequence[Stage], policies: PoliciesByShop = NO_POLICIES
) -> DataFrame:
    """The rows of compute_scored_and_rated of a log without reached stages with those that time would have reached.

    `log` has the columns of shop_log and policies_known, in the order of received clocks.
    """
    log = log.persist(StorageLevel.DISK_ONLY)
    time, reading = VirtualTime(stages, ends_of(log)), Reading(features, {}, choose_cuts(log), policies)

    def fold(batches: Batches) -> Iterator[pa.RecordBatch]:
        context = TaskContext.get()
        assert context is not None  # a task runs it
        folded = fold_timed_batches(batches, features, policies, time)
        return pack(folded, first=context.partitionId() * _TIMERS_A_TASK + 1)

    packed = by_conversation(log).mapInArrow(fold, PACKED_DDL).persist(StorageLevel.DISK_ONLY)
    timers = unpack_timers(packed.select("shop_id", "timers").where("timers is not null").toArrow())
    placed = place_timers(timers, lambda clocks: count_events(log, clocks))

    def place_and_cut(batches: Batches) -> Iterator[pa.RecordBatch]:
        return reading.cut(unpack_placed(batches, placed))

    return read_blocks(packed.mapInArrow(place_and_cut, BLOCK_DDL), reading)


def pack(folded: Batches, *, first: int) -> Iterator[pa.RecordBatch]:
    """Folded rows (folding.TIMED_SCHEMA) as rows of PACKED_SCHEMA; timers are numbered from the first number on."""
    for shop_id, rows in by_shop(gathered(folded, _ROWS_A_PACK)):
        is_timer = np.asarray(rows.column("after_clock").is_valid())
        numbers = first - 1 + np.cumsum(is_timer)
        first += int(is_timer.sum())
        numbered = _with(rows, "log_index", np.where(is_timer, -numbers, integers(rows, "log_index")))
        timers = numbered.filter(pa.array(is_timer)).select(_OF_TIMERS)
        row = shop_id, _stream(numbered.select(LIVE_SCHEMA.names)), _stream(timers) if timers.num_rows else None
        columns = [pa.array([value], field.type) for value, field in zip(row, PACKED_SCHEMA, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=PACKED_SCHEMA)


def unpack_timers(packed: pa.Table) -> Mapping[str, pa.Table]:
    """The timers of each shop, of rows with `shop_id` and `timers`."""
    tables: dict[str, list[pa.Table]] = {}
    for shop_id, timers in zip(packed.column("shop_id").to_pylist(), packed.column("timers"), strict=True):
        tables.setdefault(shop_id, []).append(_table(timers))
    return {shop_id: pa.concat_tables(own) for shop_id, own in tables.items()}


def unpack_placed(batches: Batches, placed: Mapping[str, PlacedTimers]) -> Iterator[pa.RecordBatch]:
    """What was packed (folding.LIVE_SCHEMA), all of it in its place."""
    for batch in batches:
        for shop_id, packed in zip(batch.column("shop_id").to_pylist(), batch.column("folded"), strict=True):
            for folded in _table(packed).to_batches():
                timers = placed.get(shop_id)
                columns = (folded.column(name).to_numpy() for name in ("log_index", "clock"))
                yield folded if timers is None else at_places(folded, *timers.place(*columns))


class EventsBefore(NamedTuple):
    """At some received clocks of a shop's log: the number of its events up to each, and its clock there."""

    events: Integers
    clock: Integers


#: By shop what its log holds up to received clocks, which rise.
CountEvents = Callable[[Mapping[str, Integers]], Mapping[str, EventsBefore]]


def place_timers(timers: Mapping[str, pa.Table], count: CountEvents) -> Mapping[str, PlacedTimers]:
    """The places of each shop's timers, of columns as `pack` selects them."""
    late = {shop_id: integers(own, "after_index") < BEHIND_ALL for shop_id, own in timers.items()}
    clocks = {shop_id: np.unique(integers(own, "after_clock")[~late[shop_id]]) for shop_id, own in timers.items()}
    counted = count(clocks)
    return {shop_id: _place(own, late[shop_id], clocks[shop_id], counted[shop_id]) for shop_id, own in timers.items()}


def count_events(log: DataFrame, clocks: Mapping[str, Integers]) -> Mapping[str, EventsBefore]:
    """What stands in each shop's log (columns of shop_log) up to received clocks, which rise."""
    columns = log.select("shop_id", "received_clock", "clock")
    return add_up(columns.mapInArrow(lambda batches: count_slots(batches, clocks), _COUNTED_DDL).toArrow(), clocks)


def count_slots(batches: Batches, clocks: Mapping[str, Integers]) -> Iterator[pa.RecordBatch]:
    """The events of a log by shop and slot, that of the first clock that is not before them (COUNTED_SCHEMA)."""
    for shop_id, own in by_shop(gathered(batches, _COUNTED_AT_ONCE)):
        if shop_id in clocks:
            yield _counted(shop_id, own, clocks[shop_id])


def add_up(counted: pa.Table, clocks: Mapping[str, Integers]) -> Mapping[str, EventsBefore]:
    """What stands up to each clock, by what was counted in slots."""
    events = {shop_id: np.zeros(len(own) + 1, dtype=np.int64) for shop_id, own in clocks.items()}
    reached = {shop_id: np.zeros(len(own) + 1, dtype=np.int64) for shop_id, own in clocks.items()}
    for shop_id, own in by_shop([counted.sort_by("shop_id")]):
        slot = integers(own, "slot")
        np.add.at(events[shop_id], slot, integers(own, "events"))
        np.maximum.at(reached[shop_id], slot, integers(own, "clock"))
    return {
        shop_id: EventsBefore(np.cumsum(events[shop_id]), np.maximum.accumulate(reached[shop_id])) for shop_id in clocks
    }


def _counted(shop_id: str, log: pa.Table, clocks: Integers) -> pa.RecordBatch:
    slots, of_event = np.unique(np.searchsorted(clocks, integers(log, "received_clock")), return_inverse=True)
    reached = np.zeros(len(slots), dtype=np.int64)
    np.maximum.at(reached, of_event, integers(log, "clock"))
    columns = [pa.array([shop_id] * len(slots)), *map(pa.array, (slots, np.bincount(of_event), reached))]
    return pa.RecordBatch.from_arrays(columns, schema=COUNTED_SCHEMA)


def _place(timers: pa.Table, is_late: NDArray[np.bool_], clocks: Integers, counted: EventsBefore) -> PlacedTimers:
    slot = np.searchsorted(clocks, integers(timers, "after_clock"))
    before = np.where(is_late, integers(timers, "after_index"), counted.events[slot])
    clock = np.where(is_late, integers(timers, "clock"), counted.clock[slot])
    ordered = _with(timers, "clock", clock).append_column("before", pa.array(before)).sort_by(_ORDER)
    before, rank = integers(ordered, "before"), np.arange(1, len(ordered) + 1)
    reached: Integers = np.maximum.accumulate(integers(ordered, "occurred_at"))
    numbers = -integers(ordered, "log_index")
    by_number = np.argsort(numbers)
    return PlacedTimers(
        inserted=Inserted(before + 1, rank),
        reached=reached,
        numbers=numbers[by_number],
        log_index=(before + rank)[by_number],
        clock=np.maximum(integers(ordered, "clock"), reached)[by_number],
    )


def _with(table: pa.Table, name: str, column: Integers) -> pa.Table:
    """The table with another column of this name."""
    return table.set_column(table.schema.get_field_index(name), name, pa.array(column))


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=_COMPRESSED) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _table(stream: pa.BinaryScalar) -> pa.Table:
    return pa.ipc.open_stream(stream.as_buffer()).read_all()
