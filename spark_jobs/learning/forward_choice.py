"""Choose the L2 strength forward in time, calibrate where that helps, and fit on all rows: the champion's training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.ml.classification import LogisticRegressionModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.instants import format_instant
from spark_jobs.errors import InputError
from spark_jobs.learning.linear_training import (
    COARSE,
    Calibration,
    fit_calibration,
    fit_linear,
    with_log_odds,
    with_probability,
)
from spark_jobs.learning.metrics import compute_metrics
from spark_jobs.learning.term_scaling import Bounds

STRENGTHS = (0.0002, 0.0006, 0.002)
SLICE_CUTS = (0.6, 0.7, 0.8, 0.9)


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


def require_both_labels(rows: DataFrame, cuts: Sequence[float]) -> None:
    """InputError unless both labels lie before the first cut, to be fitted on, and from the last, to be judged on."""
    first, last = cuts[0], cuts[-1]
    sides = ((F.col("at") < first, f"before {_instant(first)}"), (F.col("at") >= last, f"from {_instant(last)} on"))
    counts = [F.count_if(side & (F.col("label") == label)) for side, _ in sides for label in (0, 1)]
    found = list(rows.agg(*counts).collect()[0])
    for (_, where), of_0, of_1 in zip(sides, found[::2], found[1::2], strict=True):
        if not (of_0 and of_1):
            raise InputError(
                f"found {of_0} rows of label 0 and {of_1} of label 1 {where}, expected both there: models are fitted"
                f" on what lies before {_instant(first)} and judged on what lies from {_instant(last)} on"
            )


def _instant(at: float) -> str:
    return format_instant(int(at))


class Fits:
    """Models fitted on what came before an instant, each once: to be compared, so not to the last digit."""

    def __init__(self, rows: DataFrame, bounds: Bounds) -> None:
        """Fit on these rows (columns of scaled_rows), within these bounds."""
        self._rows = rows
        self._bounds = bounds
        self._known: dict[tuple[float, float], LogisticRegressionModel] = {}

    def before(self, cut: float, strength: float) -> LogisticRegressionModel:
        """The model of this L2 strength on the rows before the cut."""
        if (cut, strength) not in self._known:
            earlier = between(self._rows, -np.inf, cut)
            self._known[cut, strength] = fit_linear(earlier, strength, self._bounds, tolerance=COARSE)
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


def train(rows: DataFrame, strengths: Sequence[float], bounds: Bounds) -> Trained:
    """Choose the strength, calibrate if that helps, then fit on all rows (columns of scaled_rows).

    Whether a calibration helps is tried out on several slices just as it would be shipped: fitted on one slice by a
    model that has not seen it, put on a model that has, and judged on the slice after it.

    InputError where there is nothing to learn from or to judge by: see `require_both_labels`.
    """
    cuts, fits = [*time_cuts(rows, SLICE_CUTS), np.inf], Fits(rows, bounds)
    require_both_labels(rows, cuts[:-1])
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
        model=fit_linear(rows, strength, bounds),
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
