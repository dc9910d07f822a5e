"""Writes a backfill to the functions' side: packs into the state table, import records onto the stream."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import boto3
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.adapters.secret_value import read_secret
from service_quality.commit.state_items import HISTORY_DAYS, item_key
from service_quality.errors import DependencyError
from service_quality.events.control_records import ControlRecord, HistoryImported
from service_quality.events.control_signatures import sign_control
from service_quality.instants import DAY, SECOND

TableItem = dict[str, dict[str, object]]
One = TypeVar("One")

_BATCH = 25  # BatchWriteItem's own limit
_RECORDS_A_CALL = 500  # PutRecords' own limit; a finding has a few kilobytes, of 5 MiB a call
_MOST_ATTEMPTS = 8
_KEPT = HISTORY_DAYS * DAY // SECOND  # by then every fact of an import has left, too


def write_packs(packs: DataFrame, table: str) -> int:
    """Put every pack (shop_id, key, data) into the state table, from the executors; returns their number.

    Packs are immutable and named by the origin of their content: a second write writes the same bytes.
    """
    region = boto3.session.Session().region_name  # the driver's: an executor elsewhere may have no region

    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        dynamodb = boto3.client("dynamodb", region_name=region)
        expires_at = int(time.time()) + _KEPT
        for batch in batches:
            items = [table_item(row, expires_at) for row in batch.to_pylist()]
            put_all(dynamodb, table, items)
            yield pa.RecordBatch.from_pydict({"written": pa.array([len(items)], pa.int64())})

    written = packs.mapInArrow(write, "written bigint").agg(F.sum("written")).first()
    return int(written[0] or 0) if written is not None else 0


def seal_imports(imports: Sequence[HistoryImported], table: str) -> None:
    """Put a seal beside the packs of each import: all of them are written."""
    dynamodb = boto3.client("dynamodb")
    expires_at = int(time.time()) + _KEPT
    for one in imports:
        seal: dict[str, object] = {"shop_id": one.shop_id, "key": _seal_key(one.import_id), "data": b"{}"}
        dynamodb.put_item(TableName=table, Item=table_item(seal, expires_at))


def unsealed(imports: Sequence[HistoryImported], table: str) -> list[str]:
    """The ids of the imports without a seal: some of their packs are missing in the state table."""
    if not imports:
        return []
    dynamodb = boto3.client("dynamodb")

    def is_sealed(one: HistoryImported) -> bool:
        key = {"item_key": {"S": f"{one.shop_id}\x1f{_seal_key(one.import_id)}"}}
        return "Item" in dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)

    return [one.import_id for one in imports if not is_sealed(one)]


def put_control_records(stream: str, records: Sequence[ControlRecord], key: bytes) -> list[int]:
    """Put records, signed with the deployment's key, on their shops' logs in order; returns their sequence numbers."""
    kinesis = boto3.client("kinesis")
    numbers = []
    for record in records:
        data = sign_control(record, key, issued_at=time.time_ns() // 1_000_000)
        put = kinesis.put_record(StreamName=stream, Data=data, PartitionKey=record.shop_id)
        numbers.append(int(put["SequenceNumber"]))
    return numbers


def put_many_control_records(stream: str, records: Sequence[ControlRecord], key: bytes) -> None:
    """Put records, signed with the deployment's key, on their shops' logs, many in a call and in any order.

    DependencyError where the stream keeps refusing some: those before them are on the logs, and a repeated run puts the
    same records.
    """
    kinesis = boto3.client("kinesis")

    def put(left: Sequence[ControlRecord]) -> Sequence[ControlRecord]:
        now = time.time_ns() // 1_000_000
        answers = kinesis.put_records(
            StreamName=stream,
            Records=[{"Data": sign_control(one, key, issued_at=now), "PartitionKey": one.shop_id} for one in left],
        )["Records"]
        return [one for one, answer in zip(left, answers, strict=True) if "ErrorCode" in answer]

    for start in range(0, len(records), _RECORDS_A_CALL):
        _put_until_taken(put, records[start : start + _RECORDS_A_CALL], f"{stream} did not take {{}} records")


def read_control_key(secret: str) -> bytes:
    """The deployment's key, by the name or ARN of its secret."""
    return read_secret(boto3.client("secretsmanager"), secret)


def _seal_key(import_id: str) -> str:
    return f"import\x1f{import_id}"


def put_all(dynamodb: Any, table: str, items: Sequence[Mapping[str, Any]]) -> None:
    """Put items into a table, many in a call; DependencyError when it keeps refusing some."""
    for start in range(0, len(items), _BATCH):
        _put(dynamodb, table, items[start : start + _BATCH])


def table_item(row: dict[str, object], expires_at: int) -> TableItem:
    """A row (shop_id, key, data) as an item of the state table that expires, in seconds of the wall clock."""
    return {
        "item_key": {"S": item_key(str(row["shop_id"]), str(row["key"]))},
        "data": {"B": row["data"]},
        "expires_at": {"N": str(expires_at)},
    }


def _put(dynamodb: Any, table: str, items: Iterable[Mapping[str, Any]]) -> None:
    """BatchWriteItem until every item is written."""

    def put(left: Sequence[Any]) -> Sequence[Any]:
        refused: Mapping[str, Sequence[Any]]
        refused = dynamodb.batch_write_item(RequestItems={table: left}).get("UnprocessedItems", {})
        return refused.get(table, ())

    _put_until_taken(put, [{"PutRequest": {"Item": item}} for item in items], f"{table} did not take {{}} items")


def _put_until_taken(put: Callable[[Sequence[One]], Sequence[One]], left: Sequence[One], refusal: str) -> None:
    """Put until nothing is left, which `put` returns; DependencyError, with the number left, where that is never so."""
    for attempt in range(_MOST_ATTEMPTS):
        left = put(left)
        if not left:
            return
        time.sleep(min(5.0, 0.05 * 2**attempt))
    raise DependencyError(f"{refusal.format(len(left))} in {_MOST_ATTEMPTS} attempts")
