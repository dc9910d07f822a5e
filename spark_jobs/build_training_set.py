"""Write the features of every scored event, as they would have been served, beside the label."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from service_quality.facts.conversation_facts import DISSATISFIED_AT_MOST
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, format_instant
from spark_jobs.command_line import instant_argument, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import (
    EVENTS,
    TRAINING_SET,
    read_events,
    replace_training_set,
    snapshot_of,
    table_properties,
)
from spark_jobs.logs.shop_log import event_columns, order_by_time
from spark_jobs.reader.served_features import compute_served_features

_DESCRIPTION = """Features at every scored event before an instant, as they would have been served by then.

Only conversations rated by then make rows; the rows of one conversation share a weight of one. The table's properties
name the snapshot of the events it was made from. The same arguments on the same events change nothing."""


WARM_UP_DAYS = 4


def without_warm_up(served: DataFrame, days: int) -> DataFrame:
    """Leave out each shop's first days: rates of empty histories teach the model nothing."""
    first = F.min("occurred_at").over(Window.partitionBy("shop_id"))
    return served.withColumn("first", first).where(F.col("occurred_at") >= F.col("first") + days * DAY).drop("first")


def label_conversations(events: DataFrame) -> DataFrame:
    """The last rating of each conversation as a label: shop_id, conversation_id, label, rated_at."""
    last = F.struct("occurred_at", "event_id")
    return (
        events.where("kind = 'rated'")
        .groupBy("shop_id", "conversation_id")
        .agg(F.max_by("rating", last).alias("rating"), F.min("occurred_at").alias("rated_at"))
        .select("shop_id", "conversation_id", (F.col("rating") <= DISSATISFIED_AT_MOST).cast("int").alias("label"))
    )


def with_labels(served: DataFrame, labels: DataFrame) -> DataFrame:
    """Rows of the training set from rows of served features (served_features.SERVED_DDL)."""
    conversation = Window.partitionBy("shop_id", "conversation_id")
    return (
        served.join(labels, ["shop_id", "conversation_id"])
        .withColumn("weight", 1 / F.count(F.lit(1)).over(conversation))
        .select(
            "event_id",
            "conversation_id",
            "shop_id",
            "kind",
            F.timestamp_millis("occurred_at").alias("occurred_at"),
            "features",
            "label",
            "weight",
        )
    )


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("build_training_set", _DESCRIPTION)
    parser.add_argument("--as-of", type=instant_argument, required=True, metavar="DAY", help="what was known by then")
    parser.add_argument(
        "--warm-up-days",
        type=int,
        default=WARM_UP_DAYS,
        metavar="N",
        help="days after a shop's first event that make no rows, since its histories are empty (%(default)s)",
    )
    return parser.parse_args(arguments)


def renew_training_set(events: DataFrame, options: Namespace, made_from: Mapping[str, str]) -> None:
    """Replace the training set by that of these events; InputError, without a replacement, for an empty one."""
    past = events.where(F.col("occurred_at") < F.timestamp_millis(F.lit(options.as_of)))
    served = compute_served_features(order_by_time(past.select(*event_columns())), FEATURES)
    labelled = with_labels(without_warm_up(served, options.warm_up_days), label_conversations(past))
    labelled.persist(StorageLevel.DISK_ONLY)  # used twice, computed once
    if labelled.isEmpty():
        first = events.agg(F.date_format(F.min("occurred_at"), "yyyy-MM-dd")).collect()[0][0]
        raise InputError(
            f"found no rated conversation before {made_from['as_of']} (the first event is of {first}, and the first "
            f"{options.warm_up_days} days of a shop make no rows), expected at least one"
        )
    synthetic = not past.where(F.col("source").startswith("synthetic:")).isEmpty()
    replace_training_set(labelled, properties={**made_from, "synthetic": str(synthetic).lower()})
    labelled.unpersist()


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the lake, compute, replace the training set."""
    options = read_options(arguments)
    spark = session_for(options, "build_training_set")
    snapshot = snapshot_of(spark, EVENTS)  # read before the events, so that no later snapshot is used
    events = read_events(spark, snapshot=snapshot)
    as_of = format_instant(options.as_of)
    made_from = {
        "fingerprint": FEATURES.fingerprint,
        "as_of": as_of,
        "events_snapshot": str(snapshot),
        "code_version": str(CODE_VERSION),
        "warm_up_days": str(options.warm_up_days),
    }
    changed = not made_from.items() <= table_properties(spark, TRAINING_SET).items()
    if changed:
        renew_training_set(events, options, made_from)
    counted = spark.table(TRAINING_SET).agg(F.count("*"), F.count_distinct("shop_id", "conversation_id")).first()
    rows, conversations = counted or (0, 0)
    summary = {"rows": rows, "conversations": conversations, "changed": changed, **made_from}
    print_summary(
        f"build_training_set: {rows} rows of {conversations} conversations as of {as_of}"
        f" from snapshot {snapshot}{'' if changed else ' (unchanged)'}",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
