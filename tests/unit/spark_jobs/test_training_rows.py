"""The rows of a training: on every core, and of the latest no more than the challenger may learn from."""

import pytest

from spark_jobs.learning import challenger
from spark_jobs.learning.challenger import latest_rows
from spark_jobs.learning.linear_training import on_every_core
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark


@pytest.fixture
def rows(tmp_path):
    spark = start_session("test", str(tmp_path))
    made = spark.range(4_000).selectExpr("'shop' as shop_id", "cast(id as string) as unit_id", "id * 7 as at")
    return made.coalesce(1)


def test_every_core_has_its_part_of_the_rows(rows):
    cores = rows.sparkSession.sparkContext.defaultParallelism

    parts = on_every_core(rows).rdd.glom().map(len).collect()

    assert len(parts) == cores > 1
    assert min(parts) > 4_000 / cores / 2


def test_latest_rows_are_cut_where_they_are(rows, monkeypatch):
    monkeypatch.setattr(challenger, "_MOST_ROWS", 100)

    found = sorted(row["at"] for row in latest_rows(rows, 4_000).collect())

    assert found == [number * 7 for number in range(4_000 - len(found), 4_000)]
    assert 100 <= len(found) <= 110


def test_few_rows_are_all_the_latest(rows, monkeypatch):
    monkeypatch.setattr(challenger, "_MOST_ROWS", 4_000)

    assert latest_rows(rows, 4_000) is rows
