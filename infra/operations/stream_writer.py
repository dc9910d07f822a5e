"""Records put back on the event stream: signed, one after the other, in the order in which they are given."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service_quality.events.control_records import ControlRecord
from service_quality.events.control_signatures import ControlKey, sign_control

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


@dataclass(slots=True)
class StreamWriter:
    """Puts one record a call, each after the one before of its shop; `now` gives epoch milliseconds.

    A record whose answer was lost is put again: its event has an id, and folds once.
    """

    kinesis: "KinesisClient"
    stream: str
    key: ControlKey
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    #: The sequence number of the latest record by partition key.
    latest: dict[str, int] = field(default_factory=dict)

    def put_control(self, record: ControlRecord) -> int:
        """Sign a control record and put it on its shop's log; its sequence number."""
        return self.put(record.shop_id, sign_control(record, self.key(), issued_at=self.now()))

    def put(self, partition_key: str, data: bytes) -> int:
        """Put a record as it is; its sequence number."""
        before = self.latest.get(partition_key)
        if before is None:
            answer = self.kinesis.put_record(StreamName=self.stream, Data=data, PartitionKey=partition_key)
        else:
            answer = self.kinesis.put_record(
                StreamName=self.stream, Data=data, PartitionKey=partition_key, SequenceNumberForOrdering=str(before)
            )
        number = int(answer["SequenceNumber"])
        self.latest[partition_key] = number
        return number
