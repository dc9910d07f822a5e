"""The timers of rebuilt conversations, as the rows by which they ring."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import boto3
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.adapters.state_table import outbox_item
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.state_items import decode_conversation
from service_quality.commit.timers import timer_row
from service_quality.conversations.conversation import CONTACT
from service_quality.events.identifiers import SEPARATOR
from spark_jobs.backfill.writing import put_all

Row = dict[str, Any]

_PREFIX = CONTACT + SEPARATOR


def write_timers(items: DataFrame, table: str) -> int:
    """Put the row of every timer of rebuilt items (shop_id, key, data) into the alerts table; returns their number.

    The fold writes such a row where the deadline of a conversation changes, and a rebuild may change it, or find one
    that the version before did not know. A row only says when to look, so one too many changes nothing.
    """
    region = boto3.session.Session().region_name  # the driver's: an executor elsewhere may have no region

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        dynamodb = boto3.client("dynamodb", region_name=region)
        for batch in batches:
            found = timers_in(batch.to_pylist())
            put_all(dynamodb, table, [outbox_item(row, now=int(time.time())) for row in found])
            yield pa.RecordBatch.from_pydict({"written": pa.array([len(found)], pa.int64())})

    conversations = items.where(F.col("key").startswith(_PREFIX) & F.col("data").isNotNull())
    written = conversations.select("shop_id", "key", "data").mapInArrow(write, "written bigint").agg(F.sum("written"))
    found = written.first()
    return int(found[0] or 0) if found is not None else 0


def timers_in(rows: Sequence[Row]) -> list[OutboxRow]:
    """The rows of the timers of conversations, whose items these rows hold."""
    timers = ((row, decode_conversation(bytes(row["data"]), row["shop_id"]).timer) for row in rows)
    return [
        timer_row(row["shop_id"], row["key"].removeprefix(_PREFIX), timer) for row, timer in timers if timer is not None
    ]
