"""The learnt ranges: for each feature the range of values that the training set holds often enough to learn from."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.features.declarations import FeatureSet
from spark_jobs.learning.basis_columns import Range, Vectors
from spark_jobs.learning.vector_batches import summaries

#: The least support, in weight: of the rows with a property, and of those without it. A conversation weighs 1 in all
#: its rows together, so ten are at least ten conversations, and mostly several times as many, each of which has the
#: property in some of its rows. The share grows with large training sets.
LEAST_CONVERSATIONS = 10.0
LEAST_SHARE = 0.001

_ROUNDING = 1e-9
_BUCKET_DDL = "feature int, bucket int, weight double, low float, high float"
_SIGN = np.int32(0x7FFFFFFF)


@dataclass(frozen=True)
class Learnt:
    """The support of a training set: `total` weight, `least` support, and each feature's known weight and range.

    At least `least` weight lies at or below a range's low end, and as much at or above its high end, so that a few
    extreme rows widen no range. None for a feature whose known weight is less than that.
    """

    total: float
    least: float
    known: tuple[float, ...]
    ranges: tuple[Range | None, ...]


@dataclass(frozen=True)
class Buckets:
    """One feature's known values in order: the weight in each bucket, and its lowest and highest value."""

    weights: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]

    def range(self, least: float) -> Range | None:
        """The range between the values that `least` weight reaches from below and from above; None for less weight."""
        reached = np.cumsum(self.weights)
        if not len(reached) or not supports(reached[-1:], least)[0]:
            return None
        low = float(self.highs[np.argmax(supports(reached, least))])
        from_above = np.cumsum(self.weights[::-1])
        high = float(self.lows[::-1][np.argmax(supports(from_above, least))])
        return min(low, high), high


def supports(weights: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Whether each weight is at least that much, but for rounding: the order in which Spark adds is not ours."""
    return weights >= least * (1 - _ROUNDING)


def least_support(total: float) -> float:
    """The weight that a term needs on either side, for a training set of this weight.

    >>> least_support(2_000), least_support(1_000_000)
    (10.0, 1000.0)
    """
    return max(LEAST_CONVERSATIONS, LEAST_SHARE * total)


def learn_ranges(rows: DataFrame, features: FeatureSet) -> Learnt:
    """The learnt ranges of a training set (columns of training_rows)."""
    total = float(rows.agg(F.sum("weight")).collect()[0][0])
    found = (
        summaries(rows, len(features.features), bucket_batch, _BUCKET_DDL)
        .groupBy("feature", "bucket")
        .agg(F.sum("weight").alias("weight"), F.min("low").alias("low"), F.max("high").alias("high"))
        .toPandas()
    )
    return learnt_from(found, total, len(features.features))


def learnt_from(found: pd.DataFrame, total: float, width: int) -> Learnt:
    """The support by all buckets together; columns of bucket_batch, each bucket once or in parts."""
    least = least_support(total)
    added = found.groupby(["feature", "bucket"], as_index=False).agg({"weight": "sum", "low": "min", "high": "max"})
    in_order = added.sort_values(["feature", "bucket"])
    of = [in_order[in_order["feature"] == number] for number in range(width)]
    buckets = [Buckets(*(one[name].to_numpy(np.float64) for name in ("weight", "low", "high"))) for one in of]
    known = tuple(float(one.weights.sum()) for one in buckets)
    return Learnt(total, least, known, tuple(one.range(least) for one in buckets))


def bucket_batch(vectors: Vectors, weights: NDArray[np.float64]) -> pa.RecordBatch:
    """The weight of each feature's known values by bucket of less than one percent of the value, extremes beside it."""
    parts = [_bucket_column(number, vectors[:, number], weights) for number in range(vectors.shape[1])]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return pa.RecordBatch.from_arrays(
        [pa.array(column) for column in columns], names=["feature", "bucket", "weight", "low", "high"]
    )


def _bucket_column(
    number: int, column: NDArray[np.float32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    known = ~np.isnan(column)
    values = column[known] + np.float32(0)  # one zero, not two
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weights[known][order]
    bits = values.view(np.int32)
    buckets = (bits ^ ((bits >> 31) & _SIGN)) >> 16  # sign, exponent and seven binary places, in the order of values
    first = np.flatnonzero(np.r_[True, buckets[1:] != buckets[:-1]]) if len(values) else np.empty(0, dtype=np.int64)
    last = np.r_[first[1:], len(values)] - 1 if len(values) else first
    summed = np.add.reduceat(weight, first) if len(values) else np.empty(0)
    return np.full(len(first), number, dtype=np.int32), buckets[first], summed, values[first], values[last]
