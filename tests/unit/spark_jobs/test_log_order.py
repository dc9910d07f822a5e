"""The order of logs that are cut into pieces equals a loop over each shop's log, and no task holds a shop."""

from itertools import accumulate
from random import Random

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.logs import log_order
from spark_jobs.logs.log_order import Reached, locate_in_logs, reached_at
from spark_jobs.session.start import start_session

pytestmark = pytest.mark.spark
LOG_DDL = "shop_id string, position string, occurred_at long, received_at long"
ROWS = {"big": 900, "middling": 90, "small": 3}


@pytest.fixture
def logs(tmp_path, monkeypatch) -> tuple[DataFrame, dict[str, list[tuple]]]:
    """Logs of three shops in no order, long enough for pieces, and the same by shop in their order."""
    monkeypatch.setattr(log_order, "_ROWS_A_SAMPLE", 4)
    monkeypatch.setattr(log_order, "_SAMPLES_A_PIECE", 8)
    chance = Random(3)
    by_shop = {
        shop_id: [(shop_id, f"{number:06}", chance.randrange(500), chance.randrange(500)) for number in range(rows)]
        for shop_id, rows in ROWS.items()
    }
    rows = [row for own in by_shop.values() for row in own]
    chance.shuffle(rows)
    spark = start_session("test", str(tmp_path))
    return spark.createDataFrame(rows, LOG_DDL).repartition(3), by_shop


def expected(own: list[tuple]) -> list[tuple]:
    clocks = accumulate((min(row[2:]) for row in own), max)
    received = accumulate((row[3] for row in own), max)
    return [(*row, number, *both) for number, (row, *both) in enumerate(zip(own, clocks, received, strict=True), 1)]


def test_log_in_pieces_equals_the_loop(logs):
    log, by_shop = logs

    located = locate_in_logs(log, [F.col("position")])

    found = sorted(tuple(row) for row in located.collect())
    assert found == [row for own in sorted(by_shop.values()) for row in expected(own)]


def test_task_orders_a_piece_and_no_shop(logs):
    log, _ = logs
    places = F.struct("shop_id", F.col("position").alias("part0"))

    starts = log_order._choose_starts(log, places)

    pieces = [sum(start["shop_id"] == shop_id for start in starts) + 1 for shop_id in ROWS]
    assert pieces[0] > ROWS["big"] / 4 / 8 / 2
    assert pieces[2] == 1
    plan = locate_in_logs(log, [F.col("position")])._jdf.queryExecution().executedPlan().toString()
    assert "hashpartitioning(shop_id#" in plan
    assert all("piece#" in line for line in plan.splitlines() if "hashpartitioning(shop_id#" in line)


def test_log_has_reached_what_lies_before_a_bound(logs):
    log, by_shop = logs
    bounds = [
        (shop_id, position, is_before)
        for shop_id in ROWS
        for position in ("", "000000", "000002", "000400", "9")
        for is_before in (False, True)
    ]

    found = reached_at(log, bounds)

    for shop_id, position, is_before in bounds:
        before = [row for row in by_shop[shop_id] if row[1] < position or (is_before and row[1] == position)]
        last = expected(before)[-1][4:] if before else ()
        assert found[shop_id, position, is_before] == Reached(*last)


def test_nothing_was_asked_of_no_bounds(logs):
    log, _ = logs

    assert reached_at(log, []) == {}
    assert reached_at(log, [("unknown", "9", True)]) == {("unknown", "9", True): Reached()}
