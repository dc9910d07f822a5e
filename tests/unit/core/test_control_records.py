"""Control records: signed by the deployment's key, read and written by one table."""

import json

import pytest

from service_quality.errors import RejectedEventError
from service_quality.events import control_signatures, kinds
from service_quality.events.control_parsing import CONTROL_KINDS, VALID_FOR
from service_quality.events.control_records import (
    ControlRecord,
    HistoryFilled,
    PendingImport,
    RecordPutBack,
    SettingsChanged,
    ShopUnparked,
    StateRebuilt,
    control_to_dict,
)
from service_quality.events.control_signatures import sign_control
from service_quality.events.finding_reported import FindingReported
from service_quality.events.parsing import MAX_RECORD_BYTES, parse_record
from service_quality.events.time_reached import TimeReached
from service_quality.instants import MINUTE, format_instant, parse_instant
from tests.stand_ins.control import KEY, control_key, make_import_record

ARRIVED = parse_instant("2023-08-24T10:00:00Z")
IMPORT_RECORD = make_import_record("i1", clock=ARRIVED, buckets=3, histories=7)
RECORDS: list[ControlRecord] = [
    IMPORT_RECORD,
    RecordPutBack(shop_id="shop", run="r1", order="0001-7", arrived_at=ARRIVED - 1, data=b"\xff{"),
    RecordPutBack(shop_id="shop", run="", order="0001-7", arrived_at=ARRIVED, data=b""),
    ShopUnparked(shop_id="shop", run="r1", until="0001-7"),
    SettingsChanged(shop_id="shop", document='{"revision": "2026-店"}'.encode()),
    HistoryFilled(
        shop_id="shop", import_id="f1", follows="0001-7", buckets=2, histories=3, columns=("agent.1d.replies.0a1b2c",)
    ),
    StateRebuilt(
        shop_id="shop",
        rebuild_id="r1",
        fold_version="5",
        follows="0001-7",
        clock=ARRIVED - 2,
        received_clock=ARRIVED - 1,
        columns=("agent.1d.replies.0a1b2c",),
        pending=(PendingImport("r1-1", 2, 3), PendingImport("r1-2", 1, 1)),
    ),
    TimeReached(shop_id="shop", conversation_id="c1", round=1, turn=2, stage="waited_share:0.75", due_at=ARRIVED),
    FindingReported(
        shop_id="shop",
        finding="churn",
        subject_kind="customer",
        subject_id="客1",
        as_of=ARRIVED,
        valid_until=ARRIVED + 1,
        values={"churn_score": 0.1 + 0.2, "customer_orders_90d": 3, "customer_units_90d": None},
        score=0.1 + 0.2,
        model_version="20230824T100000Z-ab",
        reasons=(("customer_orders_90d", 3, -0.7), ("customer_units_90d", None, 0.25)),
    ),
    FindingReported(
        shop_id="shop",
        finding="stock",
        subject_kind="sku",
        subject_id="s1",
        as_of=ARRIVED - 1,
        valid_until=ARRIVED,
        values={},
    ),
]
FINDING = {
    "kind": "finding_reported", "finding": "churn", "subject_kind": "customer", "subject_id": "ann",
    "as_of": "2023-08-24T10:00:00Z", "valid_until": "2023-08-25T10:00:00Z", "values": {"churn_score": 0.5},
    "score": 0.5, "model_version": "v1", "reasons": [["customer_orders_90d", 1, 0.5]],
}  # fmt: skip
#: The fields of a record of time.
REACHED = {
    "kind": "time_reached", "conversation_id": "c1", "round": 1, "turn": 2, "stage": "waiting_ms:1",
    "due_at": "2023-08-24T10:00:00Z",
}  # fmt: skip


def parse(data: bytes, *, arrived_at: int = ARRIVED, key=control_key) -> object:
    return parse_record(data, arrived_at=arrived_at, shop_id="shop", key=key)


def signed(form: dict) -> bytes:
    """Any form, with a sound signature: what a holder of the key could send by mistake."""
    record = json.loads(sign_control(IMPORT_RECORD, KEY, issued_at=ARRIVED))
    del record["signature"]
    form = {name: value for name, value in (record | form).items() if value is not None}
    return json.dumps(form | {"signature": control_signatures._signature(form, KEY)}).encode()


def rejection(data: bytes, **options) -> RejectedEventError:
    with pytest.raises(RejectedEventError) as rejected:
        parse(data, **options)
    return rejected.value


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.kind)
def test_signed_record_comes_back_equal(record):
    assert parse(sign_control(record, KEY, issued_at=ARRIVED)) == record


def test_every_kind_is_tried_here():
    assert {record.kind for record in RECORDS} == CONTROL_KINDS.keys() == kinds.CONTROL


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.kind)
def test_record_of_another_key_is_rejected(record):
    assert rejection(sign_control(record, b"another key", issued_at=ARRIVED)).reason == "unsigned"


def test_record_without_a_signature_is_rejected():
    assert rejection(json.dumps(control_to_dict(IMPORT_RECORD)).encode()).reason == "unsigned"


@pytest.mark.parametrize("claimed", [None, 7, [], "", "\u00e9", "0" * 64, {"a": 1}])
def test_signature_of_any_shape_is_rejected(claimed):
    form = {**json.loads(sign_control(IMPORT_RECORD, KEY, issued_at=ARRIVED)), "signature": claimed}

    assert rejection(json.dumps(form).encode()).reason == "unsigned"


@pytest.mark.parametrize(
    "field", ["shop_id", "import_id", "clock", "buckets", "histories", "issued_at", "kind", "version"]
)
def test_no_field_can_be_changed_after_signing(field):
    other = {"buckets": 9, "histories": 9, "version": 9, "kind": "shop_unparked"}.get(field, "2023-08-01T00:00:00Z")
    form = {**json.loads(sign_control(IMPORT_RECORD, KEY, issued_at=ARRIVED)), field: other}

    assert rejection(json.dumps(form).encode()).reason == "unsigned"


def test_signature_does_not_depend_on_the_order_of_fields_or_blanks():
    form = json.loads(sign_control(IMPORT_RECORD, KEY, issued_at=ARRIVED))

    assert parse(json.dumps(dict(reversed(form.items())), indent=1).encode()) == IMPORT_RECORD


def test_without_a_key_no_control_record_is_taken():
    assert rejection(sign_control(IMPORT_RECORD, KEY, issued_at=ARRIVED), key=None).reason == "unsigned"


@pytest.mark.parametrize("issued_at", [ARRIVED - VALID_FOR - 1, ARRIVED + 5 * MINUTE + 1])
def test_record_signed_long_ago_or_in_the_future_is_rejected(issued_at):
    assert rejection(sign_control(IMPORT_RECORD, KEY, issued_at=issued_at)).reason == "expired"


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"shop_id": "other"}, "wrong_shop", "shop_id"),
        ({"clock": None}, "missing_field", "clock"),
        ({"clock": format_instant(ARRIVED + 5 * MINUTE + 1)}, "from_the_future", "clock"),
        ({"buckets": None}, "wrong_type", "buckets"),
        ({"buckets": 0}, "out_of_range", "buckets"),
        ({"buckets": True}, "wrong_type", "buckets"),
        ({"histories": None}, "wrong_type", "histories"),
        ({"histories": -1}, "out_of_range", "histories"),
        ({"conversations": "1"}, "wrong_type", "conversations"),
        ({"kind": "record_put_back", "run": "", "order": "1", "record": "?", "arrived_at": "2023-08-24T10:00:00Z"},
         "out_of_range", "record"),
        ({"kind": "shop_unparked"}, "missing_field", "run"),
        ({"kind": "settings_changed"}, "wrong_type", "document"),
        ({"kind": "settings_changed", "document": "?"}, "out_of_range", "document"),
        ({**REACHED, "due_at": format_instant(ARRIVED + 1)}, "from_the_future", "due_at"),
        ({**REACHED, "due_at": "soon"}, "out_of_range", "due_at"),
        ({**REACHED, "conversation_id": None}, "missing_field", "conversation_id"),
        ({**REACHED, "stage": None}, "missing_field", "stage"),
        ({**REACHED, "round": 0}, "out_of_range", "round"),
        ({**REACHED, "turn": "2"}, "wrong_type", "turn"),
    ],
)  # fmt: skip
def test_signed_record_with_a_bad_field_is_rejected(change, reason, field):
    rejected = rejection(signed(change))

    assert (rejected.reason, rejected.field) == (reason, field)


def test_record_of_the_largest_size_can_be_put_back():
    record = RecordPutBack(shop_id="shop", run="r", order="1", arrived_at=ARRIVED, data=b"x" * MAX_RECORD_BYTES)

    assert parse(sign_control(record, KEY, issued_at=ARRIVED)) == record


@pytest.mark.parametrize("kind", [None, 7, [], {}, True])
def test_kind_of_any_shape_is_rejected_with_a_reason(kind):
    assert rejection(json.dumps({"kind": kind, "shop_id": "shop"}).encode()).reason in ("missing_field", "wrong_type")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"as_of": "2023-08-24T10:10:00Z", "valid_until": "2023-08-25T10:10:00Z"}, "as_of"),
        ({"valid_until": FINDING["as_of"]}, "valid_until"),
        ({"finding": "Churn"}, "finding"),
        ({"subject_kind": None}, "subject_kind"),
        ({"values": [1]}, "values"),
        ({"values": {f"v{number}": 1 for number in range(41)}}, "values"),
        ({"values": {"churn_score": "high"}}, "values"),
        ({"values": {"churn_score": True}}, "values"),
        ({"values": {"a name": 1}}, "values"),
        ({"values": {"churn_score": 1e16}}, "values"),
        ({"score": 1.5}, "score"),
        ({"score": "0.5"}, "score"),
        ({"model_version": None}, "model_version"),
        ({"reasons": None}, "reasons"),
        ({"reasons": [["customer_orders_90d", 1]]}, "reasons"),
        ({"reasons": [["customer_orders_90d", 1, None]]}, "reasons"),
        ({"reasons": [["customer_orders_90d", 1, 0.5]] * 11}, "reasons"),
    ],
)
def test_wrong_finding_is_rejected_by_its_field(changed, field):
    assert parse(signed(FINDING))

    assert rejection(signed(FINDING | changed)).field == field


def test_finding_of_a_repeated_run_has_the_same_id():
    one = parse(signed(FINDING))
    again = parse(signed(FINDING | {"values": {"churn_score": 0.6}}))

    assert isinstance(one, FindingReported)
    assert isinstance(again, FindingReported)
    assert one.event_id == again.event_id == "churn/customer/ann/2023-08-24T10:00:00.000Z"
