"""The basis of the linear model over float32 vectors, with numpy: one column a term."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service_quality.features.basis import HIGHEST_RATE, LOWEST_RATE, Term

Matrix = NDArray[np.float64]


def basis_columns(vectors: NDArray[np.float32], names: Sequence[str], terms: Sequence[Term]) -> Matrix:
    """vectors: rows × features (float32, NaN missing) → rows × terms, float64."""
    place = {name: index for index, name in enumerate(names)}
    columns = [_column(vectors[:, place[term.feature]].astype(np.float64), term) for term in terms]
    return np.column_stack(columns) if columns else np.empty((len(vectors), 0))


def _column(x: Matrix, term: Term) -> Matrix:
    missing = np.isnan(x)
    if term.operation == "missing":
        return missing.astype(np.float64)
    known = np.where(missing, 0.0, x)
    column: Matrix = np.where(missing, 0.0, _known(known, term))
    return column


def _known(x: Matrix, term: Term) -> Matrix:
    match term.operation:
        case "value":
            return x
        case "log":
            return np.log1p(np.maximum(x, 0.0))
        case "log_hinge":
            return np.maximum(np.log1p(np.maximum(x, 0.0)) - term.knot, 0.0)
        case "hinge":
            return np.maximum(x - term.knot, 0.0)
        case "logit":
            rate = np.clip(x, LOWEST_RATE, HIGHEST_RATE)
            return np.log(rate / (1.0 - rate))
        case "equals":
            return (x == term.knot).astype(np.float64)
        case other:
            raise ValueError(f"found operation {other!r}, expected one of service_quality.features.basis.OPERATIONS")
