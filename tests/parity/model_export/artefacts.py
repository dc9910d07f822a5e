"""Artefacts as training writes them, made up; and the obviously right, slow reading of a linear model."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from math import exp, isnan, log
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from service_quality.features.basis import HIGHEST_RATE, LOWEST_RATE, OPERATIONS, Term
from service_quality.features.feature_set import FEATURES
from service_quality.tasks.declared_tasks import DISSATISFACTION, TASKS, Task
from service_quality.tasks.linear_reading import expectation_for, terms_of
from spark_jobs.learning.basis_columns import basis_columns

LAST = "2026-03-31T21:59:00.250Z"


@dataclass(frozen=True)
class MadeUp:
    """A folder with an artefact, and what was written into it."""

    folder: Path
    document: dict
    vectors: NDArray[np.float32]


def write_artefact(
    folder: Path, *, seed: int = 1, rows: int = 240, terms: tuple[Term, ...] | None = None, task: Task = DISSATISFACTION
) -> MadeUp:
    """A task's model with random weights, its sample scored by `oracle_probability`, and a small challenger."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    vectors = made_up_vectors(random, rows, task)
    document = made_up_model(random, terms or terms_of(task), vectors, task)
    probabilities = [oracle_probability(document, row) for row in vectors.tolist()]
    (folder / "model.json").write_text(json.dumps(document), "utf-8")
    write_sample(folder, vectors, probabilities)
    joblib.dump(made_up_challenger(task.name), folder / "challenger.joblib")
    metrics = {"kind": "hist_gradient_boosting", "metrics": {"auc": 0.704, "log_loss": 0.393}}
    (folder / "challenger.json").write_text(json.dumps(metrics), "utf-8")
    return MadeUp(folder, document, vectors)


def write_sample(folder: Path, vectors: NDArray[np.float32], probabilities: list[float]) -> None:
    columns = {
        "features": pa.array(list(vectors), type=pa.list_(pa.float32())),
        "probability": pa.array(probabilities, type=pa.float64()),
    }
    pq.write_table(pa.table(columns), folder / "sample.parquet")


def rewrite_model(folder: Path, **changes: object) -> None:
    """Change fields of model.json."""
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


def made_up_model(
    random: np.random.Generator, terms: tuple[Term, ...], vectors: NDArray[np.float32], task: Task
) -> dict:
    """A model that keeps to the declared directions and steps, learnt on the middle nine tenths of the vectors."""
    ranges = [[float(end) for end in np.nanquantile(column, [0.05, 0.95])] for column in vectors.T]
    features = task.features
    basis = basis_columns(vectors, features.names, terms, [(low, high) for low, high in ranges])
    means, scales = np.nanmean(basis, axis=0), np.maximum(np.nanstd(basis, axis=0), 0.05)
    directions = {feature.name: expectation_for(task, feature).direction for feature in features.features}
    free = [term.operation == "missing" or directions[term.feature] == 0 for term in terms]
    drawn = np.clip(random.normal(0, 0.15, len(terms)), -0.7 * scales, 0.7 * scales)
    coefficients = np.where(free, drawn, np.abs(drawn))
    scales[-1] = coefficients[-1] = 0  # a term that never varied
    named = {} if task is DISSATISFACTION else {"task": task.name}  # as artefacts were before there were several
    return {
        **named,
        "kind": "logistic_regression",
        "features": list(features.names),
        "fingerprint": features.fingerprint,
        "terms": [asdict(term) for term in terms],
        "support": {"total": 1700.0, "least": 30.0},
        "known": [1360.0] * len(features.names),
        "ranges": ranges,
        "active": [600.0] * (len(terms) - 1) + [12.0],
        "inactive": [900.0] * len(terms),
        "means": means.tolist(),
        "scales": scales.tolist(),
        "coefficients": coefficients.tolist(),
        "intercept": -0.7,
        "calibration": {"slope": 0.93, "offset": -0.04},
        "threshold": 0.45,
        "l2": 0.01,
        "training": {
            "first": "2026-01-01T00:00:00.000Z",
            "last": LAST,
            "rows": 5000,
            f"{task.unit}s": 1700,
            "as_of": None,
            "events_snapshot": "11",
            "training_snapshot": "12",
        },
        "metrics": {"auc": 0.709, "log_loss": 0.391, "average_precision": None, "forward_log_loss": {"0.01": 0.391}},
        "synthetic": True,
    }


def made_up_vectors(random: np.random.Generator, rows: int, task: Task = DISSATISFACTION) -> NDArray[np.float32]:
    """Rates, small counts, hours, durations and amounts, a negative one here and there; a fifth is missing."""
    operations = {term.feature: term.operation for term in reversed(terms_of(task))}
    makers = {
        "ramp": lambda: random.integers(0, 24, rows),
        "logit": lambda: random.random(rows),
        "log": lambda: np.exp(random.uniform(-1, 20, rows)) - 1,
        "log_ramp": lambda: np.exp(random.uniform(-1, 20, rows)) - 1,
        "value": lambda: random.integers(-1, 9, rows),
        "equals": lambda: random.integers(0, 7, rows),
    }
    vectors = np.column_stack([makers[operations.get(name, "log")]() for name in task.features.names]).astype(
        np.float32
    )
    vectors[random.random(vectors.shape) < 0.2] = np.nan
    return vectors


@cache
def made_up_challenger(task: str = DISSATISFACTION.name) -> HistGradientBoostingClassifier:
    """Fitted to labels that follow the first feature of any artefact; one thread, since others work here too."""
    random = np.random.default_rng(0)
    vectors = made_up_vectors(random, 400, TASKS[task])
    risk = np.log1p(np.maximum(np.nan_to_num(vectors[:, 0]), 0))
    labels = (risk + random.normal(0, risk.std(), 400) > np.median(risk)).astype(float)
    with threadpool_limits(1):
        return HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=5, random_state=0).fit(vectors, labels)


def made_up_terms(random: np.random.Generator, count: int) -> tuple[Term, ...]:
    """Any operation on any feature with any knot, in any order, twice too."""
    knots = random.choice([-1, 0, 0.5, 3, 9], count)
    return tuple(
        Term(str(random.choice(FEATURES.names)), str(random.choice(OPERATIONS)), float(knot), float(knot) + 2)
        for knot in knots
    )


def oracle_probability(document: Mapping, vector: list[float]) -> float:
    log_odds = oracle_log_odds(document, vector)
    smaller = exp(-abs(log_odds))
    return (1 if log_odds > 0 else smaller) / (1 + smaller)


def oracle_log_odds(document: Mapping, vector: list[float]) -> float:
    """Slow and obvious: one term after the other, in plain floats."""
    value_of = dict(zip(document["features"], vector, strict=True))
    range_of = dict(zip(document["features"], document["ranges"], strict=True))
    total = document["intercept"]
    for described, mean, scale, coefficient in zip(
        document["terms"], document["means"], document["scales"], document["coefficients"], strict=True
    ):
        term = Term(**described)
        if coefficient:
            column = oracle_term(term, value_of[term.feature], range_of[term.feature], fill=mean)
            total += coefficient * (column - mean) / scale
    return document["calibration"]["slope"] * total + document["calibration"]["offset"]


def oracle_term(term: Term, x: float, learnt: list[float] | None, *, fill: float) -> float:
    if term.operation == "missing":
        return float(isnan(x))
    if isnan(x):
        return fill
    low, high = learnt or (0.0, 0.0)
    x = min(max(x, low), high)
    p = min(max(x, LOWEST_RATE), HIGHEST_RATE)
    return {
        "value": x,
        "log": log(1 + max(x, 0.0)),
        "log_ramp": min(max(log(1 + max(x, 0.0)), term.knot), term.upper) - term.knot,
        "ramp": min(max(x, term.knot), term.upper) - term.knot,
        "logit": log(p / (1 - p)),
        "equals": float(x == term.knot),
    }[term.operation]
