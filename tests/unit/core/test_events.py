"""Accepted and rejected events, with the reasons."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.conversations.conversation import conversation_key
from service_quality.errors import RejectedEventError
from service_quality.events import kinds
from service_quality.events.annotations import annotate
from service_quality.events.declared_fields import FLAG, INSTANT
from service_quality.events.event_forms import event_from_dict, event_to_dict, event_to_json
from service_quality.events.interaction_event import DECLARED, DERIVED_FIELDS, FIELDS, InteractionEvent, fields_of
from service_quality.events.parsing import MAX_RECORD_BYTES, parse_event, parse_record, read_event, read_record
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
        ({"occurred_at": "9999-12-31T23:59:59-12:00"}, "out_of_range", "occurred_at"),
        ({"conversation_id": None}, "missing_field", "conversation_id"),
        ({"conversation_id": " "}, "out_of_range", "conversation_id"),
        ({"conversation_id": "x" * 300}, "out_of_range", "conversation_id"),
        ({"kind": "page_viewed", "customer_id": 7}, "wrong_type", "customer_id"),
        ({"kind": "page_viewed", "customer_id": "N/A"}, "missing_field", "customer_id"),
        ({"kind": "complaint_filed", "conversation_id": None, "customer_id": "a\x00"}, "out_of_range", "customer_id"),
        ({"kind": "suggestion_made", "conversation_id": None}, "missing_field", "conversation_id"),
        ({"kind": "page_viewed"}, "missing_field", "customer_id"),
    ],
)
def test_event_without_a_usable_id_kind_or_instant_is_rejected(change, reason, field):
    rejected = rejection({**GOOD, **change})

    assert (rejected.reason, rejected.field) == (reason, field)


@given(st.integers(0, LARGEST - 1))
def test_event_comes_back_equal_from_its_record(number):
    event = random_event(Choices(number), "e1", shop_id="shop", now=START)

    again = parse_record(event_to_json(event), arrived_at=START, shop_id="shop")

    assert again == annotate(event)


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
    ],
)
def test_day_precision_counts_at_the_end_of_the_day_or_at_arrival(occurred, arrived, stands):
    event = parse_event({**GOOD, "precision": "day", "occurred_at": occurred}, arrived_at=parse_instant(arrived))

    assert format_instant(event.occurred_at) == stands


@pytest.mark.parametrize("ahead", [1, 5 * MINUTE, 6 * MINUTE, 400 * DAY])
def test_stamp_ahead_of_its_arrival_counts_at_its_arrival_and_is_kept_beside(ahead):
    raw = {**GOOD, "occurred_at": format_instant(ARRIVED + ahead), "stated_at": GOOD["occurred_at"]}

    event, odd = read_event(raw, arrived_at=ARRIVED)

    assert (event.occurred_at, event.stated_at) == (ARRIVED, ARRIVED + ahead)
    assert odd == (("occurred_at",) if ahead > 5 * MINUTE else ())


def test_stamp_is_ahead_of_the_earlier_of_two_arrivals():
    event = parse_event({**GOOD, "received_at": "2023-08-24T09:00:00Z"}, arrived_at=ARRIVED)

    assert (event.occurred_at, event.stated_at) == (ARRIVED - 60 * MINUTE, ARRIVED - MINUTE)


def test_day_that_begins_after_the_arrival_counts_at_the_arrival():
    raw = {**GOOD, "precision": "day", "occurred_at": "2023-08-25T00:00:00Z"}

    event = parse_event(raw, arrived_at=ARRIVED)

    assert (event.occurred_at, event.precision) == (ARRIVED, "day")
    assert event.stated_at == parse_instant("2023-08-25T00:00:00Z")


@pytest.mark.parametrize("received", ["2023-08-24T10:05:00.001Z", "2999-01-01T00:00:00Z", "soon", True, 7])
def test_receipt_that_cannot_be_is_the_arrival(received):
    event, odd = read_event({**GOOD, "received_at": received}, arrived_at=ARRIVED)

    assert (event.received_at, odd) == (ARRIVED, ("received_at",))


@pytest.mark.parametrize("precision", ["hour", "", 0, ["day"], True])
def test_unknown_precision_is_the_millisecond(precision):
    event, odd = read_event({**GOOD, "precision": precision}, arrived_at=ARRIVED)

    assert (event.precision, odd) == ("ms", ("precision",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customer_id", "x" * 300),
        ("agent_id", 7),
        ("agent_id", "a\x1fb"),
        ("supervisor_id", ["sue"]),
        ("sku", "\ud800"),
        ("category", "\ufdd0"),
        ("status", {"a": 1}),
        ("merged_into", "x" * 129),
        ("amount_minor", -1),
        ("amount_minor", 10**12 + 1),
        ("amount_minor", "12"),
        ("amount_minor", 1e300),
        ("amount_minor", float("nan")),
        ("duration_ms", 30 * DAY + 1),
        ("sequence", -1),
        ("sequence", 2**53),
        ("sequence", True),
        ("text", {"a": 1}),
        ("query", ["lamp"]),
        ("rating", True),
        ("rating", float("inf")),
        ("rating", [5]),
    ],
)
def test_odd_value_of_an_optional_field_is_missing_and_named(name, value):
    event, odd = read_event({**GOOD, name: value}, arrived_at=ARRIVED)

    assert (event, odd) == (parse_event(GOOD, arrived_at=ARRIVED), (name,))


@pytest.mark.parametrize("kind", ["agent_message", "assigned", "rated", "searched", "order_placed"])
def test_event_is_taken_without_what_it_usually_says(kind):
    event, odd = read_event({**GOOD, "kind": kind, "customer_id": "zoe"}, arrived_at=ARRIVED)

    assert (event.kind, event.agent_id, event.rating, event.query, event.order_id, odd) == (kind, *[None] * 4, ())


@pytest.mark.parametrize("rating", [4, 4.0, "4", " 4 ", "4.0", "4.00"])
def test_whole_number_from_one_to_five_is_a_rating_however_it_is_written(rating):
    event, odd = read_event({**GOOD, "kind": "rated", "rating": rating}, arrived_at=ARRIVED)

    assert (event.rating, event.rating_given, odd) == (4, None, ())


@pytest.mark.parametrize(
    ("rating", "given"),
    [
        ("Good", "Good"), (" 满意\u3000", "满意"), (10, "10"), ("10", "10"), (4.5, "4.5"), ("4.5", "4.5"), (0, "0"),
        (6, "6"), (-1, "-1"), ("5/5", "5/5"), ("★★★★★", "★★★★★"), ("Offered", "Offered"), (10**400, None),
        ("x" * 129, None), ("a\x00", None), (1e300, None),
    ],
)  # fmt: skip
def test_rating_of_another_scale_is_kept_as_it_was_given(rating, given):
    event, odd = read_event({**GOOD, "kind": "rated", "rating": rating, "rating_given": "5"}, arrived_at=ARRIVED)

    assert (event.rating, event.rating_given, odd) == (None, given, ("rating",))


def test_blank_identifier_is_absent():
    event, odd = read_event({**GOOD, "agent_id": "", "sku": " \u3000", "channel": "\ufeff"}, arrived_at=ARRIVED)

    assert (event.agent_id, event.sku, event.channel, odd) == (None, None, None, ())


@pytest.mark.parametrize("name", ["agent_id", "supervisor_id", "manager_id", "customer_id"])
def test_name_of_nobody_is_no_person(name):
    for nobody in ("N/A", "No Agent", "-", "unassigned", " NULL ", "None", "无", "未分配"):
        event, odd = read_event({**GOOD, name: nobody, "category": nobody}, arrived_at=ARRIVED)

        assert (getattr(event, name), event.category, odd) == (None, nobody.strip(), ())


def test_agent_is_one_under_every_spelling_and_an_order_is_not():
    spellings = ["cy", "cy ", "Cy", "\u00a0CY", "cy\u3000", "cy\u200b", "\ufeffCy"]

    events = [parse_event({**GOOD, "agent_id": one, "order_id": one.strip()}, arrived_at=ARRIVED) for one in spellings]

    assert {event.agent_id for event in events} == {"cy"}
    assert {event.order_id for event in events} == {"cy", "Cy", "CY"}


@pytest.mark.parametrize(
    "claim", [{"courtesy": 1}, {"stated_at": "2023-08-24T09:00:00Z"}, {"rating_given": "Good"}, {"courtesy": "x"}]
)
def test_claims_of_derived_fields_are_not_read(claim):
    assert read_event({**GOOD, **claim}, arrived_at=ARRIVED) == read_event(GOOD, arrived_at=ARRIVED)


@pytest.mark.parametrize(
    ("text", "taken"), [("ü" * 9_000, "ü" * 8_000), ("a\ud800b", "a�b"), ("😀" * 8_001, "😀" * 8_000), ("", "")]
)
def test_long_or_broken_text_is_cut_and_mended(text, taken):
    event, odd = read_event({**GOOD, "text": text}, arrived_at=ARRIVED)

    assert (event.text, odd) == (taken, ())


def test_archived_form_reads_back_exactly_and_the_streams_form_derives_the_same():
    raw = {**GOOD, "kind": "rated", "rating": "Good", "occurred_at": "2023-08-25T00:00:00Z", "priority": "High"}
    event = parse_event(raw, arrived_at=ARRIVED)

    assert event_from_dict(event_to_dict(event)) == event
    assert parse_record(event_to_json(event), arrived_at=ARRIVED + DAY, shop_id="shop") == event


def test_thanks_are_annotated_on_the_log_and_nowhere_else():
    raw = {**GOOD, "text": "Thanks!"}

    (read, _) = read_record(json.dumps(raw).encode(), arrived_at=ARRIVED, shop_id="shop")

    assert isinstance(read, InteractionEvent)
    assert (read.courtesy, parse_event(raw, arrived_at=ARRIVED).courtesy) == (1, None)
    assert event_from_dict(event_to_dict(read)) == read


NEEDED = {"event_id", "shop_id", "kind", "occurred_at", "conversation_id"}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(codec=None), max_size=300),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)


@given(st.sampled_from(sorted({*FIELDS, "mood"} - NEEDED)), JSON)
def test_no_value_of_any_other_field_refuses_an_event(name, value):
    event, odd = read_event({**GOOD, name: value}, arrived_at=ARRIVED)

    assert set(odd) <= {name}
    assert read_event(json.loads(event_to_json(event)), arrived_at=ARRIVED).event == event


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
    fields = {"customer_id": "zoe", "agent_id": "ann", "rating": 5, "query": "lamp", "order_id": "o1", "sku": "s"}

    event = parse_event({**GOOD, **fields, "kind": kind}, arrived_at=ARRIVED)

    assert isinstance(event, InteractionEvent)


def test_every_field_is_declared_with_a_bound_and_kinds():
    for name, declared in DECLARED.items():
        assert declared.kinds <= kinds.ALL, name
        assert declared.kinds, name
        assert declared.highest or declared.words or declared.form in (INSTANT, FLAG), name
    assert fields_of(INSTANT) == ("occurred_at", "received_at", "promised_at", "delivered_at", "stated_at")
    assert DERIVED_FIELDS == ("stated_at", "rating_given", "courtesy", "search_term")


def test_order_says_how_many_pieces_and_by_when_they_are_promised_and_came():
    said = {"quantity": 3, "promised_at": "2023-08-30T18:00:00+02:00", "delivered_at": "2023-08-29T09:30:00Z"}
    raw = {**GOOD, "kind": "order_placed", "customer_id": "zoe", **said}

    event, odd = read_event(raw, arrived_at=ARRIVED)

    assert odd == ()
    assert (event.quantity, event.promised_at, event.delivered_at) == (
        3,
        parse_instant("2023-08-30T16:00:00Z"),
        parse_instant("2023-08-29T09:30:00Z"),
    )
    assert event_to_dict(event)["promised_at"] == "2023-08-30T16:00:00.000Z"
    assert event_from_dict(event_to_dict(event)) == event


@pytest.mark.parametrize("value", ["tomorrow", "2023-08-30T18:00:00", "1999-12-31T00:00:00Z", 1_693_400_000_000, True])
def test_instant_that_cannot_be_used_costs_no_order(value):
    event, odd = read_event(
        {**GOOD, "kind": "order_placed", "customer_id": "zoe", "promised_at": value}, arrived_at=ARRIVED
    )

    assert (event.promised_at, odd) == (None, ("promised_at",))


@pytest.mark.parametrize(("value", "read"), [(True, 1), (False, 0), (1, 1), (0, 0), (1.0, 1)])
def test_flag_is_true_or_false(value, read):
    assert parse_event({**GOOD, "opt_out": value}, arrived_at=ARRIVED).opt_out == read


@pytest.mark.parametrize("value", ["yes", 2, 0.5, [1], {}])
def test_flag_of_another_value_is_odd(value):
    event, odd = read_event({**GOOD, "opt_out": value}, arrived_at=ARRIVED)

    assert (event.opt_out, odd) == (None, ("opt_out",))


def test_search_says_how_many_results_it_had():
    raw = {**GOOD, "kind": "searched", "customer_id": "zoe", "query": "lamp", "results": 0}

    assert parse_event(raw, arrived_at=ARRIVED).results == 0


def test_count_of_stock_belongs_to_a_product_and_to_no_customer():
    counted = {"event_id": "e1", "shop_id": "shop", "kind": "stock_counted", "occurred_at": GOOD["occurred_at"]}

    event = parse_event({**counted, "sku": "lamp-1", "quantity": 40}, arrived_at=ARRIVED)

    assert (event.sku, event.quantity, conversation_key(event)) == (
        "lamp-1",
        40,
        f"count\x1flamp-1\x1f{ARRIVED // DAY}",
    )
    with pytest.raises(RejectedEventError, match="sku"):
        parse_event(counted, arrived_at=ARRIVED)
