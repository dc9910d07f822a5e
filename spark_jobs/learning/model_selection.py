"""Choose the L2 penalty forward in time, calibrate where that helps, and fit on all rows: the champion's training."""

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

L2_CHOICES = (0.0002, 0.0006, 0.002)
SLICE_CUTS = (0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Trained:
    """The result of training: the model, its calibration, and its metrics on later, unseen rows."""

    model: LogisticRegressionModel
    calibration: Calibration
    l2: float
    forward: dict[str, float]
    metrics: dict[str, float | None]


def time_cuts(rows: DataFrame, shares: Sequence[float]) -> list[float]:
    """The instants (epoch milliseconds) before which these shares of the rows lie."""
    return rows.approxQuantile("at", list(shares), 0.001)


def between(rows: DataFrame, first: float, last: float) -> DataFrame:
    """Rows that occurred at or after `first` and before `last` (epoch milliseconds)."""
    return rows.where((F.col("at") >= first) & (F.col("at") < last))


def closed_by(rows: DataFrame, cut: float, horizon: int) -> DataFrame:
    """The rows whose label had closed before an instant: those of a `horizon` (milliseconds) before it."""
    return between(rows, -np.inf, cut - horizon)


def require_both_labels(rows: DataFrame, cuts: Sequence[float], horizon: int) -> None:
    """InputError unless both labels had closed by the first cut, to be fitted on, and lie from the last, to be judged
    on.
    """
    first, last = cuts[0] - horizon, cuts[-1]
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
    """Models fitted on what was known at an instant, each once and coarsely, to be compared."""

    def __init__(self, rows: DataFrame, bounds: Bounds, horizon: int) -> None:
        """Fit on these rows (columns of scaled_rows), within these bounds; a label closes after a horizon."""
        self._rows = rows
        self._bounds = bounds
        self._horizon = horizon
        self._known: dict[tuple[float, float], LogisticRegressionModel] = {}

    def before(self, cut: float, l2: float) -> LogisticRegressionModel:
        """The model with this L2 penalty on the rows whose label had closed by the cut."""
        if (cut, l2) not in self._known:
            earlier = closed_by(self._rows, cut, self._horizon)
            self._known[cut, l2] = fit_linear(earlier, l2, self._bounds, tolerance=COARSE)
        return self._known[cut, l2]


def choose_l2(
    rows: DataFrame, fits: Fits, cuts: Sequence[float], choices: Sequence[float]
) -> tuple[float, dict[str, float]]:
    """The L2 penalty with the least log loss on the rows after every second cut, and the loss of each."""
    folds = list(zip(cuts[::2], [*cuts[2::2], np.inf], strict=True))
    losses = {
        l2: sum(mean_log_loss(between(rows, cut, end), fits.before(cut, l2)) for cut, end in folds) / len(folds)
        for l2 in choices
    }
    best = min(choices, key=lambda l2: losses[l2])
    return best, {str(l2): loss for l2, loss in losses.items()}


def mean_log_loss(rows: DataFrame, model: LogisticRegressionModel) -> float:
    """Weighted cross-entropy of the uncalibrated model."""
    log_odds = F.col("log_odds")
    loss = F.log1p(F.exp(-F.abs(log_odds))) + F.greatest(log_odds, F.lit(0.0)) - F.col("label") * log_odds
    row = with_log_odds(rows, model).agg((F.sum(loss * F.col("weight")) / F.sum("weight")).alias("loss")).first()
    assert row is not None
    return float(row["loss"])


def train(rows: DataFrame, choices: Sequence[float], bounds: Bounds, horizon: int = 0) -> Trained:
    """Choose the L2 penalty, calibrate if that helps, then fit on all rows (columns of scaled_rows).

    A calibration is tried on several slices just as it would be shipped: fitted on one slice by a
    model that has not seen it, put on a model that has, and judged on the slice after it. What closes only after a
    `horizon` (milliseconds) is fitted only where it had closed by the instant from which on it is judged; so nothing is
    calibrated where a slice is shorter than that.

    InputError where a label is missing to fit or to judge: see `require_both_labels`.
    """
    cuts, fits = [*time_cuts(rows, SLICE_CUTS), np.inf], Fits(rows, bounds, horizon)
    require_both_labels(rows, cuts[:-1], horizon)
    l2, forward = choose_l2(rows, fits, cuts[:-1], choices)
    models = [fits.before(cut, l2) for cut in cuts[:-1]]
    plain, calibrated = [], []
    for number, model in enumerate(models[:-1]):
        later = between(rows, cuts[number + 1], cuts[number + 2])
        plain.append(measure(later, models[number + 1], Calibration()))
        if horizon < cuts[number + 1] - cuts[number]:
            slice_before = between(rows, cuts[number], cuts[number + 1] - horizon)
            fitted = fit_calibration(slice_before, model)
            calibrated.append(measure(later, models[number + 1], fitted))
    tried = len(calibrated) == len(plain)
    helps = tried and mean_of(calibrated, "log_loss") < mean_of(plain, "log_loss")
    losses = {"plain": plain, "calibrated": calibrated} if tried else {"plain": plain}
    return Trained(
        model=fit_linear(rows, l2, bounds),
        calibration=fit_calibration(between(rows, cuts[-2], np.inf), models[-1]) if helps else Calibration(),
        l2=l2,
        forward={**forward, **{name: mean_of(measured, "log_loss") for name, measured in losses.items()}},
        metrics=(calibrated if helps else plain)[-1],
    )


def mean_of(measured: Sequence[dict[str, float | None]], name: str) -> float:
    """The mean of one metric over several slices."""
    return sum(one[name] or 0.0 for one in measured) / len(measured)


def measure(rows: DataFrame, model: LogisticRegressionModel, calibration: Calibration) -> dict[str, float | None]:
    """Metrics of the calibrated model on rows that it has not seen."""
    judged = with_probability(rows, model, calibration).select("label", "probability", "weight").toPandas()
    return dict(compute_metrics(*(judged[name].to_numpy() for name in ("label", "probability", "weight"))))
