"""Rebuilt shops: everything that a version of the fold would hold of each, as items beside those of another version."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.adapters.state_table import StateTable
from service_quality.commit.state_items import HistoryItem, carry_alerts, encode_histories, stored_days, stored_key
from service_quality.conversations.conversation import CONVERSATION_RETENTION
from service_quality.features.declarations import FeatureSet
from service_quality.histories.history import HistoryPlan
from service_quality.histories.windows import LONGEST_REACH
from service_quality.instants import DAY, SECOND
from spark_jobs.backfill.history_items import build_history_items
from spark_jobs.backfill.writing import put_all, table_item

Row = dict[str, Any]

_LOOKED_UP = 100  # BatchGetItem's own limit


@dataclass(frozen=True)
class ShopToRebuild:
    """A shop whose state is rebuilt up to the position `follows`, from that of a generation to another one."""

    shop_id: str
    follows: str
    generation: str
    rebuild_id: str


def shop_ends(spark: SparkSession, log: DataFrame, shops: Sequence[ShopToRebuild]) -> DataFrame:
    """The shops with their clocks at the ends of their logs: generation, rebuild_id, ended, received_until."""
    named = spark.createDataFrame(
        [(one.shop_id, one.generation, one.rebuild_id) for one in shops],
        "shop_id string, generation string, rebuild_id string",
    )
    ends = log.groupBy("shop_id").agg(F.max("clock").alias("ended"), F.max("received_clock").alias("received_until"))
    return named.join(F.broadcast(ends), "shop_id")


def build_rebuilt_items(states: DataFrame, found: DataFrame, ends: DataFrame, features: FeatureSet) -> DataFrame:
    """The items of folded states (folding.STATE_DDL): shop_id, key, data, generation, rebuild_id.

    `found` are those whom findings are about (findings.read_found). `data` is null for an entity of which only alerts
    and findings may be left. A conversation beyond retention has no item.
    """
    located = states.join(F.broadcast(ends), "shop_id")
    conversations = located.where(F.col("conversation").isNotNull() & _is_within_retention("touched_at")).select(
        "shop_id", F.col("fold_key").alias("key"), F.col("conversation").alias("data")
    )
    named = located.select("shop_id", F.explode("subjects").alias("key")).unionByName(found)
    subjects = named.withColumn("data", F.lit(None).cast("binary"))
    histories = _build_histories(located, features.plan).select("shop_id", "key", "data")
    entities = histories.unionByName(subjects).groupBy("shop_id", "key").agg(F.max("data").alias("data"))
    return conversations.unionByName(entities).join(F.broadcast(ends.drop("ended", "received_until")), "shop_id")


def _build_histories(located: DataFrame, plan: HistoryPlan) -> DataFrame:
    exploded = located.select(
        "shop_id", F.lit("").alias("import_id"), F.col("ended").alias("clock"), F.explode("facts").alias("fact")
    )
    facts = exploded.select("shop_id", "import_id", "clock", "fact.*")
    return build_history_items(facts.where(F.col("at") >= F.col("clock") - LONGEST_REACH), {"": plan})


def pending_parts(states: DataFrame, ends: DataFrame) -> DataFrame:
    """The parts of imports that conversations have not absorbed: shop_id, import_id, kind, key, data."""
    parts = states.join(F.broadcast(ends), "shop_id").select(
        "shop_id", "rebuild_id", "received_until", F.col("fold_key").alias("key"), F.posexplode("parts")
    )
    return parts.where(_is_within_retention("col.touched_at")).select(
        "shop_id",
        F.concat_ws("-", "rebuild_id", "pos").alias("import_id"),
        F.lit("conversations").alias("kind"),
        "key",
        F.col("col.data").alias("data"),
    )


def _is_within_retention(touched_at: str) -> Column:
    return F.col("received_until") - F.col(touched_at) <= CONVERSATION_RETENTION


def write_rebuilt_items(items: DataFrame, table: str, plan: HistoryPlan) -> dict[str, int]:
    """Put every item into the state table, from the executors, with the alerts of the item before it.

    The number of items by shop. A second write of a rebuild writes the same items.
    """
    region = boto3.session.Session().region_name  # the driver's: an executor elsewhere may have no region

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        writer = _Writer(boto3.client("dynamodb", region_name=region), table, plan)
        for batch in batches:
            rows = batch.to_pylist()
            for first in range(0, len(rows), _LOOKED_UP):
                written = writer.write(rows[first : first + _LOOKED_UP])
                yield pa.RecordBatch.from_pydict({"shop_id": pa.array(written, pa.string())})

    counts = items.mapInArrow(write, "shop_id string").groupBy("shop_id").count().collect()
    return {row["shop_id"]: row["count"] for row in counts}


@dataclass(frozen=True)
class _Writer:
    dynamodb: Any
    table: str
    plan: HistoryPlan

    def write(self, rows: Sequence[Row]) -> list[str]:
        """Write the items of rows; the shop of each item that was written."""
        before = self._read_before(rows)
        items, shops = [], []
        now = int(time.time())
        for row in rows:
            data = self._with_alerts(row["data"], before.get((row["shop_id"], row["key"])))
            if data is None:
                continue
            key = stored_key(row["key"], row["rebuild_id"])
            stored: dict[str, object] = {"shop_id": row["shop_id"], "key": key, "data": data}
            items.append(table_item(stored, now + (stored_days(row["key"]) or 0) * DAY // SECOND))
            shops.append(row["shop_id"])
        put_all(self.dynamodb, self.table, items)
        return shops

    def _with_alerts(self, data: bytes | None, before: bytes | None) -> bytes | None:
        if before is None:
            return data
        rebuilt = data if data is not None else encode_histories(HistoryItem(), self.plan)
        carried = carry_alerts(rebuilt, before=before)
        return carried if data is not None or carried != rebuilt else None

    def _read_before(self, rows: Sequence[Row]) -> Mapping[tuple[str, str], bytes]:
        store = StateTable(self.dynamodb, self.table, alerts_table="", rejected=lambda _: None)
        found: dict[tuple[str, str], bytes] = {}
        for shop_id in {row["shop_id"] for row in rows}:
            keys = {stored_key(row["key"], row["generation"]): row["key"] for row in rows if row["shop_id"] == shop_id}
            stored = store.read_items(shop_id, sorted(keys))
            found |= {(shop_id, keys[key]): data for key, data in stored.items()}
        return found
