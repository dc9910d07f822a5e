"""Write what was or would have been served of conversations, or of customers at weekly cutoffs, beside the label."""

import hashlib
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.events.kinds import RATED
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.feature_set import FEATURES
from service_quality.instants import format_instant
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION, TASKS
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COMPUTE, COUNT, READ
from spark_jobs.command_line import AS_OF_HELP, instant_argument, job_parser, print_summary, run_job, session_for
from spark_jobs.entry.policy_files import add_policies, read_policies_of
from spark_jobs.errors import InputError
from spark_jobs.lake.snapshots import snapshot_of, table_exists
from spark_jobs.lake.tables import (
    CUSTOMER_SET_SCHEMA,
    EVENTS,
    TRAINING_SET_SCHEMA,
    read_events,
    replace_training_set,
    table_properties,
    training_set_of,
)
from spark_jobs.learning.customer_rows import (
    CUSTOMER_WARM_UP_DAYS,
    as_training_rows,
    closed_cutoffs,
    orders_of,
    with_features,
)
from spark_jobs.learning.labelled_rows import (
    CONVERSATION,
    RATING_COLUMNS,
    ROUND,
    ROW_COLUMNS,
    WARM_UP_DAYS,
    as_first_served,
    label_rounds,
    merged_conversations,
    with_labels,
    without_warm_up,
)
from spark_jobs.logs.declared_features import find_places, vectors_in_service
from spark_jobs.logs.log_prefix import entries_by
from spark_jobs.logs.log_table import LOG, read_log
from spark_jobs.logs.policies import NO_POLICIES, PoliciesByShop, given_policies, knowing_all
from spark_jobs.logs.shop_log import event_columns, order_by_time, without_words
from spark_jobs.logs.time_rows import interaction_events
from spark_jobs.reader.timed_features import compute_with_time

_DESCRIPTION = """Features at every scored event that was there by an instant, and the label that the ratings of its
round that were there by then give: of what was in the log (fold_archive) as they were served, of the lake's events
(import_events) received before it as they would have been. With both sources, the events of a shop that were
received before its log begins are added to its log.

A conversation in which a customer waits is scored again at each stage of the wait: as the log has it, and for the
lake's events where time would have reached it (virtual timers), so that the model learns what waiting does.

Only rounds rated by then make rows, up to the rating; the rows of one round share a weight of one. The table's
properties name the snapshots that it was made from. The same arguments on the same tables change nothing.

With --task churn a row is a customer at the beginning of a week, on Monday (UTC), with an order in the 90 days before:
the features of the lake's events before that instant, and whether no order came in the 90 days from it on. Weeks whose
90 days were not over by the instant, or reach behind the shop's last order, make no rows; a row weighs 7/90."""

#: The stages of waits that make rows.
STAGES = stages_of(shipped_rules())
OF_EVENTS, OF_LOG = "events", "log"
_UNITS = {
    DISSATISFACTION.name: {"conversations": CONVERSATION, "rounds": ROUND},
    CHURN.name: {"customers": ["shop_id", "customer_id"], "cutoffs": ["occurred_at"]},
}


class Source(NamedTuple):
    """Rows without a label (ROW_COLUMNS), ratings (RATING_COLUMNS), and the conversations merged into others."""

    rows: DataFrame
    ratings: DataFrame
    merged: DataFrame


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("build_training_set", _DESCRIPTION)
    parser.add_argument("--task", choices=TASKS, default=DISSATISFACTION.name, help="what is learnt (%(default)s)")
    as_of_help = f"{AS_OF_HELP}; of the lake's events what was received before it"
    parser.add_argument("--as-of", type=instant_argument, required=True, metavar="DAY", help=as_of_help)
    source_help = "events of the lake, the log as served, or both (%(default)s)"
    parser.add_argument("--source", nargs="+", choices=(OF_EVENTS, OF_LOG), default=[OF_EVENTS], help=source_help)
    parser.add_argument(
        "--warm-up-days",
        type=int,
        metavar="N",
        help="days after a shop's first event that make no rows, since its histories are empty; a shop whose log"
        f" follows imported events has no such days ({WARM_UP_DAYS}; for churn after its first order,"
        f" {CUSTOMER_WARM_UP_DAYS})",
    )
    add_policies(parser, "a policy that judges a shop's events of the lake from its valid_from on")
    options = parser.parse_args(arguments)
    if options.policy and OF_EVENTS not in options.source:
        parser.error(f"found --policy beside --source {OF_LOG} alone, expected it where events of the lake are read")
    if options.task == CHURN.name and OF_LOG in options.source:
        parser.error(
            f"found --source {OF_LOG} beside --task {CHURN.name}, expected {OF_EVENTS}: cutoffs lie in the lake"
        )
    if options.warm_up_days is None:
        options.warm_up_days = CUSTOMER_WARM_UP_DAYS if options.task == CHURN.name else WARM_UP_DAYS
    return options


def served_source(log: DataFrame, options: Namespace) -> Source:
    """What was in a log by the instant, as it was served; `log` holds the entries of the whole (archive.ENTRY_DDL)."""
    log = entries_by(log, options.as_of)
    accepted = log.where("rejected is null and not duplicate and event_id is not null")
    vectors = vectors_in_service(find_places(log, FEATURES))
    served = as_first_served(accepted.where("served_vector is not null")).withColumn("features", vectors)
    imported = log.where("import_id is not null").select("shop_id").distinct()
    lived = without_warm_up(served.join(F.broadcast(imported), "shop_id", "left_anti"), options.warm_up_days)
    rows = lived.unionByName(served.join(F.broadcast(imported), "shop_id", "left_semi"))
    ratings = accepted.where(F.col("kind") == RATED).select(*RATING_COLUMNS)
    return Source(rows.select(*ROW_COLUMNS), ratings, merged_conversations(accepted))


def past_source(
    events: DataFrame, options: Namespace, log: DataFrame | None, policies: PoliciesByShop = NO_POLICIES
) -> Source:
    """What would have been served of the lake's events; beside a log, of those received before it begins."""
    past = without_words(events.select(*event_columns()))
    if log is not None:
        own = interaction_events(log.where("event_id is not null"))  # a wait may be older than the log
        begins = own.groupBy("shop_id").agg(F.min("received_at").alias("begins"))
        past = past.join(F.broadcast(begins), "shop_id", "left").where("begins is null or received_at < begins")
    ordered = knowing_all(order_by_time(past.drop("begins")), policies)
    found = compute_with_time(ordered, FEATURES, STAGES, policies)
    found = found.persist(StorageLevel.DISK_ONLY)  # rows and ratings, from one fold
    rows = without_warm_up(found.where("features is not null"), options.warm_up_days)
    ratings = found.where("features is null").withColumn("position", F.lit(""))
    return Source(rows.select(*ROW_COLUMNS), ratings.select(*RATING_COLUMNS), merged_conversations(past))


def join_sources(sources: Sequence[Source]) -> DataFrame:
    """The training set's rows: an event of several sources makes the row of the last; labels in order of the log."""
    rows, ratings, merged = sources[0]
    for later in sources[1:]:
        rows = rows.join(later.rows, ["shop_id", "event_id"], "left_anti").select(*ROW_COLUMNS).unionByName(later.rows)
        ratings, merged = ratings.unionByName(later.ratings), merged.unionByName(later.merged)
    return with_labels(rows, label_rounds(ratings, merged))


def read_sources(
    spark: SparkSession, options: Namespace, snapshots: Mapping[str, int | None], policies: PoliciesByShop
) -> list[Source]:
    """The sources of the command line at these snapshots, the events before the log."""
    log = read_log(spark, snapshot=snapshots[OF_LOG]) if OF_LOG in options.source else None
    sources = []
    if OF_EVENTS in options.source:
        events = read_events(spark, as_of=options.as_of, snapshot=snapshots[OF_EVENTS])
        sources.append(past_source(events, options, log, policies))
    if log is not None:
        sources.append(served_source(log, options))
    return sources


def read_rows(
    spark: SparkSession, options: Namespace, snapshots: Mapping[str, int | None], policies: PoliciesByShop
) -> DataFrame:
    """The labelled rows of the task of the command line, of the lake at these snapshots."""
    if options.task == CHURN.name:
        return read_customers(spark, options, snapshots, policies)
    return join_sources(read_sources(spark, options, snapshots, policies))


def read_customers(
    spark: SparkSession, options: Namespace, snapshots: Mapping[str, int | None], policies: PoliciesByShop
) -> DataFrame:
    """The training set's rows of customers (CUSTOMER_SET_SCHEMA), of the lake's events at a snapshot."""
    events = read_events(spark, as_of=options.as_of, snapshot=snapshots[OF_EVENTS])
    asked = closed_cutoffs(orders_of(events), as_of=options.as_of, warm_up_days=options.warm_up_days)
    return as_training_rows(with_features(asked, events, CHURN.features, policies))


def renew_training_set(rows: DataFrame, options: Namespace, properties: Mapping[str, str]) -> None:
    """Replace the task's training set by these rows; InputError, without a replacement, without any."""
    labelled = rows.persist(StorageLevel.DISK_ONLY)  # used twice, computed once
    if labelled.isEmpty():
        raise InputError(_without_rows(options))
    schema = CUSTOMER_SET_SCHEMA if options.task == CHURN.name else TRAINING_SET_SCHEMA
    replace_training_set(labelled, properties=properties, table=training_set_of(TASKS[options.task]), schema=schema)
    labelled.unpersist()


def _without_rows(options: Namespace) -> str:
    as_of = format_instant(options.as_of)
    if options.task == CHURN.name:
        return (
            f"found no week of which it is known by {as_of} who ordered in the 90 days from it on (the first"
            f" {options.warm_up_days} days after a shop's first order make no rows), expected at least one"
        )
    return (
        f"found no rated conversation before {as_of} in {' and '.join(options.source)} (the first"
        f" {options.warm_up_days} days of a shop without imported events make no rows), expected at least one"
    )


def holds_synthetic(spark: SparkSession) -> bool:
    """Whether the lake holds events of a synthetic world; then what was served may be of it as well."""
    if not table_exists(spark, EVENTS):
        return False
    return not spark.table(EVENTS).where(F.col("source").startswith("synthetic:")).isEmpty()


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the lake, compute, replace the training set."""
    options = read_options(arguments)
    documents = read_policies_of(options.policy)
    spark = session_for(options, "build_training_set")
    note_step(READ)
    # read before the tables, so that no later snapshot is used
    snapshots = {OF_EVENTS: snapshot_of(spark, EVENTS), OF_LOG: snapshot_of(spark, LOG)}
    as_of, task = format_instant(options.as_of), TASKS[options.task]
    table = training_set_of(task)
    made_from = {
        "fingerprint": task.features.fingerprint,
        "as_of": as_of,
        **{f"{name}_snapshot": str(snapshots[name] if name in options.source else None) for name in snapshots},
        "code_version": str(CODE_VERSION),
        "stages": " ".join(stage.name for stage in STAGES),
        "warm_up_days": str(options.warm_up_days),
        "policies": hashlib.sha256(repr(documents).encode()).hexdigest()[:20] if documents else "",
    }
    changed = not made_from.items() <= table_properties(spark, table).items()
    note_step(COMPUTE)
    if changed:
        rows = read_rows(spark, options, snapshots, given_policies(documents))
        synthetic = str(holds_synthetic(spark)).lower()
        renew_training_set(rows, options, {**made_from, "synthetic": synthetic})
    note_step(COUNT)
    units = _UNITS[task.name]
    distinct = (F.count_distinct(*unit).alias(name) for name, unit in units.items())
    counted = spark.table(table).agg(F.count("*").alias("rows"), *distinct).first()
    assert counted is not None  # an aggregate has a row
    summary = {"task": task.name, **counted.asDict(), "changed": changed, **made_from}
    says = " and ".join(f"{summary[name]} {name}" for name in units if name != "conversations")
    print_summary(
        f"build_training_set: {summary['rows']} rows of {says} as of {as_of} from"
        f" {' and '.join(sorted(set(options.source)))}{'' if changed else ' (unchanged)'}",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
