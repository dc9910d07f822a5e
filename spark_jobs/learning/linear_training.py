"""Fit the linear model with MLlib: standardised basis, L2, bounds, calibration, all as numbers for the export."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.ml.classification import LogisticRegression, LogisticRegressionModel
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.linalg import DenseMatrix
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.features.basis import Term
from service_quality.features.declarations import FeatureSet
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task
from spark_jobs.learning.basis_columns import Matrix, Range, Vectors, basis_columns
from spark_jobs.learning.term_scaling import Bounds, Scaling
from spark_jobs.learning.units import unit_column
from spark_jobs.learning.vector_batches import with_matrix

_MOST_ITERATIONS, _FEWER_ITERATIONS = 100, 30
#: The relative change of the loss at which a fit ends: for the final model, and for one that is only compared.
EXACT, COARSE = 1e-6, 1e-4


@dataclass(frozen=True)
class Calibration:
    """Calibrated log-odds = slope × log-odds + offset (Platt, 1999)."""

    slope: float = 1.0
    offset: float = 0.0


def training_rows(training_set: DataFrame, task: Task = DISSATISFACTION) -> DataFrame:
    """A task's training set with its instants as epoch milliseconds (`at`) and its labels as numbers.

    `unit_id` names the conversation or the customer that a row is of.
    """
    return training_set.select(
        "shop_id",
        F.col(unit_column(task)).alias("unit_id"),
        F.unix_millis("occurred_at").alias("at"),
        F.col("label").cast("double").alias("label"),
        "weight",
        "features",
    )


def on_every_core(rows: DataFrame) -> DataFrame:
    """The rows (columns of training_rows) in one part for each core of the cluster, the same part at every run."""
    cores = rows.sparkSession.sparkContext.defaultParallelism
    return rows.repartition(cores, "shop_id", "unit_id", "at")


def scaled_rows(
    rows: DataFrame,
    features: FeatureSet,
    terms: Sequence[Term],
    ranges: Sequence[Range | None],
    scaling: Scaling,
) -> DataFrame:
    """Rows for fitting: `vector` holds the standardised basis; the raw features stay beside it."""

    def expand(vectors: Vectors) -> Matrix:
        return scaling.standardise(basis_columns(vectors, features.names, terms, ranges))

    return with_matrix(rows, len(features.features), expand).select(
        "shop_id",
        "unit_id",
        "at",
        "label",
        "weight",
        "features",
        array_to_vector(F.col("matrix")).alias("vector"),
    )


def fit_linear(
    rows: DataFrame, l2: float, bounds: Bounds | None = None, *, tolerance: float = EXACT
) -> LogisticRegressionModel:
    """Logistic regression with cross-entropy and this L2 penalty per unit of weight, by L-BFGS.

    With bounds on its coefficients it is fitted by L-BFGS-B.
    """
    regression = LogisticRegression(
        featuresCol="vector",
        regParam=l2,
        standardization=False,
        weightCol="weight",
        maxIter=_MOST_ITERATIONS if tolerance == EXACT else _FEWER_ITERATIONS,
        tol=tolerance,
    )
    if bounds is not None:
        width = len(bounds.lowest)
        regression.setLowerBoundsOnCoefficients(DenseMatrix(1, width, list(bounds.lowest)))
        regression.setUpperBoundsOnCoefficients(DenseMatrix(1, width, list(bounds.highest)))
    model: LogisticRegressionModel = regression.fit(rows)
    return model


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
