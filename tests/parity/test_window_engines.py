"""Engines that are compared by speed give the same answer, value by value."""

import pytest

from benchmarks.windows import OURS, PANDAS, Log, measure_in_turn


@pytest.mark.spark
@pytest.mark.slow
def test_pandas_answers_as_spark_does(tmp_path):
    log = Log(tmp_path, thousands=20, skewed=True).write()

    ours, pandas = measure_in_turn([(OURS, log), (PANDAS, log)], 1, print)

    assert ours.peak_mb > pandas.peak_mb > 50
    assert [row.what for row in pandas.rows] == [
        f"pandas, {log.name}, {what}"
        for what in ("windows alone", "windows and answer as Parquet", "windows alone", "largest process")
    ]
