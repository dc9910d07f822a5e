"""Snapshots of the lake's tables: the present one, and additions on the condition that it is still the present one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from cli.locks import in_turn
from spark_jobs.errors import JobError, OvertakenError
from spark_jobs.session.start import CATALOG

_MOST_ATTEMPTS = 5
_CONFLICT = "org.apache.iceberg.exceptions.ValidationException"


@dataclass(frozen=True)
class Written:
    """The result of a write: the number of new rows, and the table's snapshot after it (None: still empty)."""

    rows: int
    snapshot: int | None


def table_exists(spark: SparkSession, table: str) -> bool:
    """Whether the lake has the table, whether or not it has a namespace yet."""
    return bool(spark.catalog.tableExists(table))


def lake_of(spark: SparkSession) -> str:
    """The folder or address of the session's lake."""
    return str(spark.conf.get(f"spark.sql.catalog.{CATALOG}.warehouse"))


def snapshot_of(spark: SparkSession, table: str) -> int | None:
    """The present snapshot of a table; None for a missing or empty one."""
    if not table_exists(spark, table):
        return None
    main = spark.table(f"{table}.refs").where(F.col("name") == "main").first()
    return None if main is None else int(main["snapshot_id"])


def add_new(rows: DataFrame, table: str, key: tuple[str, ...]) -> Written:
    """Insert the rows whose key is new, in one commit; begin again when another writer was quicker.

    New rows depend on the snapshot that was read, so the commit is refused if the table has another one since. An
    insert-only MERGE would not be: it is planned as an anti-join and an append, and appends never conflict.
    """
    spark = rows.sparkSession
    for _ in range(_MOST_ATTEMPTS):
        base = snapshot_of(spark, table)
        new = _without_known(rows, table, base, key).persist()
        try:
            count = new.count()
            if count:
                append_to(new, table, base)
            return Written(rows=count, snapshot=snapshot_of(spark, table))
        except OvertakenError:
            spark.catalog.refreshTable(table)
        finally:
            new.unpersist()
    raise JobError(f"found other writers of {table} in each of {_MOST_ATTEMPTS} attempts, expected a pause")


def append_to(rows: DataFrame, table: str, base: int | None) -> None:
    """Append to the table as it was at a snapshot (None: empty); OvertakenError if another job has written since.

    To Iceberg this overwrites no row with the new ones: only overwrites are checked for conflicts.
    """
    writer = rows.writeTo(table).option("isolation-level", "serializable")
    if base is not None:
        writer = writer.option("validate-from-snapshot-id", str(base))
    try:
        with only_writer(rows.sparkSession, table):
            writer.overwrite(F.lit(False))
    except (PySparkException, Py4JJavaError) as error:
        if _CONFLICT in str(error):
            raise OvertakenError(f"found rows of another writer in {table}, expected snapshot {base}") from error
        raise


def _without_known(rows: DataFrame, table: str, base: int | None, key: tuple[str, ...]) -> DataFrame:
    """The rows whose key the table did not have at a snapshot (None: empty)."""
    if base is None:
        return rows
    known = rows.sparkSession.read.option("snapshot-id", base).table(table).select(*key)
    return rows.join(known, list(key), "left_anti").select(*rows.columns)


@contextmanager
def only_writer(spark: SparkSession, table: str) -> Iterator[None]:
    """Hold a table of a local lake for one commit, waiting for another holder; a killed process releases it.

    A folder as a catalog commits by renaming a file to a name that must be free, and on a local disk two at once may
    take the same one. An object store has no such lock: there the catalog must be one that commits by itself (Glue), or
    the writer must be alone.
    """
    lake = lake_of(spark)
    if "://" in lake:
        yield
        return
    with in_turn(Path(lake) / f".{table}.writer", f"table {table}"):
        yield
