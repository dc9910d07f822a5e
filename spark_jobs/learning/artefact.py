"""The artefact of a training: the numbers from which model_export builds the graph, and rows to verify the graph."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from service_quality.alerts.shipped_rules import decision_threshold
from service_quality.instants import format_instant
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task
from service_quality.tasks.linear_reading import terms_of
from spark_jobs.learning.learnt_ranges import Learnt
from spark_jobs.learning.linear_training import with_probability
from spark_jobs.learning.model_selection import Trained
from spark_jobs.learning.term_scaling import Scaling

MODEL = "model.json"
_SAMPLE_ROWS = 20_000


def write_artefact(folder: Path, trained: Trained, learnt: Learnt, scaling: Scaling, facts: dict[str, object]) -> None:
    """model.json: the numbers that model_export needs to build the graph, and their origin.

    `facts` are those of describe_model and describe_training.
    """
    model = {
        "kind": "logistic_regression",
        "support": {"total": learnt.total, "least": learnt.least},
        "known": learnt.known,
        "ranges": learnt.ranges,
        **asdict(scaling),
        "coefficients": trained.model.coefficients.toArray().tolist(),
        "intercept": float(trained.model.intercept),
        "calibration": asdict(trained.calibration),
        "l2": trained.l2,
        "metrics": {**trained.metrics, "forward_log_loss": trained.forward},
        **facts,
    }
    (folder / MODEL).write_text(json.dumps(model, indent=1), encoding="utf-8")


def describe_model(task: Task) -> dict[str, object]:
    """The artefact's description of a task: its features, their terms, and the threshold of its decisions."""
    return {
        "task": task.name,
        "features": task.features.names,
        "fingerprint": task.features.fingerprint,
        "terms": [asdict(term) for term in terms_of(task)],
        "threshold": decision_threshold() if task.name == DISSATISFACTION.name else task.threshold,
    }


def write_sample(folder: Path, rows: DataFrame, trained: Trained) -> None:
    """sample.parquet: rows spread over the training set, with the probabilities that MLlib gives."""
    spread = F.xxhash64("shop_id", "unit_id", "at")
    sample = with_probability(rows, trained.model, trained.calibration).orderBy(spread).limit(_SAMPLE_ROWS)
    sample.select("features", "probability").toPandas().to_parquet(folder / "sample.parquet")


def describe_training(task: Task, seen: Row, properties: Mapping[str, str], snapshot: int | None) -> dict[str, object]:
    """The artefact's description of its training rows."""
    training = {
        "first": format_instant(seen["first"]),
        "last": format_instant(seen["last"]),
        "rows": seen["rows"],
        f"{task.unit}s": seen["units"],
        "as_of": properties.get("as_of"),
        "events_snapshot": properties.get("events_snapshot"),
        "log_snapshot": properties.get("log_snapshot"),
        "training_snapshot": str(snapshot),
    }
    return {"training": training, "synthetic": properties.get("synthetic") == "true"}
