"""Columns that a release adds to the lake's tables: older tables get them, older versions of a table lack them."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake.snapshots import only_writer


def add_later_columns(spark: SparkSession, table: str, types: Mapping[str, str]) -> None:
    """Add the columns that the table lacks, null in its rows; `types` are all columns with their types in DDL."""
    known = set(spark.table(table).columns)
    later = ", ".join(f"{name} {kind}" for name, kind in types.items() if name not in known)
    if later:
        with only_writer(spark, table):
            spark.sql(f"ALTER TABLE {table} ADD COLUMNS ({later})")
        spark.catalog.refreshTable(table)


def with_later_columns(rows: DataFrame, types: Mapping[str, str]) -> DataFrame:
    """Rows of any version of a table with all of these columns, null where the version lacks them."""
    lacking = {name: F.lit(None).cast(kind) for name, kind in types.items() if name not in rows.columns}
    return rows.withColumns(lacking) if lacking else rows
