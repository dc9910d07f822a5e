"""The stream and its event source: batches in order, cut, handed out again, given up, and sent again later."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.instants import DAY, format_instant, parse_instant
from tests.simulation.workers import Batch, StreamRecord

#: After so long the event source gives up on a record.
GIVES_UP_AFTER = 6 * DAY
#: Until so long after its receipt an event may be put on the stream with the `received_at` it had.
SENT_AGAIN_WITHIN = 7 * DAY


@dataclass
class EventSource:
    """One shard of the stream, read from `checkpoint` on. `failures` are the failure store: what was given up."""

    records: list[StreamRecord] = field(default_factory=list)
    checkpoint: int = 0
    failures: list[StreamRecord] = field(default_factory=list)
    sent_again: int = 0
    generation: int = 1
    _sequence: int = 0

    def put(self, shop_id: str, data: bytes, *, now: int) -> None:
        """A record at the end of the stream."""
        position = str(Position(self.generation, self._sequence))
        self._sequence += 1
        self.records.append(StreamRecord(shop_id, LogRecord(position, data, now)))

    def renew(self) -> None:
        """The stream is made anew: its sequence numbers begin again, under a higher generation."""
        self.generation += 1
        self._sequence = 0

    @property
    def behind(self) -> bool:
        return self.checkpoint < len(self.records)

    def batch(self, first: int, size: int) -> Batch:
        end = min(first + size, len(self.records))
        return Batch(first, end, tuple(self.records[first:end]))

    def earlier(self, places: int, *, now: int) -> int:
        """So many records before the checkpoint, as far as the event source still has them."""
        first = self.checkpoint
        while places and first and now - self.records[first - 1].record.arrived_at <= GIVES_UP_AFTER:
            first, places = first - 1, places - 1
        return first

    def taken(self, batch: Batch) -> None:
        """The function said that it took a batch; a batch handed out before a checkpoint moved on says nothing new."""
        if batch.first <= self.checkpoint:
            self.checkpoint = max(self.checkpoint, batch.end)

    def give_up(self, size: int) -> Sequence[StreamRecord]:
        """Move on past the next records, which go to the failure store."""
        given_up = self.batch(self.checkpoint, size)
        self.failures += given_up.records
        self.checkpoint = given_up.end
        return given_up.records

    def oldest_arrival(self) -> int | None:
        return self.records[self.checkpoint].record.arrived_at if self.behind else None


def stamped(data: bytes, *, now: int) -> bytes:
    """The record as an inlet would stamp it when it was received too long ago, else as it is.

    Time to live runs on the wall clock: a record that comes so late would look for items that may be deleted, while
    the log's own time, if nothing else moved it, still counts them.
    """
    try:
        form = json.loads(data)
        received_at = parse_instant(form["received_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return data
    if now - received_at <= SENT_AGAIN_WITHIN:
        return data
    return json.dumps({**form, "received_at": format_instant(now)}).encode()
