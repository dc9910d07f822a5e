"""Vectors where two engines are most likely to differ: missing values, extremes, and the very knots of the basis."""

import numpy as np
from numpy.typing import NDArray

from model_export.artefact import LinearModel

HUGE, VERY_NEGATIVE = 1e12, -1e6

Vectors = NDArray[np.float32]


def edge_rows(model: LinearModel, sample: Vectors) -> Vectors:
    """Whole rows of one value, then an ordinary row with one feature changed at a time.

    The ordinary row holds the sample's medians, 0 for a feature that is never known.
    """
    known = _known(sample)
    width = len(model.features)
    usual = usual_row(sample)
    whole = [np.full(width, value) for value in (np.nan, 0, 1, -1, HUGE, VERY_NEGATIVE)]
    changed = [
        _with(usual, at, value)
        for at in range(width)
        for value in (np.nan, 0, HUGE, VERY_NEGATIVE, float(np.nanmin(known[:, at])), float(np.nanmax(known[:, at])))
    ]
    position = {name: at for at, name in enumerate(model.features)}
    knots = [
        _with(usual, position[term.feature], float(np.expm1(knot)) if term.operation == "log_ramp" else knot)
        for term in model.terms
        for knot in (term.knot, term.upper)
        if knot
    ]
    ends = [_with(usual, at, end) for at, learnt in enumerate(model.ranges) for end in learnt or ()]
    return np.array([usual, *whole, *changed, *knots, *ends], dtype=np.float32)


def usual_row(sample: Vectors) -> Vectors:
    """The median of each feature's known values, 0 for a feature without one."""
    usual: Vectors = np.nanmedian(_known(sample), axis=0)
    return usual


def _known(sample: Vectors) -> Vectors:
    return np.where(np.isnan(sample).all(axis=0), np.float32(0), sample)


def _with(row: Vectors, at: int, value: float) -> Vectors:
    changed = row.copy()
    changed[at] = value
    return changed
