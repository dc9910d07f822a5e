"""The schema of events takes what parsing takes, and every documented example is taken."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from service_quality.errors import RejectedEventError
from service_quality.events.carriers import open_carrier
from service_quality.events.declared_fields import INSTANT, INTEGER, TEXT
from service_quality.events.event_forms import event_to_input
from service_quality.events.intake import take_in
from service_quality.events.interaction_event import DECLARED, INPUT_FIELDS
from service_quality.events.kinds import KINDS
from service_quality.events.parsing import read_event
from service_quality.instants import DAY, parse_instant
from tools.event_documents import example, render_schema

ARRIVED = parse_instant("2026-11-20T08:00:00Z")
VALIDATOR = Draft202012Validator(json.loads(render_schema()), format_checker=FormatChecker())


def is_read_as_sent(event: dict[str, Any]) -> bool:
    """Whether an event is taken with every value that it gives: none is left out, cut or read as another one."""
    try:
        read, odd = read_event(event, arrived_at=ARRIVED)
    except RejectedEventError:
        return False
    taken = {"precision": read.precision, **event_to_input(read)}
    given = {name: value for name, value in event.items() if DECLARED[name].form != INSTANT}
    return not odd and all(taken.get(name) == value for name, value in given.items())


def a_value(name: str) -> st.SearchStrategy[object]:
    """Good values and bad ones of a field; what no schema can say is left out: instants that are no instants, and an
    event from ahead of its arrival.
    """
    declared = DECLARED[name]
    wrong = st.sampled_from([7.5, True, [], {"a": 1}])
    if declared.form == INSTANT:
        return st.sampled_from([declared.example, "2026-11-20T09:00:00+01:00"]) | wrong
    if declared.form == INTEGER:
        bounds = st.sampled_from([declared.lowest - 1, declared.lowest, declared.highest, declared.highest + 1])
        return bounds | st.just(float(declared.lowest)) | st.just("4") | wrong
    if declared.words:
        return st.sampled_from(declared.words) | st.just("telepathy") | wrong
    lengths = st.sampled_from([0, 1, declared.highest, declared.highest + 1])
    return lengths.map(lambda length: "ü" * length) | st.just(3) | wrong


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An example with some fields changed, added or left out."""
    event: dict[str, Any] = example(draw(st.sampled_from(sorted(KINDS))))
    for name in draw(st.lists(st.sampled_from(sorted(INPUT_FIELDS)), max_size=3)):
        event[name] = draw(a_value(name))
    for name in draw(st.lists(st.sampled_from(sorted(event)), max_size=2)):
        event.pop(name, None)
    return event


@given(events())
def test_schema_takes_what_is_read_as_it_is_sent(event):
    assert VALIDATOR.is_valid(event) == is_read_as_sent(event)


@pytest.mark.parametrize("kind", KINDS)
def test_example_of_each_kind_is_taken_with_every_field_read(kind):
    intake = take_in(open_carrier(example(kind)), now=ARRIVED, retention=30 * DAY)

    assert list(intake.accepted) == [0]
    assert not intake.unknown
    assert VALIDATOR.is_valid(example(kind))


@pytest.mark.parametrize("wrong", [{"custmer_id": "ann"}, {"conversation_id": None}, {"kind": "customer_mesage"}])
def test_schema_finds_what_a_sender_mistypes(wrong):
    assert not VALIDATOR.is_valid(example("customer_message") | wrong)


def test_every_field_is_in_some_example():
    shown = {name for kind in KINDS for name in example(kind)}

    assert shown | {"received_at", "precision"} == set(INPUT_FIELDS)


def test_texts_are_the_fields_that_customers_write():
    assert {name for name, declared in DECLARED.items() if declared.form == TEXT} == {"text", "query"}
