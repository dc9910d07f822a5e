"""The windows of a synthetic log by Spark: blocks, one shuffle by shop, then the product's own prefix sums."""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from benchmarks.process_usage import print_numbers
from benchmarks.windows_runs.question import ASKED, CONTACTS, ENTITIES, SUMMED, Answer, answers
from spark_jobs.reader.block_rows import BLOCK_DDL, FACTS, Block, blocks_in, gathered, narrow, to_batches
from spark_jobs.reader.window_sums import EntityFacts, Integers, ReadPoints, SortedFacts
from spark_jobs.session.start import start_session

_PARTITIONS = 16
_CUT_AT_ONCE = 250_000
_COLUMNS = ("log_index", "clock", "occurred_at", *ENTITIES, *SUMMED)
_BATCH_ROWS = 50_000
_ANSWER_DDL = "log_index bigint, " + ", ".join(f"{answer.name} bigint" for answer in answers())


def read_windows(log: DataFrame) -> DataFrame:
    """All answers for every row of the log."""
    by_shop = log.mapInArrow(_cut_shops, BLOCK_DDL).repartition(_PARTITIONS, "shop_id")
    return by_shop.mapInArrow(_answer_shops, _ANSWER_DDL)


def _cut_shops(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows in, blocks of a shop's rows out: Spark moves few values instead of nine columns."""
    for rows in gathered(batches, _CUT_AT_ONCE):
        shops = _integers(rows, "shop")
        order = np.argsort(shops, kind="stable")
        firsts = np.flatnonzero(np.diff(shops[order], prepend=-1))
        columns = {name: _integers(rows, name)[order] for name in _COLUMNS}
        ends = [*firsts[1:].tolist(), len(order)]
        yield from to_batches(
            (
                str(shops[order[first]]),
                Block(0, 0, FACTS, {name: narrow(one[first:end]) for name, one in columns.items()}),
            )
            for first, end in zip(firsts.tolist(), ends, strict=True)
        )


def _answer_shops(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The blocks of whole shops in, their rows out in pieces that the other side of the pipe can hold."""
    by_shop: dict[str, list[Mapping[str, Integers]]] = defaultdict(list)
    for shop_id, block in blocks_in(batches):
        by_shop[shop_id].append(block.content)
    for shop_id in sorted(by_shop):
        blocks = by_shop.pop(shop_id)
        shop = {name: np.concatenate([one[name] for one in blocks]).astype(np.int64) for name in _COLUMNS}
        yield from _answer(shop).to_batches(_BATCH_ROWS)


def _answer(shop: Mapping[str, Integers]) -> pa.Table:
    log_index, clock, at = (shop[name] for name in ("log_index", "clock", "occurred_at"))
    values = {CONTACTS: np.ones_like(log_index), **{name: shop[name] for name in SUMMED}}
    columns = {"log_index": log_index}
    for name in ENTITIES:
        facts = EntityFacts(shop[name], log_index, clock, at, values)
        read = SortedFacts(facts, ReadPoints(shop[name], log_index, clock))
        for window in ASKED.values():
            reader = read.over(window)
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
