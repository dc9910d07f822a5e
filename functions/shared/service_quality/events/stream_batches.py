"""Batches of the event stream, as an event source hands them to a function."""

from base64 import b64decode
from typing import NamedTuple

from service_quality.instants import LATEST_SECOND

_LONGEST_SEQUENCE = 56  # digits, of a sequence number of Kinesis


class BatchRecord(NamedTuple):
    """A record of the stream; `shard_id` is empty where the batch does not name it, `arrived_at` epoch milliseconds."""

    shard_id: str
    partition_key: str
    sequence: int
    arrived_at: int
    data: bytes


def read_batch(event: object) -> list[BatchRecord | None]:
    """The records of a batch in order, None for each that is no record of a stream; empty for what is no batch.

    An event source hands out nothing of the kind: what cannot be read was made by hand, and holds no one's event.

    >>> read_batch({"Records": [7]}), read_batch("x")
    ([None], [])
    """
    records = event.get("Records") if isinstance(event, dict) else None
    return [*map(_read, records)] if isinstance(records, list) else []


def _read(record: object) -> BatchRecord | None:
    kinesis = record.get("kinesis") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(kinesis, dict):
        return None
    event_id = record.get("eventID", "")
    texts = [event_id, *map(kinesis.get, ("partitionKey", "sequenceNumber", "data"))]
    seconds = kinesis.get("approximateArrivalTimestamp")
    if not all(isinstance(text, str) for text in texts) or not _is_sequence(texts[2]):
        return None
    if not isinstance(seconds, int | float) or not 0 <= seconds <= LATEST_SECOND:
        return None
    try:
        data = b64decode(texts[3])
    except ValueError:
        return None
    return BatchRecord(event_id.partition(":")[0], texts[1], int(texts[2]), round(seconds * 1000), data)


def _is_sequence(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_SEQUENCE
