"""Score the customers who may leave, as of an instant, and report those of whom somebody should know."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

import boto3
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from cli.atomic_write import atomic_file
from service_quality.adapters.model_registry import ModelRegistry
from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.events.control_records import control_to_dict
from service_quality.events.finding_reported import FindingReported
from service_quality.instants import format_instant
from service_quality.tasks.declared_tasks import CHURN
from spark_jobs.backfill.writing import put_many_control_records, read_control_key
from spark_jobs.cards.running import note_file, note_step
from spark_jobs.cards.steps import COMPUTE, READ, WRITE
from spark_jobs.command_line import (
    AS_OF_HELP,
    instant_argument,
    job_parser,
    positive_argument,
    print_summary,
    run_job,
    session_for,
)
from spark_jobs.entry.policy_files import add_policies, read_policies_of
from spark_jobs.errors import InputError, MissingSourceError
from spark_jobs.lake.tables import open_customer_scores, read_events, replace_customer_scores
from spark_jobs.learning.customer_rows import one_cutoff, orders_of, population, with_features
from spark_jobs.learning.customer_scores import (
    MOST_FINDINGS,
    TaskModel,
    called_before,
    finding_of,
    model_of_file,
    score_customers,
    with_reported,
)
from spark_jobs.logs.policies import PoliciesByShop, given_policies

_DESCRIPTION = f"""Scores every customer with an order in the 90 days before an instant, by the champion of churn or by
an exported model: by the features of the lake's events before that instant, as build_training_set --task churn reads
them. The scores replace those of the same instant in the lake's table of customer scores.

A finding is reported of each customer whose score is at least {CHURN.threshold:g}, and of each of whom the run before
reported that and whose score is below it now; of more than --most of a shop, those of the highest scores. They go into
a file (--findings), onto the shops' logs (--event-stream), both or nowhere. A run that is repeated reports the
same findings, which the logs know by their ids."""


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("score_customers", _DESCRIPTION)
    parser.add_argument("--as-of", type=instant_argument, required=True, metavar="DAY", help=AS_OF_HELP)
    parser.add_argument("--model", type=Path, metavar="FILE", help="an exported model.onnx, instead of the champion")
    parser.add_argument("--bucket", metavar="NAME", help="bucket of the models")
    parser.add_argument("--table", metavar="NAME", help="table of the registry")
    most_help = "report at most so many findings of a shop (%(default)s)"
    parser.add_argument("--most", type=positive_argument, default=MOST_FINDINGS, metavar="N", help=most_help)
    parser.add_argument("--findings", type=Path, metavar="FILE", help="write the findings, one in JSON a line")
    parser.add_argument("--event-stream", metavar="NAME", help="put the findings on the shops' logs")
    key_help = "name or ARN of the secret that signs them"
    parser.add_argument("--control-key-secret", metavar="ID", help=key_help)
    add_policies(parser, "a policy that judges a shop's events from its valid_from on")
    options = parser.parse_args(arguments)
    registry = [name for name in ("bucket", "table") if getattr(options, name)]
    if (options.model is None) != (len(registry) == 2) or (options.model and registry):
        found = " and ".join(f"--{name}" for name in (*(["model"] if options.model else []), *registry)) or "none"
        parser.error(f"found {found} of --model, --bucket and --table, expected --model, or --bucket and --table")
    if (options.event_stream is None) != (options.control_key_secret is None):
        parser.error("found one of --event-stream and --control-key-secret, expected both or neither")
    return options


def read_model(options: Namespace) -> TaskModel:
    """The model of the command line; errors of the registry, or InputError for a file that is no model of churn."""
    if options.model is not None:
        if not options.model.is_file():
            raise MissingSourceError(f"found no file {options.model}, expected an exported model.onnx")
        note_file(str(options.model))
        return model_of_file(CHURN, options.model.read_bytes())
    s3, dynamodb = boto3.client("s3"), boto3.client("dynamodb")
    registry = ModelRegistry(dynamodb, s3, options.table, options.bucket, OnnxScorer, lambda *_: None, task=CHURN)
    version = registry.read_pointer().version
    data = registry.read_file(version)
    OnnxScorer(data, version, CHURN)  # refused here and not in an executor
    return TaskModel(CHURN, version, data)


def sweep(events: DataFrame, model: TaskModel, as_of: int, policies: PoliciesByShop) -> DataFrame:
    """The scored customers of the lake's events as of an instant."""
    asked = population(orders_of(events), one_cutoff(as_of)).drop("orders")
    return score_customers(with_features(asked, events, model.task.features, policies), model)


def write_findings(findings: Iterable[FindingReported], path: Path) -> None:
    """The findings as their records are, but for a signature: one a line, the file whole or not at all."""
    lines = (json.dumps(control_to_dict(one), ensure_ascii=False) for one in findings)
    with atomic_file(path) as unfinished:
        unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    """Entry point: read events and model, score, write the scores, report."""
    options = read_options(arguments)
    documents = read_policies_of(options.policy)
    spark = session_for(options, "score_customers")
    note_step(READ)
    as_of = format_instant(options.as_of)
    events = read_events(spark, as_of=options.as_of)
    model = read_model(options)
    note_step(COMPUTE)
    scored = sweep(events, model, options.as_of, given_policies(documents))
    # without the table that is written below: a write would make Spark compute it again
    scored = scored.persist(StorageLevel.DISK_ONLY)
    called = called_before(open_customer_scores(spark), options.as_of, model.task.threshold)
    swept = with_reported(scored, called, model.task.threshold, most=options.most)
    below = F.col("score") < model.task.threshold
    counted = swept.agg(
        F.count(F.lit(1)).alias("customers"),
        F.count_distinct("shop_id").alias("shops"),
        F.count_if("reported").alias("findings"),
        F.count_if(F.col("reported") & below).alias("no_longer"),
        F.count_if(F.col("due") & ~F.col("reported")).alias("left_out"),
    ).collect()[0]
    if not counted["customers"]:
        raise InputError(f"found no customer with an order in the 90 days before {as_of}, expected at least one")
    reported = swept.where("reported").orderBy("shop_id", F.col("score").desc(), "customer_id").collect()
    findings = [finding_of(row, model, options.as_of) for row in reported]
    note_step(WRITE)
    replace_customer_scores(swept.withColumn("model_version", F.lit(model.version)), as_of=options.as_of)
    if options.findings is not None:
        write_findings(findings, options.findings)
    if options.event_stream is not None:
        put_many_control_records(options.event_stream, findings, read_control_key(options.control_key_secret))
    scored.unpersist()
    print_summary(
        f"score_customers: {counted['customers']} customers of {counted['shops']} shops as of {as_of} by"
        f" {model.version}; {counted['findings']} findings, {counted['no_longer']} of them that a risk is over,"
        f" {counted['left_out']} left out",
        {"as_of": as_of, "model_version": model.version, **counted.asDict()},
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
