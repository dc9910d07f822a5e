"""The events that entered a shop with each import, computed from lake and archive alone.

The job that makes imports decides the same by other means (backfill/new_events.py), and its notes are not read here,
so that an error of either is seen.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.interaction_event import FIELDS
from spark_jobs.logs.import_rows import OF_IMPORT, content_hash
from spark_jobs.logs.time_rows import interaction_events

Row = dict[str, Any]

_ENTERED = pa.schema([("shop_id", pa.string()), ("event_id", pa.string()), ("number", pa.int64())])
_ENTERED_DDL = "shop_id string, event_id string, number bigint"


def events_by_import(offered: DataFrame, log: DataFrame) -> DataFrame:
    """The events that entered with each import (FIELDS and OF_IMPORT).

    `offered` are, for each import, all events of the shop that the lake held when it was made, from before its end
    (FIELDS, content and OF_IMPORT); `log` are the accepted events of the archive.
    """
    ids = ["shop_id", "event_id"]
    of_log = (F.lit(0).cast("bigint").alias("number"), "log_index", content_hash().alias("content"))
    archived = interaction_events(log).select(*ids, *of_log)
    offers = offered.select(*ids, F.col("number").cast("bigint"), F.col("behind").alias("log_index"), "content")
    entries = archived.join(offers.select(*ids).distinct(), ids, "left_semi").unionByName(offers)
    sorted_entries = entries.repartition("shop_id", "event_id").sortWithinPartitions("shop_id", "event_id", "number")
    entered = sorted_entries.mapInArrow(_entered, _ENTERED_DDL)
    return offered.join(entered, [*ids, "number"]).select(*FIELDS, *OF_IMPORT)


def _entered(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in batches for row in batch.to_pylist())
    for (shop_id, event_id), group in groupby(rows, key=itemgetter("shop_id", "event_id")):
        entered = [
            {"shop_id": shop_id, "event_id": event_id, "number": number} for number in imports_entered_with(group)
        ]
        if entered:
            yield pa.RecordBatch.from_pylist(entered, schema=_ENTERED)


def imports_entered_with(entries: Iterable[Row]) -> Iterator[int]:
    """The numbers of the imports that one event entered with, as new or in another content.

    `entries` by number: those of the archive (number 0: log_index, content), and the imports that could hold it (the
    last log index that each takes account of, content).
    """
    archived: list[Row] = []
    known: str | None = None
    for one in entries:
        if not one["number"]:
            archived.append(one)
            continue
        on_log = {row["content"] for row in archived if row["log_index"] <= one["log_index"]}
        if one["content"] not in (on_log if known is None else {known}):
            known = one["content"]
            yield one["number"]
