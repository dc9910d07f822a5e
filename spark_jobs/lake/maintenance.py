"""Upkeep of a lake's table: small files become large ones, old snapshots leave."""

from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake.snapshots import only_writer
from spark_jobs.session.start import CATALOG

#: A partition is compacted once it holds this many small files.
SMALL_FILES = 8
_SMALL_BYTES = 64 * 2**20


def compact(spark: SparkSession, table: str, *, order: str) -> int:
    """Rewrite the small files of each partition that holds many, sorted by `order`; returns how many there were.

    Readers and writers of the table go on: no row changes, and an addition never conflicts with it.
    """
    small = spark.table(f"{table}.files").where(F.col("file_size_in_bytes") < _SMALL_BYTES)
    partition = [name for name in ("partition",) if name in small.columns]
    counts = [row["count"] for row in small.groupBy(*partition).agg(F.count("*").alias("count")).collect()]
    files: int = sum(count for count in counts if count >= SMALL_FILES)
    if files:
        with only_writer(spark, table):
            spark.sql(
                f"CALL {CATALOG}.system.rewrite_data_files(table => '{_name_in_catalog(table)}', strategy => 'sort', "
                f"sort_order => '{order}', options => map('min-input-files', '{SMALL_FILES}'))"
            ).collect()
    return files


def expire_snapshots(spark: SparkSession, table: str, *, before: int) -> int:
    """Drop the snapshots made before an instant (epoch milliseconds) but the present one; returns how many there were.

    Files that only they name are deleted.
    """
    instant = datetime.fromtimestamp(before / 1000, tz=UTC).isoformat(sep=" ", timespec="milliseconds")
    present = spark.table(f"{table}.refs").select("snapshot_id")
    old = spark.table(f"{table}.snapshots").where(F.col("committed_at") < F.lit(instant).cast("timestamp"))
    count = old.join(present, "snapshot_id", "left_anti").count()
    if count:
        with only_writer(spark, table):
            spark.sql(
                f"CALL {CATALOG}.system.expire_snapshots(table => '{_name_in_catalog(table)}', "
                f"older_than => TIMESTAMP '{instant}', retain_last => 1)"
            ).collect()
    return int(count)


def _name_in_catalog(table: str) -> str:
    return table.removeprefix(f"{CATALOG}.")
