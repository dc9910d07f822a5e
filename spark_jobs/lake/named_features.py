"""The training set with a column for each feature, for people who look at it."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.features.feature_set import FEATURES
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import TRAINING_SET, read_table, table_properties


def read_named_training_set(spark: SparkSession) -> DataFrame:
    """The training set with its features by name in place of the array `features`.

    InputError for a set of other features than the code declares: build it again.
    """
    rows = read_table(spark, TRAINING_SET, made_by="build_training_set")
    found = table_properties(spark, TRAINING_SET).get("fingerprint")
    if found != FEATURES.fingerprint:
        raise InputError(f"found a training set of features {found}, expected {FEATURES.fingerprint}; build it again")
    kept = [name for name in rows.columns if name != "features"]
    return rows.select(
        *kept, *(F.element_at("features", place).alias(name) for place, name in enumerate(FEATURES.names, 1))
    )
