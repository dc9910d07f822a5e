"""materialize_histories without Spark: a shop's past through the job's own fold, items and packs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from service_quality.events.control_records import HistoryImported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from spark_jobs.backfill.history_items import build_history_items
from spark_jobs.logs.folding import _fold_past_group, whole_facts
from spark_jobs.materialize_histories import _pack, _remembered
from tests.parity.log_rows import Row, log_rows
from tests.parity.spark_reader import SparkPast

FACTS_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("shop_id", "attributes", "name")),
        *((name, pa.int64()) for name in ("at", "value", "clock")),
    ]
)


@dataclass(frozen=True)
class Materialized:
    """Items by key, their packs by key, the mark, and the same past for the Spark reader."""

    items: dict[str, bytes]
    packs: dict[str, bytes]
    mark: HistoryImported
    past: SparkPast


def materialize(past: Sequence[InteractionEvent], features: FeatureSet, *, buckets: int = 3) -> Materialized:
    """The past, in log order, as the job would write it."""
    rows = log_rows(enumerate(past, 1))
    clock, received_clock = rows[-1]["clock"], rows[-1]["received_clock"]
    shop_id = past[0].shop_id
    rows.sort(key=itemgetter("fold_key", "place"))
    kept = whole_facts(features)
    folded = [_fold_past_group(group, kept) for _, group in groupby(rows, key=itemgetter("fold_key"))]
    facts = [fact for row in folded for fact in row["facts"]]
    items = {row["key"]: row["data"] for row in history_items(facts, features, shop_id=shop_id, clock=clock)}
    for row in folded:
        batch = pa.RecordBatch.from_pylist([row | {"received_clock": received_clock}])
        items |= {one["key"]: one["data"] for found in _remembered([batch]) for one in found.to_pylist()}
    mark = HistoryImported(shop_id=shop_id, import_id="past", clock=clock, buckets=buckets, items=len(items))
    conversations = {row["fold_key"]: row["conversation"] for row in folded}
    return Materialized(items, packs_of(items, mark), mark, SparkPast(conversations, facts))


def history_items(facts: list[Row], features: FeatureSet, *, shop_id: str, clock: int) -> list[Row]:
    """Rows of history_items.ITEM_DDL."""
    table = pa.Table.from_pylist(
        [fact | {"shop_id": shop_id, "clock": clock} for fact in facts],
        schema=FACTS_SCHEMA,
    )
    rows: list[Row] = build_history_items(table, features.plan).to_pylist()
    return rows


def packs_of(items: dict[str, bytes], mark: HistoryImported) -> dict[str, bytes]:
    """The items packed, by pack key: each bucket by itself, as the job groups them."""
    packs: dict[str, bytes] = {}
    by_bucket: dict[int, list[Row]] = {}
    common = {"shop_id": mark.shop_id, "import_id": mark.import_id, "buckets": mark.buckets}
    for key, data in items.items():
        by_bucket.setdefault(bucket_of(key, mark.buckets), []).append({"key": key, "data": data, **common})
    for rows in by_bucket.values():
        (packed,) = _pack(pa.Table.from_pylist(rows)).to_pylist()
        packs[packed["key"]] = packed["data"]
    return packs


def bucket_of(key: str, buckets: int) -> int:
    """CRC-32 of the key, bit by bit, as Spark's crc32 and the functions' zlib both have to give it."""
    crc = 0xFFFFFFFF
    for byte in key.encode():
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF) % buckets
