"""Features at every scored event of a log by the Spark reader, equal to the served ones.

The fold is by conversation, the windows are by entity, and features are put together by piece of the log: no task
holds a shop, and a busy entity is read piece by piece.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import attrgetter, itemgetter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.folding import by_conversation, fold_batches
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop
from spark_jobs.reader.asked_sums import Asked, asked_by
from spark_jobs.reader.block_rows import (
    BLOCK_DDL,
    EVENTS,
    VALUES,
    Batches,
    Block,
    Blocks,
    blocks_in,
    by_shop,
    gathered,
    to_batches,
)
from spark_jobs.reader.counted_spans import CountedSpans
from spark_jobs.reader.entity_blocks import Cut, cut_folded, fact_numbers
from spark_jobs.reader.entity_windows import EntityWindows
from spark_jobs.reader.feature_columns import PieceColumns

SERVED_DDL = (
    "shop_id string, log_index bigint, clock bigint, event_id string, conversation_id string, kind string, "
    "occurred_at bigint, round bigint, label bigint, features array<float>"
)
_STRINGS = ("shop_id", "event_id", "conversation_id", "kind")
_SERVED_COLUMNS = ("shop_id", "log_index", "clock", *_STRINGS[1:], "occurred_at", "round", "label")
SERVED_SCHEMA = pa.schema(
    [
        *((name, pa.string() if name in _STRINGS else pa.int64()) for name in _SERVED_COLUMNS),
        ("features", pa.list_(pa.float32())),
    ]
)
#: A part has at least so many events of its shop, so that there are cores for up to so many parts; and never more.
FEWEST_EVENTS_A_PART, PARTS_FOR_CORES, MOST_EVENTS_A_PART = 50_000, 16, 500_000
#: Folded events that are cut at a time, facts and read points that are read at a time, rows of an answer.
_CUT_AT_ONCE, _READ_AT_ONCE, _ROWS_AT_ONCE = 100_000, 3_000_000, 50_000


def compute_served_features(
    log: DataFrame,
    features: FeatureSet,
    spans: Mapping[str, CountedSpans] | None = None,
    policies: PoliciesByShop = NO_POLICIES,
) -> DataFrame:
    """Columns of shop_log, with or without those of imports → one row a scored event with its float32 vector
    (SERVED_DDL).

    `spans` are, by shop, those of columns that did not count from the first record on (counted_spans); `policies` those
    of each shop.
    """
    return compute_scored_and_rated(log, features, spans, policies).where("features is not null")


def compute_scored_and_rated(
    log: DataFrame,
    features: FeatureSet,
    spans: Mapping[str, CountedSpans] | None = None,
    policies: PoliciesByShop = NO_POLICIES,
) -> DataFrame:
    """The rows of compute_served_features, and one a rating that gives a label, without features, from the same fold.

    One shuffle by conversation for the fold, one by entity for the windows, and where a shop is in several parts one
    by piece of the log for the features.
    """
    reading = Reading(features, spans or {}, choose_cuts(log), policies)
    return read_blocks(by_conversation(log).mapInArrow(reading.fold_and_cut, BLOCK_DDL), reading)


def read_blocks(blocks: DataFrame, reading: "Reading") -> DataFrame:
    """Blocks of a folded log (BLOCK_DDL) → the rows of compute_scored_and_rated."""
    by_part = blocks.repartition("shop_id", "part").sortWithinPartitions("shop_id", "part", "piece")
    if not reading.cuts:
        return by_part.mapInArrow(reading.read_and_assemble, SERVED_DDL)
    by_piece = by_part.mapInArrow(reading.read, BLOCK_DDL)
    by_piece = by_piece.repartition("shop_id", "piece").sortWithinPartitions("shop_id", "piece")
    return by_piece.mapInArrow(reading.assemble, SERVED_DDL)


def choose_cuts(log: DataFrame) -> dict[str, Cut]:
    """The cut of each shop that is in more than one part."""
    counts = log.groupBy("shop_id").agg(F.count(F.lit(1)).alias("events"))
    large = counts.where(F.col("events") > FEWEST_EVENTS_A_PART).collect()
    return {row["shop_id"]: Cut(parts=parts_of(row["events"])) for row in large}


def parts_of(events: int) -> int:
    """The number of parts of a shop with so many events.

    >>> [parts_of(events) for events in (50_000, 200_000, 2_000_000, 10_000_000)]
    [1, 4, 16, 20]
    """
    for_cores = min(-(-events // FEWEST_EVENTS_A_PART), PARTS_FOR_CORES)
    return max(for_cores, -(-events // MOST_EVENTS_A_PART))


@dataclass(frozen=True)
class Reading:
    """The steps from a log to its features, each a function of batches that Spark has sorted."""

    features: FeatureSet
    spans: Mapping[str, CountedSpans]
    cuts: Mapping[str, Cut]
    policies: PoliciesByShop = field(default_factory=dict)
    read_at_once: int = field(default=_READ_AT_ONCE)

    def fold_and_cut(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """Rows of a log by conversation → blocks."""
        return self.cut(fold_batches(batches, self.features, self.policies))

    def cut(self, folded: Batches) -> Iterator[pa.RecordBatch]:
        """Folded rows (folding.LIVE_SCHEMA), those of a shop together → blocks."""
        plan = self.features.plan
        blocks = (
            (shop_id, block)
            for shop_id, rows in by_shop(gathered(folded, _CUT_AT_ONCE))
            for block in cut_folded(rows, plan, self._cut_of(shop_id))
        )
        return to_batches(blocks)

    def read(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """Blocks by part and piece → the blocks of events, and those of the values at them."""
        return to_batches(self._read(batches))

    def assemble(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """Blocks of events and values by piece → served features."""
        return self._assemble(blocks_in(batches))

    def read_and_assemble(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        """Blocks by part and piece, of shops that are in one part → served features."""
        return self._assemble(self._read(batches))

    def _cut_of(self, shop_id: str) -> Cut:
        return self.cuts.get(shop_id, Cut())

    def _read(self, batches: Batches) -> Blocks:
        for shop_id, of_shop in groupby(blocks_in(batches), key=itemgetter(0)):
            for _, of_part in groupby((block for _, block in of_shop), key=attrgetter("part")):
                windows = EntityWindows(self._asked, self._numbers, self.spans.get(shop_id, {}))
                for blocks in self._at_once(of_part):
                    events = [block for block in blocks if block.kind == EVENTS]
                    others = [block for block in blocks if block.kind != EVENTS]
                    found = windows.read(others, events_a_piece=self._cut_of(shop_id).events_a_piece)
                    yield from ((shop_id, block) for block in sorted([*events, *found], key=attrgetter("piece")))

    def _at_once(self, blocks: Iterable[Block]) -> Iterator[list[Block]]:
        """Whole pieces, as many as are read at once."""
        held: list[Block] = []
        rows = 0
        for _, piece in groupby(blocks, key=attrgetter("piece")):
            for block in piece:
                held.append(block)
                rows += block.rows
            if rows >= self.read_at_once:
                yield held
                held, rows = [], 0
        yield held

    def _assemble(self, blocks: Blocks) -> Iterator[pa.RecordBatch]:
        for (shop_id, _), of_piece in groupby(blocks, key=lambda one: (one[0], one[1].piece)):
            own = [block for _, block in of_piece]
            tables = [block.table() for block in own if block.kind == EVENTS]
            if tables:
                events = pa.concat_tables(tables).sort_by("log_index")
                yield from _rated(events.filter(events.column("label").is_valid())).to_batches(_ROWS_AT_ONCE)
                scored = events.filter(events.column("values").is_valid())
                found = [one for block in own if block.kind == VALUES for one in block.content.values()]
                columns = PieceColumns(scored, self.features, found, self.spans.get(shop_id, {}))
                yield from _served(scored, columns.vectors()).to_batches(_ROWS_AT_ONCE)

    @cached_property
    def _asked(self) -> tuple[Asked, ...]:
        return tuple(asked_by(self.features))

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return fact_numbers(self.features.plan)


def _served(events: pa.Table, vectors: NDArray[np.float32]) -> pa.Table:
    """Events with their vectors (SERVED_SCHEMA)."""
    rows, width = vectors.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * np.int32(width))
    lists = pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel()))
    return events.select(_SERVED_COLUMNS).append_column("features", lists).cast(SERVED_SCHEMA)


def _rated(events: pa.Table) -> pa.Table:
    """Ratings without vectors (SERVED_SCHEMA)."""
    nothing = pa.nulls(events.num_rows, pa.list_(pa.float32()))
    return events.select(_SERVED_COLUMNS).append_column("features", nothing).cast(SERVED_SCHEMA)
