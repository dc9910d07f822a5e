"""Features of entities behind the events that name them, by the Spark reader of scored events.

A read point stands between an event and the next one, with the shop's clock at the event: every log index is doubled to
make room for it.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.facts.entities import ENTITIES
from service_quality.tasks.declared_tasks import Task
from spark_jobs.logs.folding import LIVE_DDL, by_conversation, fold_batches
from spark_jobs.logs.imported_log import NOT_YET
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop
from spark_jobs.reader.block_rows import BLOCK_DDL, Batches
from spark_jobs.reader.counted_spans import CountedSpans
from spark_jobs.reader.read_points import as_scored, without_read_points
from spark_jobs.reader.served_features import Reading, choose_cuts, read_blocks


def compute_behind_events(
    log: DataFrame,
    whole: DataFrame,
    task: Task,
    spans: Mapping[str, CountedSpans] | None = None,
    policies: PoliciesByShop = NO_POLICIES,
) -> DataFrame:
    """What was to be served of the entities that a task scores: shop_id, log_index, clock, features.

    `log` are the accepted entries (archive.to_log), `whole` the same with the events of imports (join_imports); `spans`
    are those of columns that did not count from the first record on.
    """
    (part,) = ENTITIES[task.unit].parts
    named = F.col("kind").isin(*sorted(task.kinds)) & F.col(part).isNotNull()
    places = {"log_index": 2 * F.col("log_index") + 1, "clock": F.col("clock"), part: F.col(part)}
    points = log.where(named).select("shop_id", *(column.alias(name) for name, column in places.items()))
    counted = choose_cuts(whole.select("shop_id").unionAll(points.select("shop_id")))
    doubled = {shop_id: _doubled(own) for shop_id, own in (spans or {}).items()}
    reading = Reading(task.features, doubled, counted, policies)

    def fold(batches: Batches) -> Iterator[pa.RecordBatch]:
        return (_spread(batch) for batch in fold_batches(batches, task.features, policies))

    folded = by_conversation(whole).mapInArrow(fold, LIVE_DDL).unionByName(as_scored(points, part, "clock"))
    read = read_blocks(folded.mapInArrow(reading.cut, BLOCK_DDL), reading)
    own = F.floor(F.col("log_index") / 2).cast("bigint").alias("log_index")
    return read.select("shop_id", own, "clock", "features")


def _spread(folded: pa.RecordBatch) -> pa.RecordBatch:
    """Folded events at twice their log indexes; those of imports without a record stay where they are."""
    log_index = folded.column("log_index").to_numpy()
    return without_read_points(folded, np.where(log_index < NOT_YET, 2 * log_index, log_index))


def _doubled(spans: CountedSpans) -> CountedSpans:
    """The spans at twice their log indexes: what lies behind an event lies behind its read point, too."""
    return {
        column: [one._replace(behind=2 * one.behind + 1, counts_behind=2 * one.counts_behind + 1) for one in own]
        for column, own in spans.items()
    }
