"""Mutants of the routing: plausible ways to file or to lose what another shard carried."""

from typing import Any
from unittest import mock

from service_quality.adapters.event_stream import EventStream
from service_quality.adapters.shard_map import ShardMap
from service_quality.events import routing
from service_quality.events.identifiers import is_id
from service_quality.events.log_records import LogRecord
from service_quality.events.routing import RoutedBatch
from tests.simulation.world import World


def filed_under_its_own_key(world: World) -> list[Any]:
    """A sub-record goes into the log of its partition key, at the carrier's number."""
    real = RoutedBatch.add

    def add(batch: RoutedBatch, partition_key: str, record: LogRecord, *, is_held: bool) -> None:
        if is_id(partition_key):
            batch.logs.setdefault(partition_key, []).append(record)
        else:
            real(batch, partition_key, record, is_held=is_held)

    return [mock.patch.object(RoutedBatch, "add", add)]


def explicit_hash_ignored(world: World) -> list[Any]:
    """A shard is believed to hold every key that it carries."""
    return [mock.patch.object(ShardMap, "holds", return_value=True)]


def arrival_forgotten(world: World) -> list[Any]:
    """A record that goes back counts as received when it arrives again."""
    return [mock.patch.object(routing, "stamp_arrival", lambda record, raw: record.data)]


def refused_by_the_stream_left_behind(world: World) -> list[Any]:
    """A record that the stream does not take back is not put again."""

    def put_entries(stream: EventStream, entries: Any) -> None:
        stream.offer(entries)

    return [mock.patch.object(EventStream, "put_entries", put_entries)]
