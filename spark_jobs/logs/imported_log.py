"""Imports on a log: where each was made, where its import record is, and the events that it brought."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.events.interaction_event import FIELDS
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import IMPORTED_EVENTS, read_events, read_table
from spark_jobs.logs.import_rows import content_hash
from spark_jobs.logs.log_order import reached_at
from spark_jobs.logs.shop_log import event_columns

Row = dict[str, Any]

#: The log index and the clock of an import record that the archive does not hold yet.
NOT_YET = 2**62
_LOCATED_DDL = (
    "shop_id string, import_id string, number int, events_snapshot long, policies_known int, behind long, "
    "received_until long"
)


def locate_imports(log: DataFrame, imports: Sequence[Row]) -> DataFrame:
    """The imports with `behind`, `received_until` (import_rows), and `log_index` and `clock` of their import records.

    `log` are all accepted entries with the import records (archive.to_log), `imports` rows of the lake's table of them.
    """
    names = ("shop_id", "import_id", "number", "events_snapshot")
    reached = reached_at(log, [(one["shop_id"], one["log_until"], True) for one in imports])
    noted = []
    for one in imports:
        behind = reached[one["shop_id"], one["log_until"], True]
        policies_known = one.get("policies_known") or 0
        noted.append((*(one[name] for name in names), policies_known, behind.log_index, behind.received_clock))
    import_records = log.where("import_id is not null").groupBy("shop_id", "import_id")
    recorded = import_records.agg(F.min("log_index").alias("log_index"), F.min_by("clock", "log_index").alias("clock"))
    far = (F.coalesce(name, F.lit(NOT_YET)).alias(name) for name in ("log_index", "clock"))
    located = log.sparkSession.createDataFrame(noted, _LOCATED_DDL).join(recorded, ["shop_id", "import_id"], "left")
    return located.select(*names, *far, "policies_known", "behind", "received_until")


def lake_events(spark: SparkSession, snapshot: int | None) -> DataFrame:
    """The lake's events at a snapshot as those of a log (FIELDS), with a hash of their `content`."""
    return read_events(spark, snapshot=snapshot).select(*event_columns()).withColumn("content", content_hash())


def noted_events(spark: SparkSession, import_ids: Sequence[str]) -> DataFrame:
    """The events that imports hold, as noted in the lake: import_id, shop_id, event_id, content; each row once."""
    noted = read_table(spark, IMPORTED_EVENTS, made_by="materialize_histories")
    return noted.where(F.col("import_id").isin(list(import_ids))).distinct()


def read_contents(spark: SparkSession, noted: DataFrame, imports: Sequence[Row]) -> DataFrame:
    """Noted events (import_id, shop_id, event_id, content) with all their fields.

    They are looked up in the present lake; an event of another content there, in the lake as it was when the import was
    made. InputError for an event that was not there then either.
    """
    key = ["shop_id", "event_id", "content"]
    now = noted.join(lake_events(spark, None), key)
    other = noted.join(now.select(*key), key, "left_anti").cache()
    found = [now]
    changed = {row["import_id"] for row in other.select("import_id").distinct().collect()}
    for one in imports:
        if one["import_id"] in changed:
            own = other.where(F.col("import_id") == one["import_id"])
            then = own.join(lake_events(spark, int(one["events_snapshot"])), key)
            if then.count() < own.count():
                raise InputError(f"found no longer all events of import {one['import_id']} in the lake, expected them")
            found.append(then)
    contents = found[0]
    for more in found[1:]:
        contents = contents.unionByName(more)
    return contents.select("import_id", *FIELDS, "content")
