"""Customers scored at one instant, and those of whom it is reported: who may leave, and who no longer may."""

from collections.abc import Iterable, Iterator
from math import isnan
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.errors import ModelError
from service_quality.events.finding_reported import FindingReported
from service_quality.features.vectors import to_vector
from service_quality.instants import DAY, parse_instant
from service_quality.scoring.model_version import model_version
from service_quality.scoring.reasons import MOST_REASONS
from service_quality.tasks.declared_tasks import Task
from spark_jobs.errors import InputError
from spark_jobs.learning.judged_models import training_of

#: A finding holds until the sweeps of a week have not renewed it.
FINDING_HOLDS = 8 * DAY
#: Findings of one shop and run, unless a run says another number.
MOST_FINDINGS = 1_000

_REASONS_DDL = "reasons array<struct<feature: string, contribution: double>>"
_SCORED_DDL = f"shop_id string, customer_id string, features array<float>, score double, {_REASONS_DDL}"


class TaskModel(NamedTuple):
    """A model of a task: its version and its file."""

    task: Task
    version: str
    data: bytes


def model_of_file(task: Task, data: bytes) -> TaskModel:
    """The model of an exported file, by the version that its export gave it; InputError for another file."""
    try:
        OnnxScorer(data, "of the file", task)
        last = parse_instant(str(training_of(data).get("last")))
    except ModelError as error:
        raise InputError(str(error)) from error
    except ValueError as error:
        raise InputError(f"found no instant of the last row that it was trained on ({error}), expected one") from error
    return TaskModel(task, model_version(last, data), data)


def score_customers(featured: DataFrame, model: TaskModel) -> DataFrame:
    """Customers with `features` (float32, in the task's order) as rows of _SCORED_DDL: score, strongest reasons."""
    names = model.task.features.names

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorer = OnnxScorer(model.data, model.version, model.task)
        for batch in batches:
            scores = [scorer.score(to_vector(vector)) for vector in batch.column("features").to_pylist()]
            reasons = [
                [{"feature": name, "contribution": moved} for name, moved in one.reasons(names, most=MOST_REASONS)]
                for one in scores
            ]
            kind = pa.list_(pa.struct([("feature", pa.string()), ("contribution", pa.float64())]))
            added = [pa.array([one.probability for one in scores], pa.float64()), pa.array(reasons, kind)]
            yield pa.RecordBatch.from_arrays([*batch.columns, *added], names=[*batch.schema.names, "score", "reasons"])

    return featured.select("shop_id", "customer_id", "features").mapInArrow(score, _SCORED_DDL)


def called_before(scores: DataFrame, as_of: int, threshold: float) -> DataFrame:
    """Of whom each shop's last run before an instant reported a score from the threshold on: shop_id, customer_id.

    `scores` are those of all runs (tables.CUSTOMER_SCORES_SCHEMA).
    """
    earlier = scores.where(F.unix_millis("as_of") < as_of)
    last = earlier.groupBy("shop_id").agg(F.max("as_of").alias("as_of"))
    of_last = earlier.join(F.broadcast(last), ["shop_id", "as_of"])
    return of_last.where(F.col("reported") & (F.col("score") >= threshold)).select("shop_id", "customer_id")


def with_reported(scored: DataFrame, called: DataFrame, threshold: float, *, most: int = MOST_FINDINGS) -> DataFrame:
    """Scored customers with `due`, whether there is something to report, and `reported`, whether it is.

    Due is a score from the threshold on, and the first below it of a customer who was `called` before. Of more than
    `most` of a shop those of the highest scores are reported.
    """
    known = scored.join(called.withColumn("called", F.lit(True)), ["shop_id", "customer_id"], "left")
    due = (F.col("score") >= threshold) | F.col("called").isNotNull()
    highest = Window.partitionBy("shop_id", "due").orderBy(F.col("score").desc(), "customer_id")
    ranked = known.withColumn("due", due).withColumn("rank", F.row_number().over(highest))
    return ranked.withColumn("reported", F.col("due") & (F.col("rank") <= most)).drop("called", "rank")


def finding_of(row: Row, model: TaskModel, as_of: int) -> FindingReported:
    """The finding about a scored customer, as the run of an instant reports it."""
    task = model.task
    values = {name: _known(value) for name, value in zip(task.features.names, row["features"], strict=True)}
    return FindingReported(
        shop_id=row["shop_id"],
        finding=task.name,
        subject_kind=task.unit,
        subject_id=row["customer_id"],
        as_of=as_of,
        valid_until=as_of + FINDING_HOLDS,
        values={task.score: row["score"], **values},
        score=row["score"],
        model_version=model.version,
        reasons=tuple((one["feature"], values[one["feature"]], one["contribution"]) for one in row["reasons"]),
    )


def _known(value: float) -> float | None:
    return None if isnan(value) else value
