"""The event stream: inlets put accepted events on it, and routing puts back records of another shard."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_of
from service_quality.errors import DependencyError
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import StreamEntry

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

_MOST_RECORDS = 500
_MOST_BYTES = 4_500_000  # of the 5 MB that one request may hold
_ATTEMPTS = 5  # in a row in which the stream takes nothing more


class EventStream:
    """A Kinesis stream with the shop's id as partition key."""

    def __init__(self, kinesis: "KinesisClient", name: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._kinesis = kinesis
        self._name = name
        self._pause = pause

    def check(self) -> None:
        """DeploymentError names the stream that is missing or forbidden; needs kinesis:DescribeStreamSummary."""
        try:
            self._kinesis.describe_stream_summary(StreamName=self._name)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"stream {self._name}") from error

    def put(self, events: Sequence[InteractionEvent]) -> set[int]:
        """Put events in their order; returns the indexes of those that the stream did not take after all attempts.

        What the stream does not take at once is put again, after what it took: a shop's events may change their order,
        which the fold allows for.
        """
        return self.offer([StreamEntry(event.shop_id, event_to_json(event)) for event in events])

    def put_entries(self, entries: Sequence[StreamEntry]) -> None:
        """Put records of any bytes in their order; DependencyError when the stream does not take all of them.

        Then some are on the stream, and all must be put again. Attempts go on while the stream takes some records: a
        shard takes 1,000 records a second, one aggregate may hold 10,000.
        """
        failed = self.offer(entries)
        if failed:
            found = f"found {len(failed)} of {len(entries)} records not taken"
            raise DependencyError(f"stream {self._name}: {found}; the batch will be retried")

    def offer(self, entries: Sequence[StreamEntry]) -> set[int]:
        """Put records of any bytes; returns the indexes of those that the stream did not take after all attempts."""
        waiting = list(range(len(entries)))
        attempt = 0
        while waiting and attempt < _ATTEMPTS:
            if attempt:
                self._pause(0.05 * 2**attempt)
            failed: list[int] = []
            for batch in _batches(waiting, entries):
                failed += self._put_batch(batch, entries)
            has_progress = attempt > 0 and len(failed) < len(waiting)
            attempt = 1 if has_progress else attempt + 1
            waiting = failed
        return set(waiting)

    def _put_batch(self, batch: list[int], entries: Sequence[StreamEntry]) -> list[int]:
        records: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": data, "PartitionKey": shop_id} for shop_id, data in (entries[index] for index in batch)
        ]
        try:
            answer = self._kinesis.put_records(StreamName=self._name, Records=records)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"stream {self._name}") from error
        return [index for index, one in zip(batch, answer["Records"], strict=True) if one.get("ErrorCode")]


def _batches(indexes: list[int], entries: Sequence[StreamEntry]) -> list[list[int]]:
    """Indexes by request, each of a size that the stream takes."""
    batches: list[list[int]] = []
    size = _MOST_BYTES
    for index in indexes:
        shop_id, data = entries[index]
        length = len(data) + len(shop_id.encode())
        if size + length > _MOST_BYTES or len(batches[-1]) == _MOST_RECORDS:
            batches.append([])
            size = 0
        batches[-1].append(index)
        size += length
    return batches
