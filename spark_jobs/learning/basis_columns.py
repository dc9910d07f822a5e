"""The basis of the linear model over float32 vectors, with numpy: one column a term."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service_quality.features.basis import HIGHEST_RATE, LOWEST_RATE, Term

Matrix = NDArray[np.float64]
Vectors = NDArray[np.float32]
Range = tuple[float, float]

#: The range of a feature that was never learnt: every value is read as the same.
NEVER_LEARNT: Range = (0.0, 0.0)


def basis_columns(
    vectors: Vectors, names: Sequence[str], terms: Sequence[Term], ranges: Sequence[Range | None]
) -> Matrix:
    """vectors: rows × features (float32, NaN missing) → rows × terms, float64.

    Values are held within their feature's range. Where a value is missing, so is every term but "missing".
    """
    place = {name: index for index, name in enumerate(names)}
    columns = [
        _column(vectors[:, place[term.feature]].astype(np.float64), term, ranges[place[term.feature]]) for term in terms
    ]
    return np.column_stack(columns) if columns else np.empty((len(vectors), 0))


def _column(x: Matrix, term: Term, learnt: Range | None) -> Matrix:
    missing = np.isnan(x)
    if term.operation == "missing":
        return missing.astype(np.float64)
    low, high = learnt or NEVER_LEARNT
    known = np.clip(np.where(missing, low, x), low, high)
    column: Matrix = np.where(missing, np.nan, _known(known, term))
    return column


def _known(x: Matrix, term: Term) -> Matrix:
    match term.operation:
        case "value":
            return x
        case "log":
            return np.log1p(np.maximum(x, 0.0))
        case "log_ramp":
            return np.clip(np.log1p(np.maximum(x, 0.0)), term.knot, term.upper) - term.knot
        case "ramp":
            return np.clip(x, term.knot, term.upper) - term.knot
        case "logit":
            rate = np.clip(x, LOWEST_RATE, HIGHEST_RATE)
            return np.log(rate / (1.0 - rate))
        case "equals":
            return np.equal(x, term.knot).astype(np.float64)
        case other:
            raise ValueError(f"found operation {other!r}, expected one of service_quality.features.basis.OPERATIONS")
