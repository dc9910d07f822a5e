"""Records put on any shard under any key end on one log: their shop's, on the shard that holds the shop's id."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.events.aggregated_records import unpack_record
from service_quality.events.log_records import LogRecord
from service_quality.events.routing import MAX_HASH_KEY, HashRange, RoutedBatch
from tests.stand_ins.aggregates import aggregate

SHOPS = ("shop-1", "shop-2", "店", "a shop with a longer name")
KEYS = (*SHOPS, "any", "", "a\x1fb", "k" * 200)


def md5(key: str) -> int:
    return int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(), 16)


@dataclass
class Stream:
    """Shards by the first hash key of each, and the stream records on them."""

    firsts: list[int]
    shards: dict[int, list[tuple[str, bytes]]] = field(default_factory=lambda: defaultdict(list))

    def put(self, key: str, data: bytes, explicit_hash: int | None = None) -> None:
        self.shards[self.shard_of(md5(key) if explicit_hash is None else explicit_hash)].append((key, data))

    def shard_of(self, number: int) -> int:
        return max(first for first in self.firsts if first <= number)

    def route(self, first: int) -> RoutedBatch:
        """Everything on a shard, which is empty then."""
        later = [other for other in self.firsts if other > first]
        keys = HashRange(first, min(later, default=MAX_HASH_KEY + 1) - 1)
        batch = RoutedBatch()
        for carrier, (carrier_key, carried) in enumerate(self.shards.pop(first, [])):
            for key, part, data in unpack_record(carrier_key, carried):
                batch.add(key, LogRecord(f"{carrier:03d}-{part:04d}", data, 1), is_held=keys.holds(key))
        return batch


def hashes() -> st.SearchStrategy[int]:
    return st.integers(0, MAX_HASH_KEY) | st.sampled_from((0, 1, MAX_HASH_KEY - 1, MAX_HASH_KEY))


RECORDS = st.tuples(st.sampled_from(KEYS), st.sampled_from(SHOPS))
CARRIERS = st.tuples(
    st.lists(RECORDS, min_size=1, max_size=4),
    st.booleans(),  # whether they are an aggregate
    st.sampled_from(KEYS),
    st.none() | hashes(),
)


def put_all(stream: Stream, carriers: list) -> dict[int, str]:
    """Put the carriers on the stream; the shop of each record by its number."""
    shops: list[str] = []
    for records, is_aggregate, carrier_key, explicit_hash in carriers:
        keys = [key for key, _ in records]
        datas = [
            json.dumps({"id": len(shops) + place, "shop_id": shop}).encode() for place, (_, shop) in enumerate(records)
        ]
        shops += [shop_id for _, shop_id in records]
        if is_aggregate:
            stream.put(carrier_key, aggregate(keys, list(enumerate(datas))), explicit_hash)
            continue
        for key, data in zip(keys, datas, strict=True):
            stream.put(key, data, explicit_hash)
    return dict(enumerate(shops))


def numbers_of(records: list) -> list[int]:
    return [json.loads(record.data)["id"] for record in records]


@settings(max_examples=300)
@given(st.lists(hashes(), max_size=5), st.lists(CARRIERS, min_size=1, max_size=12))
def test_every_record_ends_once_on_the_log_of_its_shop_after_one_way_back_at_most(cuts, carriers):
    stream = Stream(sorted({0, *cuts}))
    shop_of = put_all(stream, carriers)
    ended: list[tuple[int, str, int]] = []

    for most_back in (len(shop_of), 0):
        batches = {first: stream.route(first) for first in stream.firsts}
        for first, batch in batches.items():
            assert not batch.rejected
            assert len(batch.rerouted) <= most_back
            for shop_id, log in batch.logs.items():
                assert log == sorted(log)
                ended += [(number, shop_id, first) for number in numbers_of(log)]
            for shop_id in SHOPS:
                back = numbers_of([entry for entry in batch.rerouted if entry.shop_id == shop_id])
                assert back == sorted(back)
            for entry in batch.rerouted:
                stream.put(entry.shop_id, entry.data)

    homes = {shop_id: stream.shard_of(md5(shop_id)) for shop_id in SHOPS}
    assert sorted(ended) == [(number, shop_id, homes[shop_id]) for number, shop_id in shop_of.items()]
