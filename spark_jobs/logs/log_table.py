"""The lake's log: every entry of the archive once, as `fold_archive` brings them in, and as other jobs read them.

A row of the table is an entry of an archive row (archive.ENTRY_SCHEMA, instants as timestamps) beside the link that
held it (`row_last`, `row_entries`, `row_hash`), by the day received and the bucket of the shop.
"""

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.lake.later_columns import with_later_columns
from spark_jobs.lake.snapshots import only_writer
from spark_jobs.lake.tables import INSTANTS, NAMESPACE, create_table, read_table, table_properties
from spark_jobs.logs.archive import ENTRY_SCHEMA

LOG = f"{NAMESPACE}.log"
FOLDED_OBJECTS = f"{NAMESPACE}.folded_objects"
MADE_BY = "fold_archive"

#: Entries as they come from Python, instants as epoch milliseconds; `row_hash` is of the archive row's whole line.
LOG_ENTRY_SCHEMA = pa.schema(
    [
        *ENTRY_SCHEMA,
        ("row_last", pa.string()),
        ("row_entries", pa.int64()),
        ("row_hash", pa.string()),
        ("received_day", pa.date32()),
        ("shop_bucket", pa.int32()),
    ]
)
_TYPES = {"int64": "bigint", "int32": "int", "date32[day]": "date", "bool": "boolean", "double": "double"}
_TYPES |= {"string": "string", "list<item: float>": "array<float>"}
LOG_ENTRY_DDL = ", ".join(f"{field.name} {_TYPES[str(field.type)]}" for field in LOG_ENTRY_SCHEMA)
FOLDED_OBJECTS_DDL = "object string, bytes bigint"
SORT_ORDER = "shop_id, position"

_INSTANTS = (*INSTANTS, "served_clock")
#: The table's columns and their types.
LOG_TYPES = {
    name: "timestamp" if name in _INSTANTS else kind
    for name, kind in (column.split(" ", 1) for column in LOG_ENTRY_DDL.split(", "))
}
_PROPERTIES = {
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "write.metadata.metrics.column.row_follows": "full",
    "write.metadata.metrics.column.position": "full",
}


def create_log(spark: SparkSession) -> None:
    """Create the log, and forget what was folded into an earlier one."""
    columns = ", ".join(f"{name} {kind}" for name, kind in LOG_TYPES.items())
    if not table_properties(spark, LOG):
        spark.sql(f"DROP TABLE IF EXISTS {FOLDED_OBJECTS}")
    create_table(spark, LOG, columns, partitioning="received_day, shop_bucket", properties=_PROPERTIES)
    if "sort-order" not in table_properties(spark, LOG):
        with only_writer(spark, LOG):
            spark.sql(f"ALTER TABLE {LOG} WRITE DISTRIBUTED BY PARTITION LOCALLY ORDERED BY {SORT_ORDER}")
    create_table(spark, FOLDED_OBJECTS, FOLDED_OBJECTS_DDL)


def to_table(entries: DataFrame) -> DataFrame:
    """Entries of LOG_ENTRY_DDL as the table holds them."""
    return entries.select(
        *(F.timestamp_millis(name).alias(name) if name in _INSTANTS else F.col(name) for name in LOG_ENTRY_SCHEMA.names)
    )


def read_log(spark: SparkSession, *, snapshot: int | None = None) -> DataFrame:
    """Every entry of the log (archive.ENTRY_DDL), by default of the present snapshot."""
    log = with_later_columns(read_table(spark, LOG, made_by=MADE_BY, snapshot=snapshot), LOG_TYPES)
    return log.select(
        *(F.unix_millis(name).alias(name) if name in _INSTANTS else F.col(name) for name in ENTRY_SCHEMA.names)
    )


def read_log_links(spark: SparkSession, *, snapshot: int | None = None) -> DataFrame:
    """The links of every shop's chain, each different row once (archive.LINK_DDL)."""
    log = read_table(spark, LOG, made_by=MADE_BY, snapshot=snapshot)
    links = log.select("shop_id", "row_follows", "row_last", "row_entries", "fold_version", "row_hash").distinct()
    return links.select(
        "shop_id",
        F.col("row_follows").alias("follows"),
        F.col("row_last").alias("last"),
        F.col("row_entries").alias("entries"),
        "fold_version",
    )
