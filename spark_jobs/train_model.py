"""Train the model: logistic regression by MLlib, its L2 strength chosen forward in time, and a challenger beside it."""

import json
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pyspark.ml.classification import LogisticRegressionModel
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from service_quality.alerts.rule_set import DECISION_THRESHOLD
from service_quality.features.basis import basis_of
from service_quality.features.feature_set import FEATURES
from service_quality.instants import format_instant
from spark_jobs.challenger import train_challenger, write_challenger
from spark_jobs.command_line import job_parser, positive_argument, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.lake import TRAINING_SET, read_table, snapshot_of, table_properties
from spark_jobs.linear_training import (
    COARSE,
    Calibration,
    Scaling,
    fit_calibration,
    fit_linear,
    fit_scaling,
    scaled_rows,
    training_rows,
    with_log_odds,
    with_probability,
)
from spark_jobs.metrics import compute_metrics
from tools.whole_files import whole_folder

_DESCRIPTION = """Trains on the lake's training set and writes an artefact for model_export: model.json, a sample of
rows with the probabilities that MLlib gives, and a challenger.

The L2 strength is chosen forward in time: fitted on what came before a cut, judged by log loss on what came after, for
several cuts. A calibration is fitted on a slice, by a model that has not seen it, and kept only if it beats no
calibration on the slice after it, over several slices."""

MODEL = "model.json"
STRENGTHS = (0.0002, 0.0006, 0.002)
SLICE_CUTS = (0.6, 0.7, 0.8, 0.9)
JUDGED_SHARE = 1 - SLICE_CUTS[-1]
_FEWEST_ROWS = 200
_SAMPLE_ROWS = 20_000


@dataclass(frozen=True)
class Trained:
    """What training found: the model, its calibration, and how it fared on later rows it had not seen."""

    model: LogisticRegressionModel
    calibration: Calibration
    strength: float
    forward: dict[str, float]
    metrics: dict[str, float | None]


def time_cuts(rows: DataFrame, shares: Sequence[float]) -> list[float]:
    """The instants (epoch milliseconds) before which these shares of the rows lie."""
    return rows.approxQuantile("at", list(shares), 0.001)


def between(rows: DataFrame, first: float, last: float) -> DataFrame:
    """Rows that occurred at or after `first` and before `last` (epoch milliseconds)."""
    return rows.where((F.col("at") >= first) & (F.col("at") < last))


class Fits:
    """Models fitted on what came before an instant, each once: to be compared, so not to the last digit."""

    def __init__(self, rows: DataFrame) -> None:
        """Fit on these rows (columns of scaled_rows)."""
        self._rows = rows
        self._known: dict[tuple[float, float], LogisticRegressionModel] = {}

    def before(self, cut: float, strength: float) -> LogisticRegressionModel:
        """The model of this L2 strength on the rows before the cut."""
        if (cut, strength) not in self._known:
            earlier = between(self._rows, -np.inf, cut)
            self._known[cut, strength] = fit_linear(earlier, strength, tolerance=COARSE)
        return self._known[cut, strength]


def choose_strength(
    rows: DataFrame, fits: Fits, cuts: Sequence[float], strengths: Sequence[float]
) -> tuple[float, dict[str, float]]:
    """The strength with the least log loss on what came after every second cut, and the loss of each."""
    folds = list(zip(cuts[::2], [*cuts[2::2], np.inf], strict=True))
    losses = {
        strength: sum(mean_log_loss(between(rows, cut, end), fits.before(cut, strength)) for cut, end in folds)
        / len(folds)
        for strength in strengths
    }
    best = min(strengths, key=lambda strength: losses[strength])
    return best, {str(strength): loss for strength, loss in losses.items()}


def mean_log_loss(rows: DataFrame, model: LogisticRegressionModel) -> float:
    """Weighted cross-entropy of the uncalibrated model."""
    log_odds = F.col("log_odds")
    loss = F.log1p(F.exp(-F.abs(log_odds))) + F.greatest(log_odds, F.lit(0.0)) - F.col("label") * log_odds
    row = with_log_odds(rows, model).agg((F.sum(loss * F.col("weight")) / F.sum("weight")).alias("loss")).first()
    assert row is not None
    return float(row["loss"])


def train(rows: DataFrame, strengths: Sequence[float]) -> Trained:
    """Choose the strength, calibrate if that helps, then fit on all rows (columns of scaled_rows).

    Whether a calibration helps is tried out on several slices just as it would be shipped: fitted on one slice by a
    model that has not seen it, put on a model that has, and judged on the slice after it.
    """
    cuts, fits = [*time_cuts(rows, SLICE_CUTS), np.inf], Fits(rows)
    strength, forward = choose_strength(rows, fits, cuts[:-1], strengths)
    models = [fits.before(cut, strength) for cut in cuts[:-1]]
    plain, calibrated = [], []
    for number, model in enumerate(models[:-1]):
        fitted = fit_calibration(between(rows, cuts[number], cuts[number + 1]), model)
        later = between(rows, cuts[number + 1], cuts[number + 2])
        plain.append(measure(later, models[number + 1], Calibration()))
        calibrated.append(measure(later, models[number + 1], fitted))
    helps = mean_of(calibrated, "log_loss") < mean_of(plain, "log_loss")
    return Trained(
        model=fit_linear(rows, strength),
        calibration=fit_calibration(between(rows, cuts[-2], np.inf), models[-1]) if helps else Calibration(),
        strength=strength,
        forward={**forward, "plain": mean_of(plain, "log_loss"), "calibrated": mean_of(calibrated, "log_loss")},
        metrics=(calibrated if helps else plain)[-1],
    )


def mean_of(measured: Sequence[dict[str, float | None]], name: str) -> float:
    """The mean of one metric over several slices."""
    return sum(one[name] or 0.0 for one in measured) / len(measured)


def measure(rows: DataFrame, model: LogisticRegressionModel, calibration: Calibration) -> dict[str, float | None]:
    """Metrics of the calibrated model on rows that it has not seen."""
    judged = with_probability(rows, model, calibration).select("label", "probability", "weight").toPandas()
    return dict(compute_metrics(*(judged[name].to_numpy() for name in ("label", "probability", "weight"))))


def write_artefact(folder: Path, trained: Trained, scaling: Scaling, facts: dict[str, object]) -> None:
    """model.json: everything that model_export needs to build the graph, and where it comes from."""
    model = {
        "kind": "logistic_regression",
        "features": FEATURES.names,
        "fingerprint": FEATURES.fingerprint,
        "terms": [asdict(term) for term in basis_of(FEATURES)],
        **asdict(scaling),
        "coefficients": trained.model.coefficients.toArray().tolist(),
        "intercept": float(trained.model.intercept),
        "calibration": asdict(trained.calibration),
        "threshold": DECISION_THRESHOLD,
        "regularization": trained.strength,
        "metrics": {**trained.metrics, "forward_log_loss": trained.forward},
        **facts,
    }
    (folder / MODEL).write_text(json.dumps(model, indent=1), encoding="utf-8")


def write_sample(folder: Path, rows: DataFrame, trained: Trained) -> None:
    """sample.parquet: rows spread over the training set, with the probabilities that MLlib gives."""
    spread = F.xxhash64("shop_id", "conversation_id", "at")
    sample = with_probability(rows, trained.model, trained.calibration).orderBy(spread).limit(_SAMPLE_ROWS)
    sample.select("features", "probability").toPandas().to_parquet(folder / "sample.parquet")


def read_options(arguments: Sequence[str]) -> Namespace:
    """What the command line says."""
    parser = job_parser("train_model", _DESCRIPTION)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the artefact goes")
    seed_help = "of the challenger (%(default)s)"
    parser.add_argument("--seed", type=positive_argument, default=1, metavar="N", help=seed_help)
    strengths_help = "strengths to choose from (%(default)s)"
    parser.add_argument("--strengths", type=float, nargs="+", default=STRENGTHS, metavar="L2", help=strengths_help)
    return parser.parse_args(arguments)


def require_features_in_service(properties: Mapping[str, str]) -> None:
    """InputError for a training set of other features than those in service."""
    if properties.get("fingerprint") != FEATURES.fingerprint:
        raise InputError(
            f"found a training set of features {properties.get('fingerprint')}, expected {FEATURES.fingerprint}:"
            " run build_training_set again"
        )


def describe_rows(given: DataFrame) -> Row:
    """Rows, conversations, labels, first and last instant; InputError for too few to train on."""
    seen = given.agg(
        F.count("*").alias("rows"),
        F.count_distinct("shop_id", "conversation_id").alias("conversations"),
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


def describe_training(seen: Row, properties: Mapping[str, str], snapshot: int | None) -> dict[str, object]:
    """What the artefact says of the rows that it was trained on."""
    training = {
        "first": format_instant(seen["first"]),
        "last": format_instant(seen["last"]),
        "rows": seen["rows"],
        "conversations": seen["conversations"],
        "as_of": properties.get("as_of"),
        "events_snapshot": properties.get("events_snapshot"),
        "training_snapshot": str(snapshot),
    }
    return {"training": training, "synthetic": properties.get("synthetic") == "true"}


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the training set, train both, write the artefact."""
    options = read_options(arguments)
    spark = session_for(options, "train_model")
    training_set = read_table(spark, TRAINING_SET, made_by="build_training_set")
    properties = table_properties(spark, TRAINING_SET)
    require_features_in_service(properties)
    given = training_rows(training_set).coalesce(2).cache()
    scaling = fit_scaling(given, FEATURES, basis_of(FEATURES))
    rows = scaled_rows(given, FEATURES, basis_of(FEATURES), scaling).cache()
    seen = describe_rows(given)
    (judged_from,) = time_cuts(rows, SLICE_CUTS[-1:])
    trained = train(rows, options.strengths)
    in_time = given.orderBy("at", "shop_id", "conversation_id").select("at", "features", "label", "weight").toPandas()
    challenger, measured = train_challenger(in_time, judged_from=judged_from, seed=options.seed)
    with whole_folder(options.output, told_by=MODEL) as folder:
        write_artefact(folder, trained, scaling, describe_training(seen, properties, snapshot_of(spark, TRAINING_SET)))
        write_sample(folder, rows, trained)
        write_challenger(folder, challenger, measured)
    summary = {"rows": seen["rows"], "strength": trained.strength, "metrics": trained.metrics, "challenger": measured}
    print_summary(
        f"train_model: {seen['rows']} rows, L2 {trained.strength}; on the latest {JUDGED_SHARE:.0%}"
        f" AUC {trained.metrics['auc']:.4f}, log loss {trained.metrics['log_loss']:.4f},"
        f" ECE {trained.metrics['ece']:.4f}; challenger AUC {measured['auc']:.4f} -> {options.output}",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
