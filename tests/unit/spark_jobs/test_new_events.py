"""The events of the lake that an import has to bring."""

import pytest

from spark_jobs.backfill.new_events import select_new
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark

LAKE = [("s", "new", "a"), ("s", "on log", "a"), ("s", "imported", "a"), ("s", "changed", "b"), ("s", "back", "a")]
LOG = [("s", "on log", "a"), ("s", "changed", "a"), ("s", "back", "a"), ("other", "new", "a")]
IMPORTED = [("s", "imported", "a", 1), ("s", "back", "b", 1), ("s", "back", "c", 2)]


def test_event_is_new_where_neither_log_nor_imports_hold_it_in_this_content(tmp_path):
    spark = start_session("test", str(tmp_path))
    columns = "shop_id string, event_id string, content string"
    lake, log = (spark.createDataFrame(rows, columns) for rows in (LAKE, LOG))
    imported = spark.createDataFrame(IMPORTED, f"{columns}, number int")

    found = select_new(lake, log, imported).collect()

    assert {row["event_id"] for row in found} == {"new", "changed", "back"}
    assert select_new(lake, log, imported).columns == lake.columns
