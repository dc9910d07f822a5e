"""Batches that an event source gave up on, as Lambda writes them into an S3 destination: the invocation record.

It says which function and stream it was, and holds the whole event as text in `payload`. A row of the outbox that its
function could not send is stored as the event alone.
"""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.operations.errors import UnreadableObjectError
from infra.operations.selection import GIVEN_UP
from service_quality.commit.put_back import RejectedRecord
from service_quality.events.aggregated_records import unpack_record
from service_quality.events.identifiers import NO_SHOP
from service_quality.events.positions import Position

FOLDER = "aws/lambda/"
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class GivenUpBatch:
    """The function that was called, the event that it was called with, and whether its records are the stream's."""

    function: str
    event: dict[str, Any]
    is_of_stream: bool

    def records(self, generation: int) -> Iterator[RejectedRecord]:
        """The records of a batch of the event stream, those of an aggregate one by one, under their partition keys."""
        for kinesis in (record["kinesis"] for record in self.event["Records"]):
            arrived_at = round(kinesis["approximateArrivalTimestamp"] * 1000)
            for packed in unpack_record(kinesis["partitionKey"], b64decode(kinesis["data"])):
                position = Position(generation, int(kinesis["sequenceNumber"]), packed.part)
                yield RejectedRecord(packed.partition_key, str(position), GIVEN_UP, arrived_at, packed.data)


def read_given_up(key: str, body: bytes) -> GivenUpBatch:
    """The batch in the object of this key; UnreadableObjectError for one that holds no batch of a stream."""
    try:
        form = json.loads(body)
        payload = form["payload"]
        event = json.loads(payload) if isinstance(payload, str) else payload
        sources = {record["eventSource"] for record in event["Records"]}
        function = form["requestContext"]["functionArn"]
        if sources not in ({"aws:kinesis"}, {"aws:dynamodb"}) or not isinstance(function, str):
            raise ValueError
        batch = GivenUpBatch(function, event, sources == {"aws:kinesis"})
        for _ in batch.records(generation=1) if batch.is_of_stream else outbox_rows(event, GIVEN_UP):
            pass  # each can be read
    except _UNREADABLE:
        raise UnreadableObjectError(f"{key}: found no batch of an event source, expected one") from None
    return batch


def read_unsent(key: str, body: bytes) -> dict[str, Any]:
    """The event with a row that its function set aside; UnreadableObjectError for an object without rows."""
    try:
        event = json.loads(body)
        if not isinstance(event["Records"], list):
            raise TypeError
        for _ in outbox_rows(event, ""):
            pass  # each can be read
    except _UNREADABLE:
        raise UnreadableObjectError(f"{key}: found no rows of the outbox, expected them") from None
    return dict(event)


def outbox_rows(event: dict[str, Any], reason: str) -> Iterator[RejectedRecord]:
    """The rows of a batch of the outbox, without their content."""
    for record in event["Records"]:
        change = record["dynamodb"]
        arrived_at = round(change.get("ApproximateCreationDateTime", 0) * 1000)
        shop_id = change.get("NewImage", {}).get("shop_id", {}).get("S", NO_SHOP)
        yield RejectedRecord(shop_id, change.get("SequenceNumber", ""), reason, arrived_at, b"")
