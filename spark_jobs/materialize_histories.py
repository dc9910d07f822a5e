"""Materialize histories: bring a shop's past into the functions' state, by one mark on its log."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import Row as SparkRow
from pyspark.sql import functions as F

from service_quality.commit.state_items import decode_conversation, encode_pack, pack_key
from service_quality.conversations.conversation import REMEMBERED
from service_quality.events.control_records import HistoryImported
from service_quality.features.feature_set import FEATURES
from service_quality.instants import format_instant
from spark_jobs.backfill.history_items import ITEM_DDL, build_history_items
from spark_jobs.backfill.shop_past import import_id, past_log
from spark_jobs.backfill.writing import mark_logs, read_control_key, write_packs
from spark_jobs.command_line import instant_argument, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import EVENTS, IMPORTS_SCHEMA, read_events, record_imports, snapshot_of
from spark_jobs.logs.folding import fold_past

_DESCRIPTION = """Writes what the lake knows of each shop's past, up to an instant, as immutable import items beside the
functions' state, then puts one history_imported event on the shop's log: from that position on the past counts, once,
whatever the stream has already written. The same past gives the same import; importing it again changes nothing."""

_MARK = ("shop_id", "import_id", "clock", "buckets")
_ITEMS_PER_PACK = 64
PACK_DDL = "shop_id string, key string, data binary"

Row = dict[str, Any]


def shop_clocks(log: DataFrame) -> DataFrame:
    """Where each shop's past ends: shop_id, clock, received_clock."""
    return log.groupBy("shop_id").agg(F.max("clock").alias("clock"), F.max("received_clock").alias("received_clock"))


def build_items(log: DataFrame, clocks: DataFrame) -> DataFrame:
    """All items of the past (ITEM_DDL): each entity's histories, each conversation that is still remembered."""
    folded = fold_past(log, FEATURES).join(F.broadcast(clocks), "shop_id").cache()
    facts = folded.select("shop_id", "clock", F.explode("facts").alias("fact")).select("shop_id", "clock", "fact.*")
    plan = FEATURES.plan
    histories = facts.groupBy("shop_id").applyInArrow(lambda shop: build_history_items(shop, plan), ITEM_DDL)
    conversations = folded.select("shop_id", "fold_key", "conversation", "received_clock").mapInArrow(
        _remembered, ITEM_DDL
    )
    return histories.unionByName(conversations)


def build_packs(items: DataFrame, imports: list[Row], spark: SparkSession) -> DataFrame:
    """Items packed by the hash of their keys (PACK_DDL); `imports` name each shop's import and its buckets."""
    named = spark.createDataFrame(
        [(one["shop_id"], one["import_id"], one["buckets"]) for one in imports],
        "shop_id string, import_id string, buckets int",
    )
    packed = items.join(F.broadcast(named), "shop_id").withColumn("bucket", F.crc32("key") % F.col("buckets"))
    return packed.groupBy("shop_id", "bucket").applyInArrow(_pack, PACK_DDL)


def _remembered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows = [
            {"shop_id": row["shop_id"], "key": row["fold_key"], "data": row["conversation"]}
            for row in batch.to_pylist()
            if row["received_clock"] - decode_conversation(row["conversation"], row["shop_id"]).conversation.touched_at
            <= REMEMBERED
        ]
        yield pa.RecordBatch.from_pylist(
            rows, schema=pa.schema([("shop_id", pa.string()), ("key", pa.string()), ("data", pa.binary())])
        )


def _pack(items: pa.Table) -> pa.Table:
    rows = items.to_pylist()
    first = rows[0]
    key = pack_key(first["import_id"], first["key"], first["buckets"])
    data = encode_pack({row["key"]: row["data"] for row in rows})
    return pa.table({"shop_id": [first["shop_id"]], "key": [key], "data": pa.array([data], pa.binary())})


def describe_import(shop: SparkRow, *, items: int, snapshot: int, as_of: int) -> dict[str, Any]:
    """A row of the lake's imports; `shop` has its id and the clock that its past had reached."""
    return {
        "import_id": import_id(
            shop_id=shop["shop_id"],
            snapshot=snapshot,
            as_of=format_instant(as_of),
            plan_digest=FEATURES.plan.digest,
        ),
        "shop_id": shop["shop_id"],
        "events_snapshot": snapshot,
        "as_of": as_of,
        "clock": shop["clock"],
        "buckets": -(-items // _ITEMS_PER_PACK),
    }


def main(arguments: Sequence[str]) -> None:
    """Entry point: fold the past, write the packs, note the imports in the lake, mark the logs."""
    parser = job_parser("materialize_histories", _DESCRIPTION)
    parser.add_argument("--as-of", type=instant_argument, required=True, metavar="DAY", help="where the past ends")
    parser.add_argument("--state-table", required=True, metavar="NAME", help="the functions' state table")
    parser.add_argument("--event-stream", required=True, metavar="NAME", help="the stream of the shops' logs")
    parser.add_argument("--control-key-secret", required=True, metavar="ARN", help="the key that signs the marks")
    options = parser.parse_args(arguments)
    spark = session_for(options, "materialize_histories")
    snapshot = snapshot_of(spark, EVENTS)  # before the events, so that they are read from no later one
    events = read_events(spark, snapshot=snapshot)
    as_of = F.timestamp_millis(F.lit(options.as_of))
    log = past_log(events, as_of).cache()
    clocks = shop_clocks(log)
    items = build_items(log, clocks).cache()
    counts = {
        row["shop_id"]: row["items"] for row in items.groupBy("shop_id").agg(F.count("*").alias("items")).collect()
    }
    if not counts:
        raise InputError(f"found no event before {format_instant(options.as_of)}, expected at least one")
    imports = [
        describe_import(row, items=counts[row["shop_id"]], snapshot=snapshot or 0, as_of=options.as_of)
        for row in clocks.collect()
    ]
    packs = write_packs(build_packs(items, imports, spark), options.state_table)
    record_imports(spark.createDataFrame(imports, IMPORTS_SCHEMA))
    marks = [HistoryImported(**{name: one[name] for name in _MARK}, items=counts[one["shop_id"]]) for one in imports]
    mark_logs(options.event_stream, marks, read_control_key(options.control_key_secret))
    summary = {
        "shops": len(imports),
        "items": sum(counts.values()),
        "packs": packs,
        "events_snapshot": snapshot,
        "imports": {one["shop_id"]: one["import_id"] for one in imports},
    }
    print_summary(
        f"materialize_histories: {summary['items']} items of {len(imports)} shops in {packs} packs"
        f" as of {format_instant(options.as_of)}",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
