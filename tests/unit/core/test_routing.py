"""The route of a record: its shop's log, back on the stream under the shop's id, or to the records without a shop."""

import hashlib
import json

import pytest

from service_quality.events.log_records import LogRecord, Rejection, StreamEntry
from service_quality.events.parsing import MAX_RECORD_BYTES
from service_quality.events.routing import MAX_HASH_KEY, HashRange, RoutedBatch, hash_key, stamp_arrival
from tests.stand_ins.control import make_import_record, record_json

ARRIVED = 1_795_165_200_000
RECEIVED = "2026-11-20T08:00:01.000Z"
EVENT = {"event_id": "e", "shop_id": "shop-1", "kind": "rated", "occurred_at": "2026-11-20T08:00:00Z", "rating": 5}
STAMPED = {**EVENT, "received_at": RECEIVED}


def routed(key: str, data: bytes | dict, *, is_held: bool = True) -> RoutedBatch:
    batch = RoutedBatch()
    batch.add(key, record(data), is_held=is_held)
    return batch


def record(data: bytes | dict) -> LogRecord:
    return LogRecord("1", data if isinstance(data, bytes) else json.dumps(data).encode(), ARRIVED)


def own(shop_id: str, data: bytes | dict) -> RoutedBatch:
    return RoutedBatch(logs={shop_id: [record(data)]})


def back(shop_id: str, data: bytes | dict) -> RoutedBatch:
    return RoutedBatch(rerouted=[StreamEntry(shop_id, record(data).data)])


def test_record_under_its_shops_id_on_the_shard_of_this_id_is_final():
    assert routed("shop-1", STAMPED) == own("shop-1", STAMPED)


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(STAMPED, indent=2).encode(),
        json.dumps(STAMPED).encode("utf-16"),
        json.dumps({**STAMPED, "inner": {"shop_id": "shop-2"}}).encode(),
        json.dumps({**STAMPED, "text": '"shop_id":"shop-2"'}).encode(),
        json.dumps(STAMPED).encode().replace(b"shop_id", b"sh\\u006fp_id"),
        json.dumps(STAMPED).encode().replace(b"shop-1", b"sh\\u006fp-1"),
    ],
)
def test_shop_is_read_however_the_json_is_written(data):
    assert routed("shop-1", data) == own("shop-1", data)
    assert routed("shop-2", data) == back("shop-1", data)


def test_shop_whose_id_json_escapes_is_read():
    event = {**STAMPED, "shop_id": 'the "shop" 店'}

    assert routed('the "shop" 店', event) == own('the "shop" 店', event)


@pytest.mark.parametrize("key", ["shop-2", "any", "", "shop\x1f1", "k" * 200, "\ud800"])
def test_record_under_another_key_goes_back_under_its_shops_id(key):
    assert routed(key, STAMPED) == back("shop-1", STAMPED)
    assert routed(key, STAMPED, is_held=False) == back("shop-1", STAMPED)


@pytest.mark.parametrize("written", [" shop-1", "shop-1\u3000", "\ufeffshop-1"])
def test_shop_under_another_spelling_is_the_same_shop(written):
    event = {**STAMPED, "shop_id": written}

    assert routed(written, event) == back("shop-1", event)
    assert routed("shop-1", event) == own("shop-1", event)


def test_record_on_another_shard_goes_back_under_the_key_that_it_has():
    assert routed("shop-1", STAMPED, is_held=False) == back("shop-1", STAMPED)


UNREADABLE = [
    b"",
    b'{"shop_id": "shop-1"',
    b"[]",
    b"\xf3\x89\x9a\xc2 half an aggregate",
    json.dumps({**EVENT, "text": "t" * MAX_RECORD_BYTES}).encode(),
    b"[" * 60_000,
    json.dumps({**EVENT, "shop_id": 7}).encode(),
    json.dumps({**EVENT, "shop_id": "a\x1fb"}).encode(),
    json.dumps({**EVENT, "shop_id": "\ud800"}).encode(),
    json.dumps({**EVENT, "shop_id": None}).encode(),
]


@pytest.mark.parametrize("data", UNREADABLE, ids=lambda data: str(data)[:30])
def test_record_without_a_shop_stays_in_the_log_of_its_key_to_be_rejected_there(data):
    assert routed("shop-1", data) == own("shop-1", data)


@pytest.mark.parametrize("data", UNREADABLE, ids=lambda data: str(data)[:30])
@pytest.mark.parametrize(("key", "is_held"), [("shop-1", False), ("shop\x1f1", True), ("", True)])
def test_record_without_a_shop_under_a_key_without_a_log_is_rejected(data, key, is_held):
    batch = routed(key, data, is_held=is_held)

    (rejection,) = batch.rejected
    assert rejection[:3] == Rejection("_invalid", record(data), "no_shop", "")[:3]
    assert (batch.logs, batch.rerouted) == ({}, [])


def test_records_of_a_shop_keep_their_order_here_and_on_the_way_back():
    batch = RoutedBatch()
    for number in range(6):
        data = json.dumps({**STAMPED, "event_id": str(number)}).encode()
        batch.add("shop-1", LogRecord(str(number), data, ARRIVED), is_held=number % 2 == 0)

    assert [kept.position for kept in batch.logs["shop-1"]] == ["0", "2", "4"]
    assert [json.loads(entry.data)["event_id"] for entry in batch.rerouted] == ["1", "3", "5"]


def test_what_goes_back_keeps_its_first_arrival():
    (entry,) = routed("any", EVENT).rerouted
    (again,) = routed("any", {**EVENT, "received_at": None}).rerouted

    assert json.loads(entry.data) == json.loads(again.data) == {**EVENT, "received_at": "2026-11-20T09:00:00.000Z"}


def test_event_that_says_when_it_was_received_goes_back_byte_for_byte():
    data = json.dumps(STAMPED, indent=1).encode()

    assert routed("any", data) == back("shop-1", data)


@pytest.mark.parametrize("kind", ["history_imported", "finding_reported", "unheard_of", None, 7, ["rated"]])
def test_record_of_another_kind_goes_back_byte_for_byte(kind):
    data = json.dumps({"kind": kind, "shop_id": "shop-1", "signature": "a"}, indent=1).encode()

    assert routed("any", data) == back("shop-1", data)


def test_import_record_goes_back_byte_for_byte():
    data = record_json(make_import_record("i", clock=ARRIVED, shop_id="shop-1"), issued_at=ARRIVED)

    assert routed("any", data) == back("shop-1", data)


def test_stamp_changes_nothing_else():
    odd = {**EVENT, "text": "\ud800 店", "amount_minor": 1e300, "extra": [None, True, {"a": -0.5}]}

    stamped = stamp_arrival(record(odd), odd)

    assert json.loads(stamped) == {**odd, "received_at": "2026-11-20T09:00:00.000Z"}


def test_event_that_the_stamp_would_make_too_large_goes_back_as_it_is():
    empty = len(json.dumps({**EVENT, "text": ""}, separators=(",", ":")))
    largest = {**EVENT, "text": "t" * (MAX_RECORD_BYTES - empty)}
    data = json.dumps(largest, separators=(",", ":")).encode()
    assert len(data) == MAX_RECORD_BYTES

    assert routed("any", data) == back("shop-1", data)


def test_event_nested_as_deep_as_can_be_read_goes_back():
    around_the_limits = (*range(950, 1_000), *range(1_480, 1_510), *range(9_980, 10_010))  # Python 3.11, 3.12, 3.13
    for depth in around_the_limits:
        data = json.dumps(EVENT).encode()[:-1] + b', "deep": ' + b"[" * depth + b"]" * depth + b"}"

        batch = routed("any", data)

        assert len(batch.rerouted) + len(batch.logs.get("any", [])) == 1


@pytest.mark.parametrize("key", ["shop-1", "店", "", "k" * 256])
def test_hash_key_is_the_md5_of_the_key_as_a_number(key):
    assert hash_key(key) == int(hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(), 16)


@pytest.mark.parametrize(
    ("first", "last", "held"), [(0, 0, True), (-1, 0, True), (0, 1, True), (1, 2, False), (-2, -1, False)]
)
def test_range_holds_both_its_ends(first, last, held):
    key = hash_key("shop-1")

    assert HashRange(key + first, key + last).holds("shop-1") is held


def test_whole_range_holds_every_key_and_the_ends_of_all_keys_hold_what_hashes_there(monkeypatch):
    ends = {"lowest": 0, "highest": MAX_HASH_KEY}
    monkeypatch.setattr("service_quality.events.routing.hash_key", ends.__getitem__)

    low, high = HashRange(0, 2**127 - 1), HashRange(2**127, MAX_HASH_KEY)

    assert (low.holds("lowest"), high.holds("lowest")) == (True, False)
    assert (low.holds("highest"), high.holds("highest")) == (False, True)
    assert HashRange(0, MAX_HASH_KEY).holds("lowest")
    assert HashRange(0, MAX_HASH_KEY).holds("highest")
