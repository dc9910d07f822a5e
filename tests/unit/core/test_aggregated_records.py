"""Aggregates of the producer library: each record under its own key, in order; what is damaged stays whole."""

import hashlib

import pytest

from service_quality.events.aggregated_records import PackedRecord, unpack_record
from tests.stand_ins.aggregates import aggregate, field


def sealed(body: bytes) -> bytes:
    return b"\xf3\x89\x9a\xc2" + body + hashlib.md5(body, usedforsecurity=False).digest()


def test_records_come_out_under_their_own_keys_in_order():
    long = b"x" * 70_000
    data = aggregate(["shop-1", "店"], [(0, b"a"), (1, b"b"), (0, long)])

    assert unpack_record("any", data) == [
        PackedRecord("shop-1", 0, b"a"),
        PackedRecord("店", 1, b"b"),
        PackedRecord("shop-1", 2, long),
    ]


def test_plain_record_is_itself():
    assert unpack_record("shop-1", b'{"kind": 1}') == [PackedRecord("shop-1", 0, b'{"kind": 1}')]


def test_fields_that_nobody_knows_are_skipped():
    body = (
        field(1, b"s")
        + field(9, b"?")
        + b"\x49"
        + b"\0" * 8
        + b"\x55"
        + b"\0" * 4
        + field(3, b"\x08\x00" + field(3, b"a"))
    )

    assert unpack_record("any", sealed(body)) == [PackedRecord("s", 0, b"a")]


DAMAGED = {
    "cut off": aggregate(["s"], [(0, b"a")])[:-1],
    "another digest": aggregate(["s"], [(0, b"a")])[:-1] + b"?",
    "a key that is not there": aggregate(["s"], [(7, b"a")]),
    "more records than a position can count": aggregate(["s"], [(0, b"")] * 10_001),
    "a key that is no text": sealed(field(1, b"\xff") + field(3, b"\x08\x00" + field(3, b"a"))),
    "a record without data": sealed(field(1, b"s") + field(3, b"\x08\x00")),
    "fewer bytes than announced": sealed(b"\x0a\xff"),
    "a wire type that nobody writes": sealed(b"\x0b"),
    "a number without end": sealed(b"\xff" * 12),
    "nothing behind the mark": b"\xf3\x89\x9a\xc2",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_aggregate_stays_one_record(damage):
    assert unpack_record("shop-1", DAMAGED[damage]) == [PackedRecord("shop-1", 0, DAMAGED[damage])]


@pytest.mark.parametrize("body", [b"", field(1, b"shop-1"), field(4, b'{"kind": "rated"}')])
def test_aggregate_without_a_record_stays_one_record(body):
    assert unpack_record("shop-1", sealed(body)) == [PackedRecord("shop-1", 0, sealed(body))]
