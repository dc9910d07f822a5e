"""Two models on the same rows: what the functions' own scorer gives by each, and what they had seen when trained."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import onnxruntime
import pyarrow as pa
from pyspark.sql import DataFrame

from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.features.vectors import to_vector
from service_quality.instants import parse_instant
from service_quality.tasks.declared_tasks import Task
from spark_jobs.errors import InputError
from spark_jobs.learning.metrics import Floats, compute_metrics

CHAMPION, CANDIDATE = "champion", "candidate"
_SCORED_DDL = "label double, weight double, champion double, candidate double"


@dataclass(frozen=True)
class JudgedModel:
    """A model's version and file, and the instant (epoch milliseconds) before which it has seen what was received."""

    version: str
    data: bytes
    trained_as_of: int


def training_of(data: bytes) -> Mapping[str, object]:
    """What a model's own metadata says of its training; empty where it says nothing."""
    metadata = onnxruntime.InferenceSession(data).get_modelmeta().custom_metadata_map
    said: Mapping[str, object] = json.loads(metadata.get("training", "{}"))
    return said


def read_model(version: str, data: bytes) -> JudgedModel:
    """A model with the end of its training from its own metadata; InputError where it does not say it."""
    as_of = training_of(data).get("as_of")
    try:
        return JudgedModel(version, data, parse_instant(str(as_of)))
    except ValueError:
        raise InputError(
            f"model {version}: found {as_of} as the end of its training, expected an instant in its metadata"
        ) from None


def score_by_both(rows: DataFrame, champion: JudgedModel, candidate: JudgedModel, task: Task) -> DataFrame:
    """Label, weight and the probabilities of both models of a task for rows with its `features` (_SCORED_DDL)."""

    def score(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scorers = [OnnxScorer(model.data, model.version, task) for model in (champion, candidate)]
        for batch in batches:
            vectors = [to_vector(row) for row in batch.column("features").to_pylist()]
            scores = [pa.array([scorer.score(one).probability for one in vectors], pa.float64()) for scorer in scorers]
            columns = [batch.column(name).cast(pa.float64()) for name in ("label", "weight")]
            yield pa.RecordBatch.from_arrays([*columns, *scores], names=["label", "weight", CHAMPION, CANDIDATE])

    return rows.select("label", "weight", "features").mapInArrow(score, _SCORED_DDL)


def measure_both(scored: DataFrame) -> dict[str, Mapping[str, float | None]]:
    """The metrics of each model over scored rows."""
    found = scored.toPandas()
    label, weight = (found[name].to_numpy(dtype=np.float64) for name in ("label", "weight"))
    return {name: _metrics(label, found[name].to_numpy(dtype=np.float64), weight) for name in (CHAMPION, CANDIDATE)}


def _metrics(label: Floats, probability: Floats, weight: Floats) -> Mapping[str, float | None]:
    return {name: value for name, value in compute_metrics(label, probability, weight).items() if name != "rows"}
