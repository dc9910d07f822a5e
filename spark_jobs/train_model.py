"""Fit a logistic regression by MLlib, its L2 penalty chosen forward in time, and a challenger beside it."""

import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from cli.atomic_write import atomic_folder
from service_quality.tasks.declared_tasks import DISSATISFACTION, TASKS, Task
from service_quality.tasks.linear_reading import terms_of
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import READ, TRAIN, WRITE
from spark_jobs.command_line import job_parser, positive_argument, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import read_table, table_properties, training_set_of
from spark_jobs.learning.artefact import MODEL, describe_model, describe_training, write_artefact, write_sample
from spark_jobs.learning.challenger import latest_rows, train_challenger, write_challenger
from spark_jobs.learning.learnt_ranges import Learnt, learn_ranges
from spark_jobs.learning.linear_training import on_every_core, scaled_rows, training_rows
from spark_jobs.learning.metrics import figure_text
from spark_jobs.learning.model_selection import L2_CHOICES, SLICE_CUTS, Trained, time_cuts, train
from spark_jobs.learning.term_scaling import Scaling, coefficient_bounds, fit_scaling

_DESCRIPTION = """Trains on the training set of a task and writes an artefact for model_export: model.json, a sample of
rows with the probabilities that MLlib gives, and a challenger.

The L2 penalty is chosen forward in time: fitted on what came before a cut, judged by log loss on what came after, for
several cuts. What closes its label only after a time, as 90 days without an order do, is fitted only where that time
had passed by the cut. A calibration is fitted on a slice, by a model that has not seen it, and used only if it beats no
calibration on the slice after it, over several slices.

Values are held within the range that enough conversations show, a term with less than the least support is left out,
and no coefficient of dissatisfaction may contradict a declared direction (service_quality/features/expectations.py)."""

JUDGED_SHARE = 1 - SLICE_CUTS[-1]
_FEWEST_ROWS = 200


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("train_model", _DESCRIPTION)
    parser.add_argument("--task", choices=TASKS, default=DISSATISFACTION.name, help="what is learnt (%(default)s)")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the artefact goes")
    seed_help = "of the challenger (%(default)s)"
    parser.add_argument("--seed", type=positive_argument, default=1, metavar="N", help=seed_help)
    l2_help = "L2 penalties to choose from (%(default)s)"
    parser.add_argument("--l2", type=float, nargs="+", default=L2_CHOICES, metavar="L2", help=l2_help)
    return parser.parse_args(arguments)


def require_features_in_service(properties: Mapping[str, str], task: Task) -> None:
    """InputError for a training set of other features than the task's in service."""
    if properties.get("fingerprint") != task.features.fingerprint:
        raise InputError(
            f"found a training set of features {properties.get('fingerprint')}, expected {task.features.fingerprint}:"
            " run build_training_set again"
        )


def describe_rows(given: DataFrame) -> Row:
    """Rows, units, labels, first and last instant; InputError for too few to train on."""
    seen = given.agg(
        F.count("*").alias("rows"),
        F.count_distinct("shop_id", "unit_id").alias("units"),
        F.min("at").alias("first"),
        F.max("at").alias("last"),
        F.count_distinct("label").alias("labels"),
    ).collect()[0]
    if seen["rows"] < _FEWEST_ROWS or seen["labels"] != 2:
        raise InputError(
            f"found {seen['rows']} rows with {seen['labels']} different labels,"
            f" expected at least {_FEWEST_ROWS} with both"
        )
    return seen


def never_seen(task: Task, learnt: Learnt) -> list[str]:
    """The features that the training set holds too rarely, or in one value only, in vector order."""
    ends = zip(task.features.names, learnt.ranges, strict=True)
    return [name for name, found in ends if found is None or found[0] == found[1]]


def summarise(
    task: Task, rows: int, trained: Trained, learnt: Learnt, scaling: Scaling
) -> tuple[str, dict[str, object]]:
    """The result of the champion's training, as text and as a part of the summary."""
    unseen = never_seen(task, learnt)
    terms = zip(terms_of(task), scaling.scales, strict=True)
    left_out = [f"{term.feature} {term.operation}" for term, scale in terms if not scale]
    summary: dict[str, object] = {
        "task": task.name,
        "rows": rows,
        "l2": trained.l2,
        "metrics": trained.metrics,
        "never_seen": unseen,
        "terms_left_out": left_out,
    }
    return (
        f"{rows} rows, L2 {trained.l2}; {len(unseen)} features never seen,"
        f" {len(left_out)} of {len(scaling.scales)} terms left out; on the latest {JUDGED_SHARE:.0%}"
        f" AUC {figure_text(trained.metrics['auc'])}, log loss {figure_text(trained.metrics['log_loss'])},"
        f" ECE {figure_text(trained.metrics['ece'])}",
        summary,
    )


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the training set, train both, write the artefact."""
    options = read_options(arguments)
    task = TASKS[options.task]
    table, features = training_set_of(task), task.features
    spark = session_for(options, "train_model")
    note_step(READ)
    training_set = read_table(spark, table, made_by="build_training_set")
    properties = table_properties(spark, table)
    require_features_in_service(properties, task)
    given = on_every_core(training_rows(training_set, task)).cache()
    seen, terms = describe_rows(given), terms_of(task)
    learnt = learn_ranges(given, features)
    scaling = fit_scaling(given, features, terms, learnt)
    rows = scaled_rows(given, features, terms, learnt.ranges, scaling).cache()
    note_step(TRAIN)
    (judged_from,) = time_cuts(rows, SLICE_CUTS[-1:])
    trained = train(rows, options.l2, coefficient_bounds(task, terms, scaling), task.horizon)
    latest = latest_rows(given, seen["rows"]).orderBy("at", "shop_id", "unit_id")
    in_time = latest.select("at", "features", "label", "weight").toPandas()
    challenger, measured = train_challenger(in_time, judged_from=judged_from, seed=options.seed, horizon=task.horizon)
    note_step(WRITE)
    with atomic_folder(options.output, marker=MODEL) as folder:
        of_rows = describe_training(task, seen, properties, snapshot_of(spark, table))
        write_artefact(folder, trained, learnt, scaling, {**describe_model(task), **of_rows})
        write_sample(folder, rows, trained)
        write_challenger(folder, challenger, measured)
    says, summary = summarise(task, seen["rows"], trained, learnt, scaling)
    print_summary(
        f"train_model: {says}; challenger AUC {figure_text(measured['auc'])} -> {options.output}",
        {**summary, "challenger": measured},
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
