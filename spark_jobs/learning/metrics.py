"""Metrics of probabilities: ranking, log loss, Brier score, calibration error."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

_BINS = 15
_CURVE_POINTS = 200

Floats = NDArray[np.float64]


def compute_metrics(labels: Floats, probabilities: Floats, weights: Floats | None = None) -> Mapping[str, float | None]:
    """ROC AUC, average precision, log loss, Brier score and expected calibration error.

    None for a metric that needs both classes where there is only one.
    """
    both = len(np.unique(labels)) == 2
    return {
        "auc": float(roc_auc_score(labels, probabilities, sample_weight=weights)) if both else None,
        "average_precision": float(average_precision_score(labels, probabilities, sample_weight=weights))
        if both
        else None,
        "log_loss": float(log_loss(labels, probabilities, sample_weight=weights, labels=[0, 1])),
        "brier": float(brier_score_loss(labels, probabilities, sample_weight=weights, pos_label=1)),
        "ece": calibration_error(labels, probabilities),
        "rows": len(labels),
    }


def figure_text(figure: float | None) -> str:
    """A figure as the jobs print it.

    >>> figure_text(0.70984), figure_text(None)
    ('0.7098', 'unknown')
    """
    return "unknown" if figure is None else f"{figure:.4f}"


def calibration_error(labels: Floats, probabilities: Floats) -> float:
    """Mean distance of mean probability and share of label 1 over the bins of `calibration_curve`, by rows.

    Expected calibration error, Naeini et al., AAAI 2015, with equal-mass bins of whole values.
    """
    curve = calibration_curve(labels, probabilities)
    return sum(rows * abs(share - mean) for mean, share, rows in curve) / len(labels)


def calibration_curve(labels: Floats, probabilities: Floats) -> list[tuple[float, float, int]]:
    """(mean probability, share of label 1, rows) of at most 15 bins of about equal size, in order of probability.

    Equal probabilities share one bin, that of the middle of their rows, so the order of rows does not matter.
    """
    values, places, rows = np.unique(probabilities, return_inverse=True, return_counts=True)
    ones = np.bincount(places, weights=labels, minlength=len(values))
    middles = np.cumsum(rows) - rows / 2
    starts = np.unique((middles * _BINS / len(probabilities)).astype(int), return_index=True)[1]
    in_bin, of_one, total = (np.add.reduceat(one, starts) for one in (rows, ones, rows * values))
    return [
        (float(mean), float(share), int(count))
        for mean, share, count in zip(total / in_bin, of_one / in_bin, in_bin, strict=True)
    ]


def ranking_curve(labels: Floats, probabilities: Floats) -> list[tuple[float, float]]:
    """(false positive rate, true positive rate) along the ROC curve, at most _CURVE_POINTS points."""
    if len(np.unique(labels)) < 2:
        return []
    false_positives, true_positives, _ = roc_curve(labels, probabilities)
    chosen = np.unique(np.linspace(0, len(false_positives) - 1, _CURVE_POINTS).astype(int))
    return list(zip(false_positives[chosen].tolist(), true_positives[chosen].tolist(), strict=True))
