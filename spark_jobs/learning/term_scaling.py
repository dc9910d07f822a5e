"""The scaling of each term by its deviation in the training set, and the terms that too few rows support."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.features.basis import Term
from service_quality.features.declarations import FeatureSet
from service_quality.tasks.declared_tasks import Task
from service_quality.tasks.linear_reading import expectation_for
from spark_jobs.learning.basis_columns import Matrix, Vectors, basis_columns
from spark_jobs.learning.learnt_ranges import Learnt, supports
from spark_jobs.learning.vector_batches import summaries

_SUMS = ("known", "sum", "squares", "active", "inactive")
_SUMS_DDL = "term int, " + ", ".join(f"{name} double" for name in _SUMS)
_ANYTHING = (-float(np.finfo(np.float32).max), float(np.finfo(np.float32).max))
_HEIGHT = {"missing": 1.0, "equals": 1.0}
_LEAST_DEVIATION = 1e-6  # below it a column is constant but for rounding
#: The fit is bound to this part of the steepest slope that the export lets pass: a calibration may stretch it.
_PART_OF_STEEPEST = 0.75


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of every term over the rows where it is known, and the weight that supports it.

    `active` is the weight of the rows above the term's lowest value, `inactive` that below its highest, before values
    are held within their ranges: a term needs both. Deviation 0 where it has less than the least support of either, or
    is constant: such a term is left out.
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]
    active: tuple[float, ...]
    inactive: tuple[float, ...]

    def standardise(self, basis: Matrix) -> Matrix:
        """(term − mean) ÷ scale; 0 where the term is missing or left out."""
        scales = np.array(self.scales)
        weights = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
        standardised: Matrix = np.nan_to_num((basis - np.array(self.means)) * weights, nan=0.0)
        return standardised


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest coefficient of each standardised term."""

    lowest: tuple[float, ...]
    highest: tuple[float, ...]


def fit_scaling(rows: DataFrame, features: FeatureSet, terms: Sequence[Term], learnt: Learnt) -> Scaling:
    """The scaling of the basis over all rows (columns of training_rows)."""
    lowest, highest = _ends(features, terms, learnt)
    middles = (lowest + highest) / 2  # sums of squares about them lose no digits

    def summarise(vectors: Vectors, weights: NDArray[np.float64]) -> pa.RecordBatch:
        basis = basis_columns(vectors, features.names, terms, learnt.ranges)
        unheld = basis_columns(vectors, features.names, terms, [_ANYTHING] * len(features.names))
        known = ~np.isnan(basis)
        away = np.where(known, basis - middles, 0.0)
        sums = (
            weights @ known,
            weights @ away,
            weights @ away**2,
            weights @ (known & (unheld > lowest)),
            weights @ (known & (unheld < highest)),
        )
        numbers = pa.array(np.arange(len(terms), dtype=np.int32))
        return pa.RecordBatch.from_arrays([numbers, *map(pa.array, sums)], names=["term", *_SUMS])

    added = summaries(rows, len(features.features), summarise, _SUMS_DDL).groupBy("term")
    found = added.agg(*(F.sum(name).alias(name) for name in _SUMS)).orderBy("term").toPandas()
    known, total, squares, active, inactive = (found[name].to_numpy() for name in _SUMS)
    away = np.divide(total, known, out=np.zeros(len(terms)), where=known > 0)
    spread = np.divide(squares, known, out=np.zeros(len(terms)), where=known > 0)
    deviations = np.sqrt(np.maximum(0.0, spread - away**2))
    supported = supports(np.minimum(active, inactive), learnt.least) & (deviations > _LEAST_DEVIATION)
    return Scaling(
        tuple((middles + away).tolist()),
        tuple(np.where(supported, deviations, 0.0).tolist()),
        tuple(active.tolist()),
        tuple(inactive.tolist()),
    )


def coefficient_bounds(task: Task, terms: Sequence[Term], scaling: Scaling) -> Bounds:
    """The bounds that hold the fit to the task's directions, and features on a log scale to the declared steepness.

    Every column but "missing" and "equals" rises with its feature, so a feature moves the score in one direction
    only if no coefficient of its terms points in the other.
    """
    expected = {feature.name: expectation_for(task, feature) for feature in task.features.features}
    lowest, highest = [], []
    for term, scale in zip(terms, scaling.scales, strict=True):
        steepest = _PART_OF_STEEPEST * expected[term.feature].largest_step / log(2.0)
        limit = steepest * scale if term.operation in ("log", "log_ramp") or not scale else inf
        wanted = 0 if term.operation in ("missing", "equals") else expected[term.feature].direction
        lowest.append(0.0 if wanted > 0 else -limit)
        highest.append(0.0 if wanted < 0 else limit)
    return Bounds(tuple(lowest), tuple(highest))


def _ends(features: FeatureSet, terms: Sequence[Term], learnt: Learnt) -> tuple[Matrix, Matrix]:
    """The lowest and highest value of every term: at the ends of its feature's range, or of its own segment.

    "missing" and "equals" are 0 or 1.
    """
    ends = np.array([[end[side] if end else 0.0 for end in learnt.ranges] for side in (0, 1)], dtype=np.float32)
    low, high = basis_columns(ends, features.names, terms, learnt.ranges)
    own = np.array([_HEIGHT.get(term.operation, 0.0) or term.upper - term.knot for term in terms])
    bounded = np.array([term.operation in (*_HEIGHT, "ramp", "log_ramp") for term in terms])
    return np.where(bounded, 0.0, low), np.where(bounded, own, high)
