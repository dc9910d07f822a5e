"""Records that another shard carried go back on the stream under their shop's id, and count once from there."""

import json
from base64 import b64decode

import pytest

from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.routing import hash_key
from tests.stand_ins.aggregates import aggregate
from tests.unit.functions.conftest import CONTEXT, read_event
from tests.unit.functions.test_score_interactions import GOOD, batch, entries

HOME, OTHER = "shardId-000000000001", "shardId-000000000000"
HOME_KEYS = (hash_key("shop-1"), 2**128 - 1)


@pytest.fixture
def app(load, aws):
    """The function over a stream of two shards; the second holds shop-1."""
    aws.kinesis.shards = {OTHER: (0, HOME_KEYS[0] - 1), HOME: HOME_KEYS}
    return load("score_interactions")


def event(name: str, shop_id: str = "shop-1") -> dict:
    return {**GOOD, "event_id": name, "shop_id": shop_id}


def data(name: str, shop_id: str = "shop-1") -> bytes:
    return json.dumps(event(name, shop_id)).encode()


def shard_of(shop_id: str) -> str:
    return HOME if hash_key(shop_id) >= HOME_KEYS[0] else OTHER


def taken(aws) -> list[str]:
    return [entry["event"]["event_id"] for entry in entries(aws)]


def deliver_what_went_back(app, aws, first: int) -> int:
    """Hand out what was put on the stream, each record on the shard of its key; how many there were."""
    waiting, aws.kinesis.records = aws.kinesis.records, []
    for number, one in enumerate(waiting, first):
        key = one["PartitionKey"]
        app.handler(batch(one["Data"], key=key, shard=shard_of(key), first=number), CONTEXT)
    return len(waiting)


def test_102_events_of_a_shop_are_folded_though_one_came_in_an_aggregate_on_a_higher_shard(app, aws):
    packed = aggregate(["shop-9", "shop-1"], [(0, data("theirs", "shop-9")), (1, data("in-aggregate"))])
    app.handler(batch(event("first"), shard=HOME), CONTEXT)
    app.handler(batch(packed, key="a", shard=OTHER, first=10_000), CONTEXT)
    app.handler(batch(*(event(str(number)) for number in range(100)), shard=HOME, first=1), CONTEXT)

    went_back = deliver_what_went_back(app, aws, first=20_000)

    assert went_back == 1 + (shard_of("shop-9") != OTHER)
    assert taken(aws) == ["first", *map(str, range(100)), "in-aggregate"]
    assert (aws.kinesis.records, aws.rejected()) == ([], [])


def test_aggregate_at_a_lower_position_of_another_shard_loses_nothing(app, aws):
    app.handler(batch(event("new"), shard=HOME, first=100), CONTEXT)
    packed = aggregate(["shop-1"], [(0, data("in-aggregate"))])
    app.handler(batch(packed, key="a", shard=OTHER, first=60), CONTEXT)

    deliver_what_went_back(app, aws, first=101)

    assert taken(aws) == ["new", "in-aggregate"]


def test_batches_without_shards_lose_nothing_either(app, aws):
    """As written down when it was found: hand-made batches, whose records name no shard."""
    for made in read_event("aggregate_of_another_shard"):
        app.handler(made, CONTEXT)
    assert taken(aws) == ["s1-new"]

    deliver_what_went_back(app, aws, first=1_000)

    assert taken(aws) == ["s1-new", "s1-in-aggregate"]
    assert aws.rejected() == []


def test_of_three_shops_in_an_aggregate_only_the_foreign_one_goes_back(app, aws):
    names = {shard_of(shop_id): shop_id for shop_id in map("shop-{}".format, range(2, 60))}
    local, foreign = names[HOME], names[OTHER]
    shops = ["shop-1", foreign, local]
    packed = aggregate(shops, [(number % 3, data(str(number), shops[number % 3])) for number in range(9)])

    app.handler(batch(packed, key="any", shard=HOME), CONTEXT)

    assert taken(aws) == ["0", "3", "6"]
    assert [json.loads(one["Data"])["event_id"] for one in aws.kinesis.records] == ["1", "4", "7"]
    assert {one["PartitionKey"] for one in aws.kinesis.records} == {foreign}
    assert (f"{local}\x1fshop",) in aws.dynamodb.tables["state"]
    assert (f"{foreign}\x1fshop",) not in aws.dynamodb.tables["state"]


def test_plain_record_with_an_explicit_hash_key_goes_back_with_its_first_arrival(app, aws):
    app.handler(batch(event("hashed-by-hand"), shard=OTHER), CONTEXT)

    (record,) = aws.kinesis.records
    assert set(record) == {"PartitionKey", "Data"}
    assert record["PartitionKey"] == "shop-1"
    assert json.loads(record["Data"]) == {**event("hashed-by-hand"), "received_at": "2026-11-20T09:00:00.000Z"}
    assert taken(aws) == []


def test_record_under_another_shops_id_goes_back_under_its_own(app, aws):
    app.handler(batch(event("of-shop-1"), key="shop-2", shard=shard_of("shop-2")), CONTEXT)

    deliver_what_went_back(app, aws, first=1)

    assert taken(aws) == ["of-shop-1"]
    assert aws.rejected() == []


def test_batch_that_comes_again_sends_back_again_and_the_event_counts_once(app, aws):
    for _ in range(2):
        app.handler(batch(event("twice"), shard=OTHER), CONTEXT)

    assert deliver_what_went_back(app, aws, first=1) == 2
    assert [entry.get("event", {}).get("event_id") for entry in entries(aws)] == ["twice", None]
    assert entries(aws)[1]["duplicate"]


def test_stream_that_does_not_take_a_record_back_lets_the_batch_come_again(app, aws, monkeypatch):
    monkeypatch.setattr("service_quality.adapters.event_stream._ATTEMPTS", 1)
    aws.kinesis.refusing = {b"foreign"}
    packed = aggregate(["shop-1", "shop-1"], [(0, data("foreign"))])

    with pytest.raises(DependencyError, match="1 of 1 records not taken"):
        app.handler(batch(packed, key="a", shard=OTHER), CONTEXT)

    aws.kinesis.refusing = set()
    app.handler(batch(packed, key="a", shard=OTHER), CONTEXT)
    deliver_what_went_back(app, aws, first=1)
    assert taken(aws) == ["foreign"]


def test_ten_thousand_bad_parts_of_one_carrier_are_one_write_and_one_rejection_each(app, aws):
    packed = aggregate(["a\x1fb"], [(0, b"{")] * 10_000)

    app.handler(batch(packed, key="any", shard=OTHER), CONTEXT)

    stored = aws.rejected()
    assert len(aws.s3.buckets["rejected"]) == 1
    assert len(stored) == len({one["position"] for one in stored}) == 10_000
    assert {(one["reason"], b64decode(one["raw_base64"])) for one in stored} == {("no_shop", b"{")}


def test_shards_are_listed_once_a_function_and_again_after_a_split(app, aws):
    app.handler(batch(event("before"), shard=HOME), CONTEXT)
    app.handler(batch(event("before-2"), shard=HOME, first=1), CONTEXT)
    assert aws.kinesis.listings == 1

    app.make_shards()._listed_at -= 60
    aws.kinesis.shards |= {"shardId-000000000002": HOME_KEYS}
    app.handler(batch(event("after"), shard="shardId-000000000002", first=2), CONTEXT)

    assert aws.kinesis.listings == 2
    assert taken(aws) == ["before", "before-2", "after"]


def test_stream_that_may_not_be_listed_is_named_by_the_first_batch(app, aws):
    aws.kinesis.failing = "AccessDeniedException"

    with pytest.raises(DeploymentError, match="AccessDeniedException at stream events"):
        app.handler(batch(GOOD), CONTEXT)


def test_rerouted_records_are_counted(app, aws, capsys):
    app.handler(batch(event("a"), event("b"), shard=OTHER), CONTEXT)

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ReroutedRecords"] for line in printed if "_aws" in line] == [[2.0]]
