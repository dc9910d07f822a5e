"""Accepted and rejected events, with the reasons."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.declared_fields import INSTANT
from service_quality.events.interaction_event import (
    DECLARED,
    FIELDS,
    InteractionEvent,
    event_to_dict,
    event_to_json,
    fields_of,
)
from service_quality.events.parsing import MAX_RECORD_BYTES, parse_event, parse_record
from service_quality.instants import DAY, MINUTE, format_instant, parse_instant
from tests.properties.random_logs import LARGEST, START, Choices, random_event

ARRIVED = parse_instant("2023-08-24T10:00:00Z")
GOOD = {
    "event_id": "e1",
    "shop_id": "shop",
    "kind": "customer_message",
    "conversation_id": "c1",
    "occurred_at": "2023-08-24T09:59:00Z",
}


def rejection(raw: object, *, shop_id: str = "shop") -> RejectedEventError:
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    with pytest.raises(RejectedEventError) as rejected:
        parse_record(data, arrived_at=ARRIVED, shop_id=shop_id)
    return rejected.value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b'{"event_id": "e1"', "malformed_json"),
        (b"[" * 60_000, "malformed_json"),
        (b'{"rating": ' + b"9" * 5_000 + b"}", "malformed_json"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b" " * (MAX_RECORD_BYTES + 1), "too_large"),
        (b'{"text":"' + b"x" * 300_000 + b'"}', "too_large"),
    ],
)
def test_record_that_is_no_event_is_rejected(data, reason):
    assert rejection(data).reason == reason


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"kind": None}, "missing_field", "kind"),
        ({"kind": 5}, "wrong_type", "kind"),
        ({"kind": "telepathy"}, "unknown_kind", "kind"),
        ({"event_id": None}, "missing_field", "event_id"),
        ({"event_id": 7}, "wrong_type", "event_id"),
        ({"event_id": ""}, "out_of_range", "event_id"),
        ({"event_id": "x" * 129}, "out_of_range", "event_id"),
        ({"event_id": "a\u001fb"}, "out_of_range", "event_id"),
        ({"event_id": "\ud800"}, "out_of_range", "event_id"),
        ({"shop_id": None}, "missing_field", "shop_id"),
        ({"shop_id": "other"}, "wrong_shop", "shop_id"),
        ({"occurred_at": None}, "missing_field", "occurred_at"),
        ({"occurred_at": 1692871140}, "wrong_type", "occurred_at"),
        ({"occurred_at": "yesterday"}, "out_of_range", "occurred_at"),
        ({"occurred_at": "2023-08-24T09:59:00"}, "out_of_range", "occurred_at"),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, "out_of_range", "occurred_at"),
        ({"occurred_at": "2023-08-24T10:05:00.001Z"}, "from_the_future", "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "from_the_future", "occurred_at"),
        ({"received_at": "2023-08-24T10:05:00.001Z"}, "from_the_future", "received_at"),
        ({"received_at": "2023-08-24T09:00:00Z"}, "from_the_future", "occurred_at"),
        ({"received_at": True}, "wrong_type", "received_at"),
        ({"precision": "hour"}, "out_of_range", "precision"),
        ({"precision": ""}, "out_of_range", "precision"),
        ({"precision": 0}, "out_of_range", "precision"),
        ({"precision": ["day"]}, "out_of_range", "precision"),
        ({"precision": "day", "occurred_at": "2023-08-25T00:00:00Z"}, "from_the_future", "occurred_at"),
        ({"conversation_id": None}, "missing_field", "conversation_id"),
        ({"kind": "suggestion_made", "conversation_id": None}, "missing_field", "conversation_id"),
        ({"kind": "agent_message"}, "missing_field", "agent_id"),
        ({"kind": "assigned"}, "missing_field", "agent_id"),
        ({"kind": "rated"}, "missing_field", "rating"),
        ({"kind": "page_viewed"}, "missing_field", "customer_id"),
        ({"kind": "searched", "customer_id": "zoe"}, "missing_field", "query"),
        ({"kind": "order_placed", "customer_id": "zoe"}, "missing_field", "order_id"),
        ({"rating": 0}, "out_of_range", "rating"),
        ({"rating": 1e300}, "out_of_range", "rating"),
        ({"rating": 4.5}, "wrong_type", "rating"),
        ({"rating": float("nan")}, "wrong_type", "rating"),
        ({"rating": True}, "wrong_type", "rating"),
        ({"rating": "5"}, "wrong_type", "rating"),
        ({"amount_minor": -1}, "out_of_range", "amount_minor"),
        ({"amount_minor": 10**12 + 1}, "out_of_range", "amount_minor"),
        ({"duration_ms": 30 * DAY + 1}, "out_of_range", "duration_ms"),
        ({"text": {"a": 1}}, "wrong_type", "text"),
        ({"text": "x" * 8_001}, "out_of_range", "text"),
        ({"text": "\ud800"}, "out_of_range", "text"),
        ({"query": ["lamp"]}, "wrong_type", "query"),
    ],
)
def test_event_with_a_bad_field_is_rejected(change, reason, field):
    rejected = rejection({**GOOD, **change})

    assert (rejected.reason, rejected.field) == (reason, field)


@given(st.integers(0, LARGEST - 1))
def test_event_comes_back_equal_from_its_record(number):
    event = random_event(Choices(number), "e1", shop_id="shop", now=START)

    again = parse_record(event_to_json(event), arrived_at=START, shop_id="shop")

    assert again == event


def test_missing_arrival_is_the_streams():
    assert parse_event(GOOD, arrived_at=ARRIVED).received_at == ARRIVED


def test_unknown_fields_are_left_out():
    event = parse_event({**GOOD, "mood": "bad", "": 1, "version": 1}, arrived_at=ARRIVED)

    assert event_to_dict(event) == {
        **GOOD,
        "version": 1,
        "occurred_at": "2023-08-24T09:59:00.000Z",
        "received_at": "2023-08-24T10:00:00.000Z",
    }


def test_null_counts_as_missing():
    event = parse_event({**GOOD, "text": None, "rating": None, "precision": None}, arrived_at=ARRIVED)

    assert (event.text, event.rating, event.precision) == (None, None, "ms")


def test_whole_float_is_an_integer():
    assert parse_event({**GOOD, "kind": "rated", "rating": 5.0}, arrived_at=ARRIVED).rating == 5


@pytest.mark.parametrize(
    ("occurred", "arrived", "stands"),
    [
        ("2023-08-20T00:00:00Z", "2023-08-24T10:00:00Z", "2023-08-20T23:59:59.999Z"),
        ("2023-08-20T23:00:00-03:00", "2023-08-24T10:00:00Z", "2023-08-21T23:59:59.999Z"),
        ("2023-08-24T00:00:00Z", "2023-08-24T10:00:00Z", "2023-08-24T10:00:00.000Z"),
        ("2023-08-25T00:00:00Z", "2023-08-24T23:58:00Z", "2023-08-25T00:00:00.000Z"),
    ],
)
def test_day_precision_counts_at_the_end_of_the_day_or_at_arrival(occurred, arrived, stands):
    event = parse_event({**GOOD, "precision": "day", "occurred_at": occurred}, arrived_at=parse_instant(arrived))

    assert format_instant(event.occurred_at) == stands


def test_event_may_be_five_minutes_ahead_of_its_arrival():
    raw = {**GOOD, "occurred_at": format_instant(ARRIVED + 5 * MINUTE)}

    assert parse_event(raw, arrived_at=ARRIVED).occurred_at == ARRIVED + 5 * MINUTE


def message_of(data: bytes) -> str:
    try:
        parse_record(data, arrived_at=ARRIVED, shop_id="shop")
    except RejectedEventError as rejected:
        return str(rejected)
    return ""


WORDS = st.sampled_from(
    (
        "hopelessly_incompetent_anna_meier",
        "anna",
        "my phone is 13812345678",
        "13812345678",
        "zoe@example.org",
        "Wo bleibt mein Paket?",
        "订单呢",
        "i_live_at_12_elm",
    )
)


@given(
    st.sampled_from(FIELDS),
    WORDS | WORDS.map(lambda word: [word]) | st.integers(10**6, 10**20) | st.just(0.13812345678),
)
def test_rejections_never_repeat_what_was_written(field, written):
    said = message_of(json.dumps({**GOOD, field: written}).encode())

    assert str(written).strip("[]'") not in said


@pytest.mark.parametrize("kind", sorted(kinds.ALL))
def test_every_kind_can_enter(kind):
    fields = {"customer_id": "zoe", "agent_id": "ann", "rating": 5, "query": "lamp", "order_id": "o1"}

    event = parse_event({**GOOD, **fields, "kind": kind}, arrived_at=ARRIVED)

    assert isinstance(event, InteractionEvent)


def test_every_field_is_declared_with_a_bound_and_kinds():
    for name, declared in DECLARED.items():
        assert declared.kinds <= kinds.ALL, name
        assert declared.kinds, name
        assert declared.highest or declared.words or declared.form == INSTANT, name
    assert fields_of(INSTANT) == ("occurred_at", "received_at")
