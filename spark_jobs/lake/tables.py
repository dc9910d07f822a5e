"""The lake's tables: names, schemas, reads, and writes that a repeated run does not double."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from service_quality.events.declared_fields import FLAG, INSTANT, INTEGER
from service_quality.events.interaction_event import DECLARED, fields_of
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task
from spark_jobs.cards.running import note_table
from spark_jobs.errors import InputError, MissingSourceError
from spark_jobs.lake.later_columns import add_later_columns, with_later_columns
from spark_jobs.lake.snapshots import (
    Written,
    add_new,
    append_to,
    lake_of,
    only_writer,
    snapshot_of,
    table_exists,
)
from spark_jobs.session.start import CATALOG

NAMESPACE = f"{CATALOG}.service"
EVENTS = f"{NAMESPACE}.events"
REJECTED = f"{NAMESPACE}.rejected"
TRAINING_SET = f"{NAMESPACE}.training_set"
IMPORTS = f"{NAMESPACE}.imports"
IMPORTED_EVENTS = f"{NAMESPACE}.imported_events"
CUSTOMER_SCORES = f"{NAMESPACE}.customer_scores"

SHOP_BUCKETS = 4  # a partition a shop would make thousands of tiny files


INSTANTS = fields_of(INSTANT)
_TYPES: dict[str, DataType] = {INSTANT: TimestampType(), INTEGER: LongType(), FLAG: LongType()}
EVENTS_SCHEMA = StructType(
    [StructField(name, _TYPES.get(declared.form, StringType())) for name, declared in DECLARED.items()]
    + [StructField("source", StringType())]
)
#: Events as they come from Python: instants as epoch milliseconds, made timestamps by `with_timestamps`.
EVENTS_IN_MILLIS = StructType(
    [StructField(field.name, LongType() if field.name in INSTANTS else field.dataType) for field in EVENTS_SCHEMA]
)
REJECTED_SCHEMA = StructType(
    [
        StructField("file", StringType()),
        StructField("file_hash", StringType()),
        StructField("line", LongType()),
        StructField("reason", StringType()),
        StructField("field", StringType()),
        StructField("raw", StringType()),
        StructField("source", StringType()),
    ]
)
_LEARNT = [
    StructField("features", ArrayType(FloatType())),
    StructField("label", IntegerType()),
    StructField("weight", DoubleType()),
]
TRAINING_SET_SCHEMA = StructType(
    [
        StructField("event_id", StringType()),
        StructField("conversation_id", StringType()),
        StructField("shop_id", StringType()),
        StructField("kind", StringType()),
        StructField("occurred_at", TimestampType()),
        StructField("round", LongType()),
        *_LEARNT,
    ]
)
#: A training set of customers: `occurred_at` is the cutoff at which one is asked about.
CUSTOMER_SET_SCHEMA = StructType(
    [
        StructField("shop_id", StringType()),
        StructField("customer_id", StringType()),
        StructField("occurred_at", TimestampType()),
        *_LEARNT,
    ]
)
#: Customers as of an instant: what a model said of them, and whether it was reported as a finding.
CUSTOMER_SCORES_SCHEMA = StructType(
    [
        StructField("shop_id", StringType()),
        StructField("customer_id", StringType()),
        StructField("as_of", TimestampType()),
        StructField("score", DoubleType()),
        StructField("model_version", StringType()),
        StructField("features", ArrayType(FloatType())),
        StructField("reported", BooleanType()),
    ]
)

#: The backfills of each shop into a state table, numbered from 1: `as_of` and `clock` in epoch milliseconds,
#: `log_until` the last position of the shop's archive that the backfill takes account of, `policies_known` how many of
#: the shop's policies may judge its events (null for none); then the import record.
IMPORTS_SCHEMA = StructType(
    [
        StructField("import_id", StringType()),
        StructField("state_table", StringType()),
        StructField("shop_id", StringType()),
        StructField("number", IntegerType()),
        StructField("events_snapshot", LongType()),
        StructField("as_of", LongType()),
        StructField("log_until", StringType()),
        StructField("policies_known", IntegerType()),
        StructField("clock", LongType()),
        StructField("buckets", IntegerType()),
        StructField("histories", LongType()),
        StructField("conversations", LongType()),
    ]
)
#: The events of each backfill, by id and a hash of their content. They count once the backfill is in IMPORTS.
IMPORTED_EVENTS_SCHEMA = StructType(
    [StructField(name, StringType()) for name in ("import_id", "shop_id", "event_id", "content")]
)

#: Every version of the table of events has these columns.
_OF_EVERY_EVENT = ("event_id", "shop_id", "kind", "occurred_at", "received_at", "source")
EVENTS_KEY = ("shop_id", "event_id")
REJECTED_KEY = ("file_hash", "line")
IMPORTED_EVENTS_KEY = ("import_id", "event_id")
_PROPERTIES = {"format-version": "2", "write.parquet.compression-codec": "zstd"}
_BY_DAY_AND_SHOP = f"days(occurred_at), bucket({SHOP_BUCKETS}, shop_id)"


def with_timestamps(events: DataFrame, *others: str) -> DataFrame:
    """Events of EVENTS_IN_MILLIS as the lake holds them, with other columns behind."""
    return events.select(
        *(
            F.timestamp_millis(field.name).alias(field.name) if field.name in INSTANTS else F.col(field.name)
            for field in EVENTS_SCHEMA
        ),
        *others,
    )


def read_events(spark: SparkSession, as_of: int | None = None, snapshot: int | None = None) -> DataFrame:
    """The lake's events, columns of EVENTS_SCHEMA.

    `as_of`, in epoch milliseconds, leaves out what was received at it or later; `snapshot` names the table's
    version, by default the present one. MissingSourceError where there is no such table or version, InputError for a
    table of other rows.
    """
    stored = read_table(spark, EVENTS, snapshot=snapshot, made_by="import_events or generate_shop")
    missing = [name for name in _OF_EVERY_EVENT if name not in stored.columns]
    if missing:
        raise InputError(f"found a table {EVENTS} without {', '.join(missing)}, expected the columns of events")
    events = with_later_columns(stored, _types_in(EVENTS_SCHEMA))
    return events if as_of is None else events.where(F.col("received_at") < F.timestamp_millis(F.lit(as_of)))


def read_table(spark: SparkSession, table: str, *, made_by: str, snapshot: int | None = None) -> DataFrame:
    """A table of the lake at a snapshot, by default the present one; `made_by` names the job that fills it."""
    if not table_exists(spark, table):
        raise MissingSourceError(f"found no table {table} in {lake_of(spark)}, expected what {made_by} writes")
    note_table(table, snapshot_of(spark, table) if snapshot is None else snapshot)
    if snapshot is None:
        return spark.table(table)
    if spark.table(f"{table}.snapshots").where(F.col("snapshot_id") == snapshot).isEmpty():
        raise MissingSourceError(
            f"found no snapshot {snapshot} of {table} in {lake_of(spark)}, expected one that is not expired"
        )
    return spark.read.option("snapshot-id", snapshot).table(table)


def write_events(events: DataFrame) -> Written:
    """Add the events (EVENTS_SCHEMA, each key once) that the lake does not have; those it has stay as they are."""
    create_table(events.sparkSession, EVENTS, EVENTS_SCHEMA, partitioning=_BY_DAY_AND_SHOP)
    return add_new(events.select(*EVENTS_SCHEMA.fieldNames()), EVENTS, EVENTS_KEY)


def write_rejected(rejected: DataFrame) -> Written:
    """Store rows that could not be read (REJECTED_SCHEMA, each key once), each line of a content once.

    `file_hash` distinguishes files of one name, and recognises a file under another name.
    """
    create_table(rejected.sparkSession, REJECTED, REJECTED_SCHEMA)
    return add_new(rejected.select(*REJECTED_SCHEMA.fieldNames()), REJECTED, REJECTED_KEY)


def record_imported_events(events: DataFrame) -> Written:
    """Note the events that backfills hold (IMPORTED_EVENTS_SCHEMA), each once a backfill."""
    create_table(events.sparkSession, IMPORTED_EVENTS, IMPORTED_EVENTS_SCHEMA)
    return add_new(events.select(*IMPORTED_EVENTS_SCHEMA.fieldNames()), IMPORTED_EVENTS, IMPORTED_EVENTS_KEY)


def record_imports(imports: DataFrame, base: int | None) -> None:
    """Note backfills (IMPORTS_SCHEMA) beside those of a snapshot; OvertakenError when others were noted since."""
    append_to(imports.select(*IMPORTS_SCHEMA.fieldNames()), IMPORTS, base)


def read_imports(spark: SparkSession) -> tuple[DataFrame, int | None]:
    """The backfills so far (IMPORTS_SCHEMA), and the snapshot that they were read from (None: no backfill yet)."""
    create_table(spark, IMPORTS, IMPORTS_SCHEMA)
    create_table(spark, IMPORTED_EVENTS, IMPORTED_EVENTS_SCHEMA)
    base = snapshot_of(spark, IMPORTS)
    if base is None:
        return spark.table(IMPORTS), None
    return read_table(spark, IMPORTS, snapshot=base, made_by="materialize_histories"), base


def replace_training_set(
    rows: DataFrame,
    *,
    properties: Mapping[str, str],
    table: str = TRAINING_SET,
    schema: StructType = TRAINING_SET_SCHEMA,
) -> int | None:
    """Replace a training set atomically; returns its snapshot."""
    spark = rows.sparkSession
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {NAMESPACE}")
    columns = [F.col(field.name).cast(field.dataType).alias(field.name) for field in schema]
    writer = rows.select(*columns).writeTo(table).using("iceberg")
    for name, value in properties.items():
        writer = writer.tableProperty(name, value)
    with only_writer(spark, table):
        writer.partitionedBy(F.partitioning.bucket(SHOP_BUCKETS, "shop_id")).createOrReplace()
    return snapshot_of(spark, table)


def open_customer_scores(spark: SparkSession) -> DataFrame:
    """The scores of customers of all runs (CUSTOMER_SCORES_SCHEMA); the table is made where there is none."""
    create_table(spark, CUSTOMER_SCORES, CUSTOMER_SCORES_SCHEMA, partitioning="days(as_of)")
    return spark.table(CUSTOMER_SCORES)


def replace_customer_scores(scores: DataFrame, *, as_of: int) -> int | None:
    """Replace the scores as of an instant (epoch milliseconds) by these, in one commit; returns the snapshot."""
    spark, instant = scores.sparkSession, F.timestamp_millis(F.lit(as_of))
    rows = scores.withColumn("as_of", instant).select(*CUSTOMER_SCORES_SCHEMA.fieldNames())
    with only_writer(spark, CUSTOMER_SCORES):
        rows.writeTo(CUSTOMER_SCORES).overwrite(F.col("as_of") == instant)
    return snapshot_of(spark, CUSTOMER_SCORES)


def training_set_of(task: Task) -> str:
    """The table of a task's training set.

    >>> training_set_of(DISSATISFACTION).rpartition(".")[2]
    'training_set'
    """
    return TRAINING_SET if task.name == DISSATISFACTION.name else f"{TRAINING_SET}_{task.name}"


def table_properties(spark: SparkSession, table: str) -> dict[str, str]:
    """The properties of a table; empty when it does not exist."""
    if not table_exists(spark, table):
        return {}
    return {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {table}").collect()}


def create_table(
    spark: SparkSession,
    table: str,
    schema: StructType | str,
    *,
    partitioning: str = "",
    properties: Mapping[str, str] | None = None,
) -> None:
    """Create the table, of a schema or of columns in DDL, or add the columns that the lake's table lacks."""
    types = _types_in(schema)
    if table_exists(spark, table):
        return add_later_columns(spark, table, types)
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    partitioned = f"PARTITIONED BY ({partitioning})" if partitioning else ""
    named = ", ".join(f"'{name}'='{value}'" for name, value in {**_PROPERTIES, **(properties or {})}.items())
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {NAMESPACE}")
    with only_writer(spark, table):
        spark.sql(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) USING iceberg {partitioned} TBLPROPERTIES ({named})")


def _types_in(schema: StructType | str) -> dict[str, str]:
    """The types of a schema or of columns in DDL, by column."""
    if isinstance(schema, str):
        return dict(column.split(" ", 1) for column in schema.split(", "))
    return {one.name: one.dataType.simpleString() for one in schema}
