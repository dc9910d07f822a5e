"""What the functions served of entities, as the log holds it: one row an event and task."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from service_quality.tasks.declared_tasks import Task
from spark_jobs.logs.archive import floats_in, to_batch

SERVED_TASK_SCHEMA = pa.schema(
    [
        ("shop_id", pa.string()),
        ("log_index", pa.int64()),
        ("served_clock", pa.int64()),
        ("served_vector", pa.list_(pa.float32())),
        ("fingerprint", pa.string()),
        ("score_failed", pa.string()),
    ]
)
SERVED_TASK_DDL = (
    "shop_id string, log_index bigint, served_clock bigint, served_vector array<float>, fingerprint string, "
    "score_failed string"
)


def read_served(log: DataFrame, task: Task) -> DataFrame:
    """What was served of a task's entities at the accepted entries of a log (SERVED_TASK_DDL).

    `fingerprint` is that of the task's features; a vector without a score is of a model that failed.
    """
    name = task.name

    def parse(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = (_served(row, name) for row in batch.to_pylist())
            yield to_batch([row for row in rows if row is not None], SERVED_TASK_SCHEMA)

    own = log.where("tasks is not null").select("shop_id", "log_index", "served_clock", "tasks")
    return own.mapInArrow(parse, SERVED_TASK_DDL)


def _served(row: dict[str, Any], task: str) -> dict[str, Any] | None:
    served = json.loads(row.pop("tasks")).get(task)
    if served is None:
        return None
    return row | {
        "served_vector": floats_in(served["vector"]),
        "fingerprint": served["features"],
    }
