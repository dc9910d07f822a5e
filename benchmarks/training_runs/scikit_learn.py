"""The same training by scikit-learn: the product's ranges and basis, StandardScaler, LogisticRegression by L-BFGS.

MLlib's objective is the mean loss and half of l2 times the squared coefficients; scikit-learn's is C times the
sum of losses and half the squared coefficients. So C is 1 / (l2 × sum of weights).
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.process_usage import print_numbers
from service_quality.features.basis import basis_of
from service_quality.features.feature_set import FEATURES
from spark_jobs.learning.basis_columns import basis_columns
from spark_jobs.learning.learnt_ranges import Learnt, bucket_batch, learnt_from

_ROWS_A_PIECE = 100_000
_TOLERANCE, _MOST_ITERATIONS = 1e-6, 300

Matrix = NDArray[np.float64]


def main() -> None:
    """Fit, judge on the same rows, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("l2", type=float)
    options = parser.parse_args()
    start = time.perf_counter()
    basis, label, weight = read_basis(options.rows)
    standardise(basis, weight)
    model = LogisticRegression(C=1 / (options.l2 * weight.sum()), tol=_TOLERANCE, max_iter=_MOST_ITERATIONS).fit(
        basis, label, weight
    )
    seconds = time.perf_counter() - start
    log_odds = basis @ model.coef_[0] + model.intercept_[0]
    loss = np.log1p(np.exp(-np.abs(log_odds))) + np.maximum(log_odds, 0) - label * log_odds
    iterations = int(model.n_iter_[0])
    print_numbers({"seconds": seconds, "log_loss": float(np.average(loss, weights=weight)), "iterations": iterations})


def read_basis(file: Path) -> tuple[Matrix, Matrix, Matrix]:
    """The basis of all rows, a row each, with labels and weights; filled piece by piece, so held once."""
    rows, learnt = parquet.ParquetFile(file), read_ranges(file)
    basis = np.empty((rows.metadata.num_rows, len(basis_of(FEATURES))))
    label, weight = np.empty(len(basis)), np.empty(len(basis))
    first = 0
    for piece in rows.iter_batches(_ROWS_A_PIECE, columns=["features", "label", "weight"]):
        part = slice(first, first + piece.num_rows)
        vectors = piece.column("features").flatten().to_numpy(zero_copy_only=False)
        basis[part] = basis_columns(
            vectors.reshape(piece.num_rows, -1), FEATURES.names, basis_of(FEATURES), learnt.ranges
        )
        label[part], weight[part] = piece.column("label").to_numpy(), piece.column("weight").to_numpy()
        first = part.stop
    return basis, label, weight


def read_ranges(file: Path) -> Learnt:
    """The ranges that the product would learn, by its own rule."""
    found, total = [], 0.0
    for piece in parquet.ParquetFile(file).iter_batches(_ROWS_A_PIECE, columns=["features", "weight"]):
        vectors = piece.column("features").flatten().to_numpy(zero_copy_only=False)
        weight = piece.column("weight").to_numpy()
        found.append(bucket_batch(vectors.reshape(piece.num_rows, -1), weight).to_pandas())
        total += float(weight.sum())
    return learnt_from(pd.concat(found), total, len(FEATURES.names))


def standardise(basis: Matrix, weight: Matrix) -> None:
    """Weighted, in place, piece by piece: at once it would be held several times. A missing value becomes the mean."""
    scaler = StandardScaler(copy=False)
    for part in pieces(len(basis)):
        scaler.partial_fit(basis[part], sample_weight=weight[part])
    for part in pieces(len(basis)):
        basis[part] = np.nan_to_num(scaler.transform(basis[part]))


def pieces(rows: int) -> Iterator[slice]:
    """Parts of so many rows."""
    for first in range(0, rows, _ROWS_A_PIECE):
        yield slice(first, min(rows, first + _ROWS_A_PIECE))


if __name__ == "__main__":
    main()
