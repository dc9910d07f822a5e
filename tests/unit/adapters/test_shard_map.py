"""The shard of each key: listed when first needed, in pages, and again when a shard is met for the first time."""

import pytest

from service_quality.adapters.shard_map import ShardMap
from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.routing import MAX_HASH_KEY, hash_key

HALF = 2**127
LOW, HIGH = "shardId-000000000000", "shardId-000000000001"


def shard(name: str, first: int, last: int) -> dict:
    return {
        "ShardId": name,
        "HashKeyRange": {"StartingHashKey": str(first), "EndingHashKey": str(last)},
        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
    }


TWO = [shard(LOW, 0, HALF - 1), shard(HIGH, HALF, MAX_HASH_KEY)]


class Clock:
    """Seconds, as a test sets them."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def listing(stubber, shards: list[dict]) -> None:
    stubber.add_response("list_shards", {"Shards": shards}, {"StreamName": "events"})


def test_key_is_held_by_the_shard_whose_range_holds_its_hash(kinesis):
    listing(kinesis, TWO)
    shards = ShardMap(kinesis.client, "events")

    for key in ("shop-1", "shop-2", "shop-3", "店"):
        assert shards.holds(LOW, key) is (hash_key(key) < HALF)
        assert shards.holds(HIGH, key) is (hash_key(key) >= HALF)


def test_shards_are_listed_once_and_page_by_page(kinesis):
    kinesis.add_response("list_shards", {"Shards": TWO[:1], "NextToken": "more"}, {"StreamName": "events"})
    kinesis.add_response("list_shards", {"Shards": TWO[1:]}, {"NextToken": "more"})
    shards = ShardMap(kinesis.client, "events")

    assert shards.holds(LOW, "shop-1") is not shards.holds(HIGH, "shop-1")


def test_shard_met_for_the_first_time_is_listed_and_a_closed_one_stays(kinesis):
    clock = Clock()
    shards = ShardMap(kinesis.client, "events", now=clock)
    listing(kinesis, [shard(LOW, 0, MAX_HASH_KEY)])
    assert shards.holds(LOW, "shop-1")

    clock.seconds += 60
    key = hash_key("shop-1")
    children = [shard("shardId-000000000001", 0, key - 1), shard("shardId-000000000002", key, MAX_HASH_KEY)]
    listing(kinesis, [shard(LOW, 0, MAX_HASH_KEY), *children])

    assert not shards.holds("shardId-000000000001", "shop-1")
    assert shards.holds("shardId-000000000002", "shop-1")
    assert shards.holds(LOW, "shop-1")


def test_shard_that_is_not_listed_fails_the_batch_and_is_asked_for_again_later(kinesis):
    clock = Clock()
    shards = ShardMap(kinesis.client, "events", now=clock)
    listing(kinesis, TWO)

    for _ in range(3):
        with pytest.raises(DependencyError, match="shardId-000000000007"):
            shards.holds("shardId-000000000007", "shop-1")

    clock.seconds += 1
    listing(kinesis, [*TWO, shard("shardId-000000000007", 0, MAX_HASH_KEY)])
    assert shards.holds("shardId-000000000007", "shop-1")


def test_failing_listing_leaves_what_is_known_and_is_tried_again_at_once(kinesis):
    clock = Clock()
    shards = ShardMap(kinesis.client, "events", now=clock)
    listing(kinesis, TWO)
    known = shards.holds(LOW, "shop-1")
    clock.seconds += 1
    kinesis.add_client_error("list_shards", "LimitExceededException")

    with pytest.raises(DependencyError, match="stream events"):
        shards.holds("shardId-000000000002", "shop-1")

    assert shards.holds(LOW, "shop-1") is known
    listing(kinesis, [*TWO, shard("shardId-000000000002", 0, MAX_HASH_KEY)])
    assert shards.holds("shardId-000000000002", "shop-1")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_stream_that_is_missing_or_forbidden_is_named(kinesis, code):
    kinesis.add_client_error("list_shards", code)

    with pytest.raises(DeploymentError, match="stream events"):
        ShardMap(kinesis.client, "events").holds(LOW, "shop-1")
