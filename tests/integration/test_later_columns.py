"""A lake of an earlier release gets the columns of a later one, and its earlier versions can still be read."""

import pytest
from pyspark.sql import functions as F

from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import EVENTS, EVENTS_SCHEMA, read_events, write_events
from spark_jobs.logs.log_table import LOG, LOG_TYPES, create_log, read_log
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark
LATER = ("status", "sequence", "stated_at", "courtesy", "search_term")


def test_events_and_log_of_an_earlier_release_get_the_later_columns(tmp_path):
    spark = start_session("test", str(tmp_path / "lake"))
    known = {"event_id": "old", "shop_id": "shop", "kind": "rated"}
    old = spark.range(1).select(
        *(F.lit(known.get(one.name)).cast(one.dataType).alias(one.name) for one in EVENTS_SCHEMA)
    )
    write_events(old)
    create_log(spark)
    for table in (EVENTS, LOG):
        spark.sql(f"ALTER TABLE {table} DROP COLUMNS ({', '.join(LATER)})")
    before = snapshot_of(spark, EVENTS)
    assert read_events(spark).where("event_id = 'old' and status is null").count() == 1
    assert read_log(spark).where("courtesy is null").count() == 0

    create_log(spark)
    write_events(
        old.withColumns({"event_id": F.lit("new"), "status": F.lit("open"), "sequence": F.lit(7).cast("bigint")})
    )

    assert sorted(spark.table(LOG).columns) == sorted(LOG_TYPES)
    rows = {row["event_id"]: (row["status"], row["sequence"]) for row in read_events(spark).collect()}
    assert rows == {"old": (None, None), "new": ("open", 7)}
    earlier = read_events(spark, snapshot=before)
    assert set(earlier.columns) == set(EVENTS_SCHEMA.fieldNames())
    assert [row["status"] for row in earlier.collect()] == [None]
