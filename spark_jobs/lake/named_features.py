"""The training set with a column for each feature, for people who look at it."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.tasks.declared_tasks import DISSATISFACTION, Task
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import read_table, table_properties, training_set_of


def read_named_training_set(spark: SparkSession, task: Task = DISSATISFACTION) -> DataFrame:
    """A task's training set with its features by name in place of the array `features`.

    InputError for a set of other features than the code declares: build it again.
    """
    table, features = training_set_of(task), task.features
    rows = read_table(spark, table, made_by="build_training_set")
    found = table_properties(spark, table).get("fingerprint")
    if found != features.fingerprint:
        raise InputError(f"found a training set of features {found}, expected {features.fingerprint}; build it again")
    kept = [name for name in rows.columns if name != "features"]
    return rows.select(
        *kept, *(F.element_at("features", place).alias(name) for place, name in enumerate(features.names, 1))
    )
