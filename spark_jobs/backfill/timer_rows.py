"""The timers of rebuilt and of imported conversations, as the rows by which they ring."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import boto3
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.adapters.state_table import outbox_item
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.state_items import decode_conversation
from service_quality.commit.timer_messages import BEHIND_MS
from service_quality.commit.timers import timer_row
from service_quality.conversations.conversation import CONTACT
from service_quality.conversations.wait_stages import Deadline
from service_quality.events.identifiers import SEPARATOR
from service_quality.instants import SECOND
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


def write_new_timers(folded: DataFrame, table: str, *, now: int) -> int:
    """Put the rows of timers of imported conversations (folding.IMPORT_SCHEMA) into the alerts table; returns how many.

    `now` is the wall clock, in epoch milliseconds: what was due a day before it rings no more. A conversation that has
    a row keeps it, since its events on the log wrote that one; the next of them knows the import.
    """
    region = boto3.session.Session().region_name  # the driver's: an executor elsewhere may have no region

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            dynamodb = boto3.client("dynamodb", region_name=region)
            found = new_timers(batch.to_pylist())
            written = sum(_put_new(dynamodb, table, outbox_item(row, now=now // SECOND)) for row in found)
            yield pa.RecordBatch.from_pydict({"written": pa.array([written], pa.int64())})

    due_at = F.get_json_object("deadline", "$[0]").cast("long")
    waits = folded.where((due_at >= now - BEHIND_MS) & F.col("fold_key").startswith(_PREFIX))
    written = waits.select("shop_id", "fold_key", "deadline").mapInArrow(write, "written bigint")
    found = written.agg(F.sum("written")).first()
    return int(found[0] or 0) if found is not None else 0


def new_timers(rows: Sequence[Row]) -> list[OutboxRow]:
    """The rows of the timers of imported conversations (shop_id, fold_key, deadline)."""
    return [
        timer_row(row["shop_id"], row["fold_key"].removeprefix(_PREFIX), Deadline(*json.loads(row["deadline"])))
        for row in rows
    ]


def _put_new(dynamodb: Any, table: str, item: Mapping[str, Any]) -> bool:
    """Put an item where there is none of its key."""
    try:
        dynamodb.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(stream_key)")
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def timers_in(rows: Sequence[Row]) -> list[OutboxRow]:
    """The rows of the timers of conversations, whose items these rows hold."""
    timers = ((row, decode_conversation(bytes(row["data"]), row["shop_id"]).timer) for row in rows)
    return [
        timer_row(row["shop_id"], row["key"].removeprefix(_PREFIX), timer) for row, timer in timers if timer is not None
    ]
