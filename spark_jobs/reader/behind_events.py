"""Features at scored events, and of entities behind the events that name them, from one fold of a log.

A read point of an entity stands between an event and the next one, with the shop's clock at the event: every log index
is doubled to make room for it.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import FeatureSet
from service_quality.tasks.declared_tasks import Task
from spark_jobs.logs.folding import LIVE_DDL, by_conversation, fold_batches
from spark_jobs.logs.imported_log import NOT_YET
from spark_jobs.logs.policies import PoliciesByShop
from spark_jobs.reader.block_rows import BLOCK_DDL, Batches
from spark_jobs.reader.counted_spans import CountedSpans
from spark_jobs.reader.read_points import as_scored, at_log_indexes
from spark_jobs.reader.served_features import Reading, choose_cuts, read_blocks


class AtAndBehind(NamedTuple):
    """The features at the scored events (served_features.SERVED_DDL); those of entities behind events: shop_id,
    log_index, clock, features."""

    events: DataFrame
    entities: DataFrame


class LogToRead(NamedTuple):
    """A log as features are recomputed from it.

    `accepted` are its entries with the import records (archive.to_log), `whole` those without these and with the events
    of imports (join_imports), `spans` those of columns that did not count from the first record on, `policies` those of
    each shop.
    """

    accepted: DataFrame
    whole: DataFrame
    spans: Mapping[str, CountedSpans]
    policies: PoliciesByShop


def compute_at_and_behind(log: LogToRead, features: FeatureSet, task: Task) -> AtAndBehind:
    """What was to be served at the events of a log, and of the entities that a task scores behind them.

    The task's features are among `features`.
    """
    whole, policies = log.whole, log.policies
    (part,) = ENTITIES[task.unit].parts
    named = F.col("kind").isin(*sorted(task.kinds)) & F.col(part).isNotNull()
    places = {"log_index": 2 * F.col("log_index") + 1, "clock": F.col("clock"), part: F.col(part)}
    points = log.accepted.where(named).select("shop_id", *(column.alias(name) for name, column in places.items()))
    counted = choose_cuts(whole.select("shop_id").unionAll(points.select("shop_id")))
    doubled = {shop_id: _doubled(own) for shop_id, own in log.spans.items()}
    reading = Reading(features, doubled, counted, policies)

    def fold(batches: Batches) -> Iterator[pa.RecordBatch]:
        return (_spread(batch) for batch in fold_batches(batches, features, policies))

    scored = as_scored(points, part, "clock", values=len(features.event_values))
    folded = by_conversation(whole).mapInArrow(fold, LIVE_DDL).unionByName(scored)
    read = read_blocks(folded.mapInArrow(reading.cut, BLOCK_DDL), reading)
    read = read.where("features is not null").persist(StorageLevel.DISK_ONLY)  # of one fold
    is_point, own = F.col("log_index") % 2 == 1, F.floor(F.col("log_index") / 2).cast("bigint")
    of_task = [F.get("features", F.lit(features.names.index(name))) for name in task.features.names]
    return AtAndBehind(
        read.where(~is_point).withColumn("log_index", own),
        read.where(is_point).select("shop_id", own.alias("log_index"), "clock", F.array(*of_task).alias("features")),
    )


def _spread(folded: pa.RecordBatch) -> pa.RecordBatch:
    """Folded events at twice their log indexes; those of imports without a record stay where they are."""
    log_index = folded.column("log_index").to_numpy()
    return at_log_indexes(folded, np.where(log_index < NOT_YET, 2 * log_index, log_index))


def _doubled(spans: CountedSpans) -> CountedSpans:
    """The spans at twice their log indexes: what lies behind an event lies behind its read point, too."""
    return {
        column: [one._replace(behind=2 * one.behind + 1, counts_behind=2 * one.counts_behind + 1) for one in own]
        for column, own in spans.items()
    }
