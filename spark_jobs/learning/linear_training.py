"""Fit the linear model with MLlib: standardised basis, L2, calibration, all as plain numbers that can be exported."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.ml.classification import LogisticRegression, LogisticRegressionModel
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.stat import Summarizer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.features.basis import Term
from service_quality.features.declarations import FeatureSet
from spark_jobs.learning.basis_columns import Matrix, basis_columns

Expand = Callable[[NDArray[np.float32]], Matrix]

_ROW_DDL = "shop_id string, conversation_id string, at bigint, label double, weight double"
_MOST_ITERATIONS, _FEWER_ITERATIONS = 100, 30
#: How little the loss may still change, relative to itself: for a model that is kept, and for one that is compared.
EXACT, COARSE = 1e-6, 1e-4
_CONSTANT = 1e-9  # a term that deviates less than this is constant and has no say


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of every term; deviation 0 where the term is constant."""

    means: tuple[float, ...]
    scales: tuple[float, ...]

    def standardise(self, basis: Matrix) -> Matrix:
        """(term − mean) ÷ scale; 0 for constant terms."""
        scales = np.array(self.scales)
        weights = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales > 0)
        standardised: Matrix = (basis - np.array(self.means)) * weights
        return standardised


@dataclass(frozen=True)
class Calibration:
    """Calibrated log-odds = slope × log-odds + offset (Platt, 1999)."""

    slope: float = 1.0
    offset: float = 0.0


def training_rows(training_set: DataFrame) -> DataFrame:
    """The training set with its instants as epoch milliseconds (`at`) and its labels as numbers."""
    return training_set.select(
        "shop_id",
        "conversation_id",
        F.unix_millis("occurred_at").alias("at"),
        F.col("label").cast("double").alias("label"),
        "weight",
        "features",
    )


def fit_scaling(rows: DataFrame, features: FeatureSet, terms: Sequence[Term]) -> Scaling:
    """Weighted mean and deviation of the basis over all rows (columns of training_rows)."""
    basis = _with_matrix(rows, features, lambda vectors: basis_columns(vectors, features.names, terms))
    vectors = basis.select(array_to_vector(F.col("matrix")).alias("v"), "weight")
    row = vectors.select(Summarizer.metrics("mean", "std").summary(F.col("v"), F.col("weight")).alias("s")).first()
    assert row is not None
    scales = [float(scale) if scale > _CONSTANT else 0.0 for scale in row["s"]["std"].toArray()]
    return Scaling(tuple(map(float, row["s"]["mean"].toArray())), tuple(scales))


def scaled_rows(rows: DataFrame, features: FeatureSet, terms: Sequence[Term], scaling: Scaling) -> DataFrame:
    """Rows for fitting: `vector` holds the standardised basis; the raw features stay beside it."""

    def expand(vectors: NDArray[np.float32]) -> Matrix:
        return scaling.standardise(basis_columns(vectors, features.names, terms))

    return _with_matrix(rows, features, expand).select(
        "shop_id",
        "conversation_id",
        "at",
        "label",
        "weight",
        "features",
        array_to_vector(F.col("matrix")).alias("vector"),
    )


def fit_linear(rows: DataFrame, strength: float, *, tolerance: float = EXACT) -> LogisticRegressionModel:
    """Logistic regression with cross-entropy and L2 of this strength per unit of weight, by L-BFGS."""
    return LogisticRegression(
        featuresCol="vector",
        regParam=strength,
        standardization=False,
        weightCol="weight",
        maxIter=_MOST_ITERATIONS if tolerance == EXACT else _FEWER_ITERATIONS,
        tol=tolerance,
    ).fit(rows)


def with_log_odds(rows: DataFrame, model: LogisticRegressionModel) -> DataFrame:
    """Add the model's log-odds, as MLlib computes them."""
    return model.transform(rows).withColumn("log_odds", vector_to_array(F.col("rawPrediction"))[1])


def fit_calibration(rows: DataFrame, model: LogisticRegressionModel) -> Calibration:
    """Slope and offset that make the model's log-odds fit the labels of rows it has not seen."""
    scored = with_log_odds(rows, model).select("log_odds", "label", "weight")
    vectors = VectorAssembler(inputCols=["log_odds"], outputCol="vector").transform(scored)
    fitted = fit_linear(vectors, 0.0)
    return Calibration(slope=float(fitted.coefficients.toArray()[0]), offset=float(fitted.intercept))


def with_probability(rows: DataFrame, model: LogisticRegressionModel, calibration: Calibration) -> DataFrame:
    """Add the calibrated probability."""
    log_odds = F.col("log_odds") * calibration.slope + calibration.offset
    return with_log_odds(rows, model).withColumn("probability", 1.0 / (1.0 + F.exp(-log_odds)))


def _with_matrix(rows: DataFrame, features: FeatureSet, expand: Expand) -> DataFrame:
    width = len(features.features)

    def widen(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            flat = batch.column("features").flatten().to_numpy(zero_copy_only=False)
            matrix = expand(flat.reshape(-1, width))
            offsets = pa.array(np.arange(0, matrix.size + 1, max(1, matrix.shape[1]), dtype=np.int32))
            lists = pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel()))
            yield pa.RecordBatch.from_arrays([*batch.columns, lists], names=[*batch.schema.names, "matrix"])

    return rows.mapInArrow(widen, f"{_ROW_DDL}, features array<float>, matrix array<double>")
