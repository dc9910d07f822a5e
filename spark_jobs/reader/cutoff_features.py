"""Features of entities at cutoffs, instants at which no event reads them, by the Spark reader of scored events.

A read point stands in the shop's log before the first event at or after its cutoff, with the cutoff as its clock. So
windows are relative to the cutoff and hold the facts of the events before it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.folding import LIVE_DDL, by_conversation, fold_batches
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop
from spark_jobs.reader.block_rows import BLOCK_DDL, Batches
from spark_jobs.reader.read_points import as_scored, without_read_points
from spark_jobs.reader.served_features import Reading, choose_cuts, read_blocks
from spark_jobs.reader.window_sums import Integers

#: The columns that say of whom and when features are asked; the cutoff in epoch milliseconds.
ASKED_COLUMNS = ("shop_id", "customer_id", "cutoff")


class Inserted(NamedTuple):
    """The read points put into a shop's log: how many before each event, by the log indexes where more come in.

    `log_index` rises; `points` are those up to and with it.
    """

    log_index: Integers
    points: Integers

    def before(self, log_index: Integers) -> Integers:
        """The number of read points before each event."""
        passed = np.searchsorted(self.log_index, log_index, side="right")
        before: Integers = np.concatenate(([0], self.points))[passed]
        return before


def compute_at_cutoffs(
    log: DataFrame, asked: DataFrame, cutoffs: range, features: FeatureSet, policies: PoliciesByShop = NO_POLICIES
) -> DataFrame:
    """The rows that are asked (ASKED_COLUMNS and any others, each customer and cutoff once) with `features`.

    `log` holds events in order of time (order_by_time), `cutoffs` every instant that is asked. Values of the
    conversation cannot be asked.
    """
    asked = asked.persist()  # counted and read
    inserted, firsts = place_cutoffs(log, asked, cutoffs)
    points = _number_points(asked, firsts)
    reading = Reading(features, {}, choose_cuts(log.select("shop_id").unionAll(asked.select("shop_id"))), policies)

    def fold(batches: Batches) -> Iterator[pa.RecordBatch]:
        return (_make_room(batch, inserted) for batch in fold_batches(batches, features, policies))

    folded = by_conversation(log).mapInArrow(fold, LIVE_DDL).unionByName(as_scored(points, "customer_id", "cutoff"))
    read = read_blocks(folded.mapInArrow(reading.cut, BLOCK_DDL), reading)
    return points.join(read.select("shop_id", "log_index", "features"), ["shop_id", "log_index"]).select(
        *asked.columns, "features"
    )


def place_cutoffs(
    log: DataFrame, asked: DataFrame, cutoffs: range
) -> tuple[Mapping[str, Inserted], Mapping[tuple[str, int], int]]:
    """By shop the read points put into its log; by shop and cutoff the log index before the first of its points."""
    passed = (F.col("occurred_at") - cutoffs.start) / cutoffs.step  # an event at a cutoff is behind it
    slot = F.least(F.greatest(F.floor(passed) + 1, F.lit(0)), F.lit(len(cutoffs)))
    events: dict[str, Integers] = defaultdict(lambda: np.zeros(len(cutoffs) + 1, dtype=np.int64))
    for row in log.groupBy("shop_id", slot.alias("slot")).agg(F.count(F.lit(1)).alias("events")).collect():
        events[row["shop_id"]][row["slot"]] = row["events"]
    points: dict[str, dict[int, int]] = defaultdict(dict)
    for row in asked.groupBy("shop_id", "cutoff").agg(F.count(F.lit(1)).alias("points")).collect():
        points[row["shop_id"]][cutoffs.index(row["cutoff"])] = row["points"]
    inserted, firsts = {}, {}
    for shop_id, by_cutoff in points.items():
        places = sorted(by_cutoff)
        before = np.cumsum(events[shop_id])[places]
        up_to = np.cumsum([by_cutoff[place] for place in places])
        inserted[shop_id] = Inserted(before + 1, up_to)
        for place, first, own in zip(
            places, (before + up_to).tolist(), map(by_cutoff.__getitem__, places), strict=True
        ):
            firsts[shop_id, cutoffs[place]] = first - own
    return inserted, firsts


def _number_points(asked: DataFrame, firsts: Mapping[tuple[str, int], int]) -> DataFrame:
    """The rows that are asked, each with a log index of its own."""
    spark = asked.sparkSession
    known = spark.createDataFrame(
        [(*at, first) for at, first in firsts.items()], "shop_id string, cutoff long, first long"
    )
    rank = F.row_number().over(Window.partitionBy("shop_id", "cutoff").orderBy("customer_id"))
    return (
        asked.withColumn("rank", rank)
        .join(F.broadcast(known), ["shop_id", "cutoff"])
        .select(*asked.columns, (F.col("first") + F.col("rank")).alias("log_index"))
    )


def _make_room(folded: pa.RecordBatch, inserted: Mapping[str, Inserted]) -> pa.RecordBatch:
    """Folded events (folding.LIVE_SCHEMA) behind the read points before them; none of them is scored or rated."""
    log_index = folded.column("log_index").to_numpy().copy()
    shops = folded.column("shop_id").dictionary_encode()
    numbers = shops.indices.to_numpy(zero_copy_only=False)
    for number, shop_id in enumerate(shops.dictionary.to_pylist()):
        if shop_id in inserted:
            own = numbers == number
            log_index[own] += inserted[shop_id].before(log_index[own])
    return without_read_points(folded, log_index)
