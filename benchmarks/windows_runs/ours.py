"""The windows of a synthetic log by Spark: one shuffle by shop, then the product's own prefix sums in mapInArrow."""

import argparse
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from benchmarks.process_usage import print_numbers
from benchmarks.windows_runs.question import CONTACTS, ENTITIES, SUMMED, Answer, answers
from service_quality.histories.windows import WINDOWS
from spark_jobs.reader.window_sums import EntityFacts, Integers, ReadPoints, SortedFacts
from spark_jobs.session.start import start_session

_PARTITIONS = 16
_BATCH_ROWS = 50_000
_ANSWER_DDL = "log_index bigint, " + ", ".join(f"{answer.name} bigint" for answer in answers())


def read_windows(log: DataFrame) -> DataFrame:
    """All answers for every row of the log."""
    return log.repartition(_PARTITIONS, "shop").mapInArrow(_answer_shops, _ANSWER_DDL)


def _answer_shops(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Whole shops in, their rows out in pieces that the other side of the pipe can hold."""
    received = list(batches)
    if not received:
        return
    rows = pa.Table.from_batches(received)
    shops = rows.column("shop").to_numpy()
    for shop in np.unique(shops):
        yield from _answer(rows.filter(shops == shop)).to_batches(_BATCH_ROWS)


def _answer(shop: pa.Table) -> pa.Table:
    log_index, clock, at = (_integers(shop, name) for name in ("log_index", "clock", "occurred_at"))
    values = {CONTACTS: np.ones_like(log_index), **{name: _integers(shop, name) for name in SUMMED}}
    columns = {"log_index": log_index}
    for name in ENTITIES:
        entity = _integers(shop, name)
        facts = SortedFacts(EntityFacts(entity, log_index, clock, at, values), ReadPoints(entity, log_index, clock))
        for window in WINDOWS.values():
            reader = facts.over(window)
            columns |= {Answer(name, window, fact).name: reader.totals(fact) for fact in values}
    return pa.table(columns)


def _integers(table: pa.Table, name: str) -> Integers:
    return table.column(name).to_numpy().astype(np.int64)


def main() -> None:
    """Read a log, drop all rows of the answer as they come; with --answer read it again and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("--answer", type=Path)
    options = parser.parse_args()
    begin = time.perf_counter()
    spark = start_session("windows", str(options.log.parent / "lake"))
    started = time.perf_counter()
    answer = read_windows(spark.read.parquet(str(options.log)))
    answer.write.format("noop").mode("overwrite").save()
    ended = time.perf_counter()
    seconds = {"session": started - begin, "windows": ended - started}
    if options.answer:
        answer.write.option("parquet.enable.dictionary", "false").parquet(str(options.answer))
        seconds["written"] = time.perf_counter() - ended
    spark.stop()
    print_numbers(seconds)


if __name__ == "__main__":
    main()
