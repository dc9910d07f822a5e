"""Judge a candidate: its figures beside the champion's, on the latest served days that neither has seen."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.adapters.model_registry import ModelRegistry
from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.events.kinds import RATED
from service_quality.features.feature_set import FEATURES
from service_quality.instants import format_instant
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION, TASKS, Task
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import JUDGE
from spark_jobs.command_line import add_as_of, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import read_events
from spark_jobs.learning.customer_rows import (
    CUSTOMER_WARM_UP_DAYS,
    as_training_rows,
    closed_cutoffs,
    orders_of,
    with_features,
)
from spark_jobs.learning.judged_models import CANDIDATE, CHAMPION, JudgedModel, measure_both, read_model, score_by_both
from spark_jobs.learning.labelled_rows import (
    RATING_COLUMNS,
    ROUND,
    ROW_COLUMNS,
    as_first_served,
    label_rounds,
    merged_conversations,
    with_labels,
)
from spark_jobs.learning.metrics import figure_text
from spark_jobs.logs.declared_features import find_places, vectors_in_service
from spark_jobs.logs.log_prefix import entries_by
from spark_jobs.logs.log_table import read_log

_DESCRIPTION = """Scores what was served, by the champion and by a published candidate, and writes the figures of both
for `python -m model_export promote --judgement`, which decides.

Judged are the scored events of the lake's log that were received after both models' training ended, of rounds that
were rated since and not before, up to the rating. Each round has one unit of weight.

With --task churn judged are the customers of the lake's events (import_events) at the weekly cutoffs since, as
build_training_set makes them, whose 90 days were over by --as-of, which it needs."""


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("judge_candidate", _DESCRIPTION)
    parser.add_argument("--candidate", required=True, metavar="VERSION", help="a published version")
    parser.add_argument("--bucket", required=True, metavar="NAME", help="bucket of the models")
    parser.add_argument("--table", required=True, metavar="NAME", help="table of the registry")
    parser.add_argument("--task", choices=TASKS, default=DISSATISFACTION.name, help="what is judged (%(default)s)")
    add_as_of(parser)
    options = parser.parse_args(arguments)
    if options.task == CHURN.name and options.as_of is None:
        parser.error(f"found --task {CHURN.name} without --as-of, expected the instant by which its labels had closed")
    return options


def read_models(options: Namespace) -> tuple[JudgedModel, JudgedModel]:
    """The champion and the candidate."""
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    task = TASKS[options.task]
    registry = ModelRegistry(dynamodb, s3, options.table, options.bucket, OnnxScorer, lambda *_: None, task=task)
    versions = (registry.read_pointer().version, options.candidate)
    champion, candidate = (read_model(version, registry.read_file(version)) for version in versions)
    return champion, candidate


def judged_rows(log: DataFrame, since: int) -> DataFrame:
    """Rows of a training set of what was received from an instant on, of rounds not rated before it."""
    accepted = log.where("rejected is null and not duplicate and event_id is not null")
    ratings = accepted.where(F.col("kind") == RATED)
    seen = ratings.where("label is not null").where(F.col("received_at") < since).select(*ROUND).distinct()
    served = (
        as_first_served(accepted.where("served_vector is not null"))
        .where(F.col("received_at") >= since)
        .withColumn("features", vectors_in_service(find_places(log, FEATURES)))
        .join(seen, ROUND, "left_anti")
    )
    labels = label_rounds(ratings.select(*RATING_COLUMNS), merged_conversations(accepted))
    return with_labels(served.select(*ROW_COLUMNS), labels)


def judge(log: DataFrame, champion: JudgedModel, candidate: JudgedModel) -> dict[str, Any]:
    """The figures of both models on rated rounds, and the rows that they are of; InputError without any row."""
    since = max(champion.trained_as_of, candidate.trained_as_of)
    rows = judged_rows(log, since).cache()
    counts = {
        "rounds": F.count_distinct(*ROUND),
        "dissatisfied": F.round(F.coalesce(F.sum(F.col("label") * F.col("weight")), F.lit(0.0))).cast("long"),
    }
    if rows.isEmpty():
        raise InputError(
            f"found no round that was served and rated from {format_instant(since)} on, expected at least one"
        )
    return _judged(rows, counts, DISSATISFACTION, champion, candidate)


def judge_customers(events: DataFrame, as_of: int, champion: JudgedModel, candidate: JudgedModel) -> dict[str, Any]:
    """The figures of both models on customers at cutoffs that neither has seen; InputError without any.

    `churned` are those who had left at the last cutoff at which they were asked about.
    """
    since = max(champion.trained_as_of, candidate.trained_as_of)
    asked = closed_cutoffs(orders_of(events), as_of=as_of, warm_up_days=CUSTOMER_WARM_UP_DAYS)
    asked = asked.where(F.col("cutoff") >= since).cache()
    if asked.isEmpty():
        raise InputError(
            f"found no week from {format_instant(since)} on whose 90 days were over by {format_instant(as_of)} and"
            " before the last order, expected at least one"
        )
    last = F.max_by("label", "cutoff").alias("label")
    gone = asked.groupBy("shop_id", "customer_id").agg(last).where("label = 1").count()
    rows = as_training_rows(with_features(asked, events, CHURN.features)).cache()
    counts = {"customers": F.count_distinct("shop_id", "customer_id"), "churned": F.lit(gone)}
    return _judged(rows, counts, CHURN, champion, candidate)


def _judged(
    rows: DataFrame, counts: Mapping[str, Column], task: Task, champion: JudgedModel, candidate: JudgedModel
) -> dict[str, Any]:
    """The figures of both models, and what was counted of the rows."""
    counted = [number.alias(name) for name, number in counts.items()]
    until = F.max(F.unix_millis("occurred_at")).alias("until")
    found = rows.agg(F.count("*").alias("rows"), *counted, until).collect()[0].asDict()
    figures = measure_both(score_by_both(rows, champion, candidate, task))
    models = {CHAMPION: champion, CANDIDATE: candidate}
    return {
        "task": task.name,
        "since": format_instant(max(model.trained_as_of for model in models.values())),
        "until": format_instant(found.pop("until")),
        **found,
        **{
            name: {
                "version": model.version,
                "trained_as_of": format_instant(model.trained_as_of),
                **figures[name],
            }
            for name, model in models.items()
        },
    }


def main(arguments: Sequence[str]) -> None:
    """Entry point: read both models and the log, score, write the figures."""
    options = read_options(arguments)
    spark = session_for(options, "judge_candidate")
    note_step(JUDGE)
    if options.task == CHURN.name:
        found = judge_customers(read_events(spark, as_of=options.as_of), options.as_of, *read_models(options))
        judged = f"{found['customers']} customers"
    else:
        found = judge(entries_by(read_log(spark).cache(), options.as_of), *read_models(options))
        judged = f"{found['rounds']} rounds"
    losses = (f"{name} {figure_text(found[name]['log_loss'])}" for name in (CANDIDATE, CHAMPION))
    print_summary(
        f"judge_candidate: log loss of {', of '.join(losses)} on {judged} since {found['since']}",
        found,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
