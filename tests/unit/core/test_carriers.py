"""Carriers of events, opened: each part is an event or rejected with a reason, and no part is lost."""

import json
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.errors import RejectedEventError
from service_quality.events.carriers import MAX_EVENTS, MAX_WRAPS, open_carrier
from service_quality.events.parsing import parse_json

EVENT = {"event_id": "e1", "kind": "rated", "text": "好"}
OTHER = {"event_id": "e2", "kind": "rated"}
EMPTY: tuple[object, ...] = (None, {}, [], "", 0, False)
FORMS: dict[str, Callable[[object], object]] = {
    "text": json.dumps,
    "bus": lambda carried: {"id": "i", "detail-type": "event", "source": "desk", "detail": carried},
    "notification": lambda carried: {"Type": "Notification", "MessageId": "m", "Message": json.dumps(carried)},
    "CloudEvent": lambda carried: {"specversion": "1.0", "id": "i", "type": "t", "source": "/s", "data": carried},
    "CloudEvent in base64": lambda carried: {
        "specversion": "1.0",
        "data_base64": b64encode(json.dumps(carried).encode()).decode(),
    },
    "list": lambda carried: [carried],
    "events": lambda carried: {"events": [carried]},
    "one as events": lambda carried: {"events": carried},
}


def opened(carrier: object) -> list[object]:
    """The content of a carrier: the JSON of a part, or the reason why it is rejected."""
    return [part.error.reason if part.error else json.loads(part.data) for part in open_carrier(carrier).parts]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_opened(form):
    assert opened(FORMS[form](EVENT)) == [EVENT]


@pytest.mark.parametrize("inner", FORMS)
@pytest.mark.parametrize("outer", FORMS)
def test_form_within_a_form_is_opened(outer, inner):
    assert opened(FORMS[outer](FORMS[inner]([EVENT, OTHER]))) == [EVENT, OTHER]


@given(st.lists(st.sampled_from(sorted(FORMS)), max_size=MAX_WRAPS // 2))
def test_forms_in_any_order_are_opened(forms):
    carrier: object = EVENT
    for form in forms:
        carrier = FORMS[form](carrier)

    assert opened(carrier) == [EVENT]


@pytest.mark.parametrize("form", FORMS)
def test_form_that_is_nested_without_end_is_rejected_whole(form):
    carrier: object = EVENT
    for _ in range(MAX_WRAPS + 1):
        carrier = FORMS[form](carrier) if len(json.dumps(carrier)) < 10**6 else [carrier]

    assert opened(carrier) == ["nested_too_deep"]


def test_list_of_cloud_events_is_opened_in_its_order():
    assert opened([FORMS["CloudEvent"](EVENT), FORMS["CloudEvent in base64"](OTHER)]) == [EVENT, OTHER]


@pytest.mark.parametrize(
    "carrier",
    [
        *("", " \n", "null", "[]", "{}", '""', '{"events": []}', None, [], {}, {"events": []}, {"events": None}),
        *({"events": {}}, {"events": ""}, {"events": 7}, {"events": True}),
        *({"detail-type": "t", "detail": empty} for empty in EMPTY),
        *({"specversion": "1.0", "data": empty} for empty in EMPTY),
        {"specversion": "1.0", "data": None, "data_base64": ""},
        {"Type": "Notification", "Message": ""},
    ],
    ids=json.dumps,
)
def test_carrier_without_an_event_is_rejected_and_stored(carrier):
    (part,) = open_carrier(carrier).parts

    assert part.error is not None
    assert part.error.reason == "no_event"
    assert part.data == (
        carrier.encode() if isinstance(carrier, str) else json.dumps(carrier, separators=(",", ":")).encode()
    )


def test_empty_place_in_a_list_is_rejected_beside_the_others():
    assert opened([EVENT, None, {}, [], "", OTHER]) == [EVENT, *["no_event"] * 4, OTHER]


@pytest.mark.parametrize("stray", [[], {}, "", None, 0, 7, False, True])
@pytest.mark.parametrize("name", ["events", "detail-type", "specversion", "data", "detail", "Message", "Type"])
def test_event_with_a_stray_field_of_a_carrier_is_the_event(name, stray):
    event = {**EVENT, name: stray}

    assert opened(event) == opened(json.dumps(event)) == [event]


@pytest.mark.parametrize(
    "carrier",
    [
        {**EVENT, "events": [OTHER]},
        {**EVENT, "events": OTHER},
        {**EVENT, "events": json.dumps([OTHER])},
        {**EVENT, "detail-type": "t", "detail": OTHER},
        {**EVENT, "specversion": "1.0", "data": OTHER},
        {**EVENT, "Type": "Notification", "Message": json.dumps(OTHER)},
        {"events": [EVENT], "detail-type": "t", "detail": OTHER},
        {"specversion": "1.0", "data": EVENT, "data_base64": b64encode(json.dumps(OTHER).encode()).decode()},
    ],
    ids=json.dumps,
)
def test_events_in_two_places_of_one_object_are_rejected_whole(carrier):
    (part,) = open_carrier(carrier).parts

    assert part.error is not None
    assert part.error.reason == "ambiguous_carrier"
    assert json.loads(part.data) == carrier


@pytest.mark.parametrize("wish", [True, "true", 1, 0, None, "false"])
def test_preview_that_is_asked_for_where_nobody_answers_is_rejected(wish):
    assert opened({"events": [EVENT], "preview": wish}) == ["misplaced_preview"]
    assert opened({**EVENT, "preview": wish}) == ["misplaced_preview"]
    assert opened([{**EVENT, "preview": wish}]) == ["misplaced_preview"]
    assert opened({**FORMS["bus"](EVENT), "preview": wish}) == ["misplaced_preview"]  # type: ignore[dict-item]


def test_preview_that_is_not_wished_changes_nothing():
    assert opened({"events": [EVENT], "preview": False}) == [EVENT]
    assert opened({**EVENT, "preview": False}) == [{**EVENT, "preview": False}]


@pytest.mark.parametrize("base64", ["%", "YQ", "////", 7.5, ["YQ=="], {"a": 1}])
def test_data_that_is_no_base64_of_text_is_rejected_whole(base64):
    expected = "no_event" if base64 == 7.5 else "malformed_base64"

    assert opened({"specversion": "1.0", "data_base64": base64}) == [expected]


@pytest.mark.parametrize("text", ["{", "nonsense", "\ud800", "[" * 100_000, '{"a": ' * 100_000])
def test_text_that_is_no_json_is_handed_on_as_it_is(text):
    (part,) = open_carrier(text).parts

    assert part.error is None
    assert part.data == text.encode(errors="backslashreplace")


def test_event_of_a_text_keeps_its_bytes():
    text = '{"event_id":  "e1",\n "text": "\\u597d"}'

    assert [part.data for part in open_carrier(text).parts] == [text.encode()]


def test_event_of_an_envelope_is_no_longer_than_its_text():
    (part,) = open_carrier({"events": [EVENT]}).parts

    assert part.data == '{"event_id":"e1","kind":"rated","text":"好"}'.encode()


@pytest.mark.parametrize("form", [lambda events: events, lambda events: {"events": events}, json.dumps])
def test_carrier_of_more_events_than_are_taken_is_one_part(form):
    most, more = form([1] * MAX_EVENTS), form([1] * (MAX_EVENTS + 1))

    assert len(open_carrier(most).parts) == MAX_EVENTS
    (part,) = open_carrier(more).parts
    assert part.error is not None
    assert part.error.reason == "too_many_events"
    assert json.loads(part.data) == (json.loads(more) if isinstance(more, str) else more)


def test_lists_within_lists_are_counted_together():
    assert opened([[1] * 600, [1] * 600]) == ["too_many_events"]


def test_value_that_is_too_deep_to_be_written_is_rejected():
    deep: object = EVENT
    for _ in range(100_000):
        deep = [deep]

    assert opened({"events": [deep]}) == ["nested_too_deep"]


def test_fields_beside_a_list_of_events_are_unknown():
    contents = open_carrier({"events": [EVENT], "preveiw": True, "preview": False, "version": 1})

    assert contents.unknown_fields == {"preveiw"}


@pytest.mark.parametrize("text", ['{"events": [%s], "events": []}', '[%s, {"event_id": "e2", "event_id": "e3"}]'])
def test_text_that_names_a_field_twice_is_stored_whole_and_not_read_as_one_of_both(text):
    text %= json.dumps(EVENT, ensure_ascii=False)

    assert [part.data for part in open_carrier(text).parts] == [text.encode()]
    with pytest.raises(RejectedEventError, match="an object that names a field twice"):
        parse_json(text.encode())
