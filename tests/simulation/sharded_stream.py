"""The stream of a simulation: shards that are split and merged, and the records on each."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from service_quality.events.log_records import LogRecord
from tests.simulation.event_source import Carrier, EventSource, Part
from tests.stand_ins.aggregates import aggregate

LAST_KEY = 2**128 - 1
#: The first sequence numbers of the first shards: those of two shards cannot be compared.
_BEGINS = (5_000, 0, 9_000)


class Foreign(NamedTuple):
    """A record outside its shop's log, and the shop that it names, if any."""

    shop_id: str | None
    record: LogRecord
    carrier: Carrier


@cache
def hash_of(partition_key: str) -> int:
    return int(hashlib.md5(partition_key.encode(), usedforsecurity=False).hexdigest(), 16)


def named_shop(data: bytes) -> str | None:
    """The shop that a record names."""
    try:
        form = json.loads(data)
    except (ValueError, RecursionError):
        return None
    shop_id = form.get("shop_id") if isinstance(form, dict) else None
    return shop_id if isinstance(shop_id, str) else None


@dataclass
class ShardedStream:
    """All shards that there ever were, in the order in which they were made; the open ones share the hash keys."""

    shards: list[EventSource] = field(default_factory=list)
    generation: int = 1
    sent_again: set[Carrier] = field(default_factory=set)

    @classmethod
    def of(cls, number: int) -> "ShardedStream":
        """A stream of so many shards of one size."""
        stream = cls()
        for place in range(number):
            first, last = LAST_KEY // number * place, LAST_KEY // number * (place + 1) - 1
            stream._open(first, last if place < number - 1 else LAST_KEY, _BEGINS[place])
        return stream

    @property
    def open_shards(self) -> list[EventSource]:
        """In the order of their hash keys."""
        return sorted((shard for shard in self.shards if shard.is_open), key=lambda shard: shard.first_key)

    def behind(self) -> list[EventSource]:
        """The shards that are handed out and have something left."""
        return [shard for shard in self.shards if shard.behind and shard.is_read]

    def put(
        self,
        parts: Sequence[Part],
        *,
        carrier_key: str = "",
        onto: int | None = None,
        now: int,
        went_back: bool = False,
    ) -> None:
        """A record onto the shard of its hash key; under a carrier's key its parts are an aggregate."""
        (key, data), *others = parts
        if carrier_key:
            keys = [part_key for part_key, _ in parts]
            key, data = carrier_key, aggregate(keys, [(place, data) for place, (_, data) in enumerate(parts)])
        assert carrier_key or not others
        hash_key = hash_of(key) if onto is None else onto
        (shard,) = (one for one in self.open_shards if one.holds(hash_key))
        shard.put(key, data, tuple(parts), now=now, went_back=went_back)

    def split(self, shard: EventSource, at: int) -> None:
        """Two shards for one, whose numbers go on behind the one's."""
        shard.is_open = False
        for first, last in ((shard.first_key, at - 1), (at, shard.last_key)):
            self._open(first, last, shard.next_sequence, shard)

    def merge(self, lower: EventSource, upper: EventSource) -> None:
        """One shard for two that lie side by side."""
        lower.is_open = upper.is_open = False
        begins = max(lower.next_sequence, upper.next_sequence)
        self._open(lower.first_key, upper.last_key, begins, lower, upper)

    def renew(self) -> None:
        """The stream is replaced: its sequence numbers begin again, under a higher generation."""
        self.generation += 1
        for place, shard in enumerate(self.open_shards):
            shard.is_open = False
            self._open(shard.first_key, shard.last_key, _BEGINS[place % len(_BEGINS)])

    def log_of(self, shop_id: str) -> list[LogRecord]:
        """The records ever put on the shop's log, in order: under its id, on the shard that holds the id."""
        found = [
            record
            for shard in self.shards
            if shard.holds(hash_of(shop_id))
            for carrier in shard.records
            for key, record in carrier.records()
            if key == shop_id and named_shop(record.data) in (None, shop_id)
        ]
        return sorted(found, key=lambda record: record.position)

    def foreign(self, shard: EventSource) -> list[Foreign]:
        """The records of a shard outside its logs."""
        return [
            Foreign(named_shop(record.data), record, carrier)
            for carrier in shard.records
            for key, record in carrier.records()
            if not shard.holds(hash_of(key)) or named_shop(record.data) not in (None, key)
        ]

    def given_up(self, shop_id: str) -> set[str]:
        """The positions of the shop's log that event sources gave up on."""
        return {
            record.position
            for shard in self.shards
            if shard.holds(hash_of(shop_id))
            for carrier in shard.failures
            for key, record in carrier.records()
            if key == shop_id
        }

    def _open(self, first: int, last: int, begins: int, *parents: EventSource) -> None:
        shard_id = f"shardId-{len(self.shards):012d}"
        self.shards.append(EventSource(shard_id, first, last, self.generation, begins, parents))
