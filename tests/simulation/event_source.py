"""One shard and its event source: batches in order, cut, handed out again, given up, and sent again later."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.instants import DAY, format_instant, parse_instant

#: After so long the event source gives up on a record.
GIVES_UP_AFTER = 6 * DAY
#: Until so long after its receipt an event may be put on the stream with the `received_at` it had.
SENT_AGAIN_WITHIN = 7 * DAY

#: A partition key, and the bytes under it.
Part = tuple[str, bytes]


@dataclass(frozen=True, eq=False)
class Carrier:
    """One record of the stream: its bytes as they lie there, and the parts that its source put into it."""

    partition_key: str
    data: bytes
    parts: tuple[Part, ...]
    generation: int
    sequence: int
    arrived_at: int
    went_back: bool = False

    def records(self) -> Iterator[tuple[str, LogRecord]]:
        """Each part with its partition key, at its position."""
        for place, (key, data) in enumerate(self.parts):
            yield key, LogRecord(str(Position(self.generation, self.sequence, place)), data, self.arrived_at)


@dataclass(frozen=True)
class Batch:
    """A batch that an event source hands to a function: its shard's records from `first` to before `end`."""

    source: "EventSource"
    first: int
    end: int

    @property
    def records(self) -> Sequence[Carrier]:
        return self.source.records[self.first : self.end]


@dataclass(eq=False)
class EventSource:
    """One shard, read from `checkpoint` on. `failures` are the failure store: what was given up."""

    shard_id: str
    first_key: int
    last_key: int
    generation: int
    next_sequence: int
    parents: tuple["EventSource", ...] = ()
    is_open: bool = True
    records: list[Carrier] = field(default_factory=list)
    checkpoint: int = 0
    failures: list[Carrier] = field(default_factory=list)

    def holds(self, key: int) -> bool:
        return self.first_key <= key <= self.last_key

    def put(self, partition_key: str, data: bytes, parts: tuple[Part, ...], *, now: int, went_back: bool) -> None:
        """A record at the end of the shard."""
        self.records.append(
            Carrier(partition_key, data, parts, self.generation, self.next_sequence, now, went_back=went_back)
        )
        self.next_sequence += 1

    @property
    def behind(self) -> bool:
        return self.checkpoint < len(self.records)

    @property
    def is_read(self) -> bool:
        """Whether it is handed out: all that a shard descends from comes first."""
        return all(parent.is_read and not parent.behind for parent in self.parents)

    def batch(self, first: int, size: int) -> Batch:
        return Batch(self, first, min(first + size, len(self.records)))

    def earlier(self, places: int, *, now: int) -> int:
        """So many records before the checkpoint, as far as the event source still has them."""
        first = self.checkpoint
        while places and first and now - self.records[first - 1].arrived_at <= GIVES_UP_AFTER:
            first, places = first - 1, places - 1
        return first

    def taken(self, batch: Batch) -> None:
        """The function said that it took a batch; a batch handed out before a checkpoint moved on says nothing new."""
        if batch.first <= self.checkpoint:
            self.checkpoint = max(self.checkpoint, batch.end)

    def give_up(self, size: int) -> Sequence[Carrier]:
        """Move on past the next records, which go to the failure store."""
        given_up = self.batch(self.checkpoint, size)
        self.failures += given_up.records
        self.checkpoint = given_up.end
        return given_up.records

    def oldest_arrival(self) -> int | None:
        return self.records[self.checkpoint].arrived_at if self.behind else None


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
