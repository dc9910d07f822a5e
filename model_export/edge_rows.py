"""Vectors where two engines are most likely to differ: missing values, extremes, and the very knots of the basis."""

import numpy as np
from numpy.typing import NDArray

from model_export.artefact import LinearModel

HUGE, VERY_NEGATIVE = 1e12, -1e6

Vectors = NDArray[np.float32]


def edge_rows(model: LinearModel, sample: Vectors) -> Vectors:
    """Whole rows of one value, then an ordinary row with one feature changed at a time.

    The ordinary row holds the sample's medians, 0 where a feature is never known.
    """
    known = np.where(np.isnan(sample).all(axis=0), np.float32(0), sample)
    width = len(model.features)
    usual = np.nanmedian(known, axis=0)
    whole = [np.full(width, value) for value in (np.nan, 0, 1, -1, HUGE, VERY_NEGATIVE)]
    changed = [
        _with(usual, at, value)
        for at in range(width)
        for value in (np.nan, 0, HUGE, VERY_NEGATIVE, np.nanmin(known[:, at]), np.nanmax(known[:, at]))
    ]
    position = {name: at for at, name in enumerate(model.features)}
    knots = [_with(usual, position[term.feature], term.knot) for term in model.terms if term.knot]
    return np.array([usual, *whole, *changed, *knots], dtype=np.float32)


def _with(row: Vectors, at: int, value: float) -> Vectors:
    changed = row.copy()
    changed[at] = value
    return changed
