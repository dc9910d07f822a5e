"""`python -m tests.cluster.training_of_one_shop FILE`: a training set of one shop's events (synthetic_events), of which
the last quarter is a log with vectors as served; prints how many rows it has of each part."""

import json
import sys
from argparse import Namespace
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.process_usage import print_numbers
from service_quality.commit.transactions import declaration
from service_quality.events.kinds import RATED
from service_quality.features.feature_set import FEATURES
from spark_jobs.build_training_set import join_sources, past_source, served_source
from spark_jobs.lake.tables import EVENTS_SCHEMA, with_timestamps
from spark_jobs.logs.archive import ENTRY_DDL
from spark_jobs.session.start import start_session

#: The kind of the events that were scored in this log.
_SCORED = "agent_message"


def entries_of(events: DataFrame) -> DataFrame:
    """Events (instants in epoch milliseconds) as the entries of a log (ENTRY_DDL), in order of arrival."""
    spark = events.sparkSession
    vector = F.array_repeat(F.lit(0.0).cast("float"), len(FEATURES.names))
    made = {
        "position": F.concat(F.lpad(F.col("received_at").cast("string"), 16, "0"), "event_id"),
        "round": F.lit(1).cast("bigint"),
        "label": F.when(F.col("kind") == RATED, (F.col("rating") <= 3).cast("bigint")),
        "served_vector": F.when(F.col("kind") == _SCORED, vector),
        "fingerprint": F.lit(FEATURES.fingerprint),
        "duplicate": F.lit(False),
    }
    empty = spark.createDataFrame([], ENTRY_DDL)
    nulls = {one.name: F.lit(None).cast(one.dataType) for one in empty.schema if one.name not in events.columns}
    entries = events.withColumns(nulls | made).select(*empty.columns)
    first = {"shop_id": "shop", "position": "", "fingerprint": FEATURES.fingerprint, "duplicate": False}
    declared = spark.createDataFrame([first | {"declared": json.dumps(declaration(FEATURES))}], ENTRY_DDL)
    return declared.unionByName(entries)


def training_set(events: DataFrame) -> DataFrame:
    """The rows of the whole shop: of the past as they would have been served, of the log as they were."""
    ends = events.agg(F.min("received_at"), F.max("received_at")).first()
    assert ends is not None  # an aggregate has a row
    log = entries_of(events.where(F.col("received_at") >= ends[0] + (ends[1] - ends[0]) * 3 // 4))
    missing = {one.name: F.lit(None).cast(one.dataType) for one in EVENTS_SCHEMA if one.name not in events.columns}
    options = Namespace(as_of=ends[1], warm_up_days=4)
    past = past_source(with_timestamps(events.withColumns(missing)), options, log)
    return join_sources([past, served_source(log, options)])


def main(file: Path) -> None:
    """Compute the rows, and print their numbers."""
    spark = start_session("training of one shop", str(file.parent / "lake"))
    rows = training_set(spark.read.parquet(str(file)))
    is_served = F.forall("features", lambda value: value == 0)
    counts = rows.groupBy(is_served.alias("served")).count().collect()
    spark.stop()
    print_numbers({("served" if one["served"] else "recomputed"): one["count"] for one in counts})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
