"""Rejected records on their way back: in order, each once, with the arrival they had."""

import json

from service_quality.commit.put_back import KEEPS_ARRIVAL_FOR, RejectedRecord, put_back_parked, put_back_rejected
from service_quality.events.control_records import RecordPutBack, ShopUnparked

NOW = 1_700_000_000_000


def stored(position: str, *, shop_id: str = "shop", arrived_at: int = NOW, data: bytes = b"{}") -> RejectedRecord:
    return RejectedRecord(shop_id, position, "parked", arrived_at, data)


def test_parked_records_come_back_in_their_first_order_and_end_with_the_last():
    records = put_back_parked([stored("3"), stored("1"), stored("2"), stored("1")], run="r", now=NOW)

    assert [record.order for record in records if isinstance(record, RecordPutBack)] == ["1", "2", "3"]
    assert records[-1] == ShopUnparked(shop_id="shop", run="r", until="3")


def test_nothing_parked_puts_nothing_back():
    assert put_back_parked([], run="r", now=NOW) == []


def test_rejected_records_of_several_shops_come_back_each_once_without_a_run():
    records = put_back_rejected([stored("2"), stored("1", shop_id="other"), stored("1"), stored("2")], now=NOW)

    assert [(record.shop_id, record.order, record.run) for record in records if isinstance(record, RecordPutBack)] == [
        ("other", "1", ""),
        ("shop", "1", ""),
        ("shop", "2", ""),
    ]


def test_recent_record_keeps_its_first_arrival_and_its_bytes():
    data = b'{"received_at": "2023-11-14T00:00:00Z"}'

    (record, _) = put_back_parked([stored("1", arrived_at=NOW - KEEPS_ARRIVAL_FOR, data=data)], run="r", now=NOW)

    assert isinstance(record, RecordPutBack)
    assert (record.arrived_at, record.data) == (NOW - KEEPS_ARRIVAL_FOR, data)


def test_old_record_arrives_when_it_comes_back():
    data = b'{"event_id": "e", "received_at": "2023-11-01T00:00:00Z"}'

    (record, _) = put_back_parked([stored("1", arrived_at=NOW - KEEPS_ARRIVAL_FOR - 1, data=data)], run="r", now=NOW)

    assert isinstance(record, RecordPutBack)
    assert (record.arrived_at, json.loads(record.data)) == (NOW, {"event_id": "e"})


def test_old_record_that_cannot_be_read_comes_back_as_it_is():
    for data in (b"", b"{", b"[]", b"\xff"):
        (record, _) = put_back_parked([stored("1", arrived_at=0, data=data)], run="r", now=NOW)

        assert isinstance(record, RecordPutBack)
        assert record.data == data
