"""Routing: the records of a shard by their shops' logs, and those that go back on the stream to another shard.

Positions compare within one shard only. A record of another shard, because its partition key is not its shop's id, its
key was hashed by hand, or an aggregate was made for other shards, would move its shop's log past records that are still
to come. So a record counts only under its shop's id on the shard that holds this id.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from service_quality.by_fields import ByFields
from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.aggregated_records import unpack_record
from service_quality.events.identifiers import NO_SHOP, is_shop_id, one_spelling
from service_quality.events.log_records import LogRecord, Rejection, StreamEntry
from service_quality.events.parsing import MAX_RECORD_BYTES, longest_record, parse_json
from service_quality.events.positions import Position
from service_quality.events.stream_batches import BatchRecord
from service_quality.instants import format_instant

MAX_HASH_KEY = 2**128 - 1

_SHOP_NAME = b'"shop_id"'
_TEXT_VALUE = re.compile(rb'\s*:\s*"([^"\\]*)"')
_NO_SHOP_MESSAGE = (
    "shop_id: found no id in the record, and no shop of its shard in its partition key, expected a shop's id"
)


class HashRange(NamedTuple):
    """The hash keys of one shard, from `first` to `last`, both included."""

    first: int
    last: int

    def holds(self, partition_key: str) -> bool:
        """Whether the stream puts records of this key on the shard.

        >>> HashRange(0, MAX_HASH_KEY).holds("shop-1"), HashRange(0, 0).holds("shop-1")
        (True, False)
        """
        return self.first <= hash_key(partition_key) <= self.last


@lru_cache(maxsize=16_384)
def hash_key(partition_key: str) -> int:
    """The hash key of a partition key: its MD5 as an unsigned integer of 128 bits.

    Source: PutRecord in the API reference of Amazon Kinesis Data Streams.
    """
    digest = hashlib.md5(partition_key.encode(errors="surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest, "big")


@dataclass(slots=True, eq=False, repr=False)
class RoutedBatch(ByFields):
    """The routed records of a batch, all in the order of their shard.

    `logs` holds records by their shop, `rerouted` those that go back on the stream, `rejected` those that name no shop.
    """

    logs: dict[str, list[LogRecord]] = field(default_factory=dict)
    rerouted: list[StreamEntry] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def add(self, partition_key: str, record: LogRecord, *, is_held: bool) -> None:
        """Sort in one record; `is_held` says whether its shard holds its partition key.

        A record under its shop's id on the shard of this id is final, so no record goes back twice. A record that names
        no shop stays in the log of its key, if its shard holds one, and is rejected there.
        """
        is_shop = is_held and is_shop_id(partition_key)
        if is_shop and _plainly_names(record.data, partition_key):
            self._take(partition_key, record)
            return
        raw = _read(record.data)
        named = raw.get("shop_id")
        shop_id = one_spelling(named) if isinstance(named, str) else None
        if shop_id is not None and is_shop_id(shop_id) and not (is_shop and shop_id == partition_key):
            self.rerouted.append(StreamEntry(shop_id, stamp_arrival(record, raw)))
        elif is_shop:
            self._take(partition_key, record)
        else:
            self.rejected.append(Rejection(NO_SHOP, record, "no_shop", _NO_SHOP_MESSAGE))

    def _take(self, shop_id: str, record: LogRecord) -> None:
        self.logs.setdefault(shop_id, []).append(record)


def route_batch(
    records: Iterable[BatchRecord], *, generation: int, is_held: Callable[[BatchRecord, str], bool]
) -> RoutedBatch:
    """The records of a batch, aggregates unpacked, by log.

    `generation` is the stream's; `is_held` says whether a record's shard holds a partition key.
    """
    routed = RoutedBatch()
    for one in records:
        for key, part, data in unpack_record(one.partition_key, one.data):
            position = Position(generation, one.sequence, part)
            routed.add(key, LogRecord(str(position), data, one.arrived_at), is_held=is_held(one, key))
    return routed


def stamp_arrival(record: LogRecord, raw: Mapping[str, object]) -> bytes:
    """The bytes of an interaction event with its first arrival as `received_at`, unless it has one.

    A record of another kind is unchanged, since it may be signed. So is an event that would grow too large; it counts
    as received when it arrives again, some seconds later.
    """
    kind = raw.get("kind")
    if raw.get("received_at") is not None or not isinstance(kind, str) or kind not in kinds.ALL:
        return record.data
    form = {**raw, "received_at": format_instant(record.arrived_at)}
    stamped = json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    return stamped if len(stamped) <= MAX_RECORD_BYTES else record.data


def _plainly_names(data: bytes, shop_id: str) -> bool:
    """Whether the bytes hold one `"shop_id"` and this id after it: true of nearly all records, in a microsecond.

    If it is true by an object within the event, the record is rejected in this shop's log as another shop's.
    """
    at = data.find(_SHOP_NAME)
    after = at + len(_SHOP_NAME)
    if at < 0 or data.find(_SHOP_NAME, after) >= 0:
        return False
    value = _TEXT_VALUE.match(data, after)
    return value is not None and value[1] == shop_id.encode()


def _read(data: bytes) -> Mapping[str, object]:
    """The JSON object in a record; empty for a record without one."""
    try:
        return parse_json(data, longest=longest_record(data))
    except RejectedEventError:
        return {}
