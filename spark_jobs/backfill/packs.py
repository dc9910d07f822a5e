"""The items of an import in packs, by the hash of their keys."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.commit.state_items import encode_pack, pack_key

Row = dict[str, Any]

KINDS = ("histories", "conversations")
PACK_DDL = "shop_id string, key string, data binary"
_ITEMS_PER_PACK = 64
_MOST_PACK_BYTES = 200_000  # of an item's 400 KB: items are packed as text, and not all compress again
_MOST_DOUBLINGS = 12


def count_items(items: DataFrame, import_ids: Sequence[str]) -> dict[str, Row]:
    """The number of items of each kind of every import."""
    counts = items.groupBy("import_id").agg(*(F.count_if(F.col("kind") == kind).alias(kind) for kind in KINDS))
    found = {row["import_id"]: {kind: row[kind] for kind in KINDS} for row in counts.collect()}
    return {one: found.get(one, dict.fromkeys(KINDS, 0)) for one in import_ids}


def choose_buckets(items: DataFrame, counts: dict[str, Row]) -> dict[str, int]:
    """The number of packs of each import: about 64 items a pack, more packs where one would be too large."""
    buckets = {name: max(1, -(-sum(one[kind] for kind in KINDS) // _ITEMS_PER_PACK)) for name, one in counts.items()}
    sizes = items.select("import_id", F.crc32("key").alias("hash"), F.length("data").alias("bytes")).cache()
    for _ in range(_MOST_DOUBLINGS):
        packs = (
            _in_buckets(sizes, buckets)
            .groupBy("import_id", "bucket")
            .agg(F.sum("bytes").alias("bytes"), F.count("*").alias("items"))
        )
        over = (
            packs.where((F.col("bytes") > _MOST_PACK_BYTES) & (F.col("items") > 1))
            .select("import_id")
            .distinct()
            .collect()
        )
        if not over:
            break
        for row in over:
            buckets[row["import_id"]] *= 2
    sizes.unpersist()
    return buckets


def build_packs(items: DataFrame, buckets: dict[str, int]) -> DataFrame:
    """Items (shop_id, import_id, key, data) packed by the hash of their keys into an import's `buckets` (PACK_DDL)."""
    packed = _in_buckets(items.withColumn("hash", F.crc32("key")), buckets)
    return packed.groupBy("import_id", "bucket").applyInArrow(_pack, PACK_DDL)


def _in_buckets(items: DataFrame, buckets: dict[str, int]) -> DataFrame:
    named = items.sparkSession.createDataFrame(list(buckets.items()), "import_id string, buckets int")
    return items.join(F.broadcast(named), "import_id").withColumn("bucket", F.col("hash") % F.col("buckets"))


def _pack(items: pa.Table) -> pa.Table:
    rows = items.to_pylist()
    first = rows[0]
    key = pack_key(first["import_id"], first["key"], first["buckets"])
    data = encode_pack({row["key"]: row["data"] for row in rows})
    return pa.table({"shop_id": [first["shop_id"]], "key": [key], "data": pa.array([data], pa.binary())})
