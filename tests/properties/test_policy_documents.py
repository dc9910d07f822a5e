"""Whatever a policy document holds: it is a policy that can be written and read back, or rejected in clear words."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cli.paths import ROOT
from service_quality.errors import RejectedPolicyError
from service_quality.instants import DAY
from service_quality.policies.business_time import BusinessTime
from service_quality.policies.policy import Policy
from service_quality.policies.policy_document import KEYS, parse_policy
from service_quality.policies.policy_form import policy_to_dict
from tests.properties.random_policies import ZONES

VALIDATOR = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "policy.schema.json").read_text("utf-8")))
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

names = st.text("ab Ré满\u3000", min_size=1, max_size=4)
clocks = st.builds("{:02}:{:02}".format, st.integers(0, 24), st.sampled_from((0, 15, 30, 59)))
shifts = st.lists(st.builds("{}-{}".format, clocks, clocks), max_size=2)
durations = st.sampled_from(("PT30S", "PT3M", "PT1H30M", "P3D", "P1DT1S", "P30D", "PT0S", "P31D", "3m"))
dates = st.sampled_from(("2026-12-31", "2024-02-29", "2023-02-29", "2026-1-1"))
numbers = st.integers(-2, 12)
targets = st.fixed_dictionaries(
    {},
    optional={
        "when": st.dictionaries(
            st.sampled_from(("channel", "priority", "agent")), st.lists(names, max_size=2), max_size=2
        ),
        "first_response": durations,
        "next_reply": durations,
        "judged_by": st.sampled_from(("calendar", "business", "wall")),
    },
)
scales = st.fixed_dictionaries(
    {}, optional={"worst": numbers, "best": numbers, "names": st.dictionaries(names, st.integers(0, 6), max_size=2)}
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
SENSIBLE: dict[str, st.SearchStrategy[Any]] = {
    "revision": names,
    "valid_from": st.sampled_from(("2026-12-01T00:00:00+08:00", "2026-12-01T00:00:00Z")),
    "follows": names,
    "zone": st.sampled_from((*ZONES, "Mars/Base")),
    "currency": st.sampled_from(("CNY", "JPY", "eur")),
    "opening": st.none() | st.dictionaries(st.sampled_from(WEEKDAYS), shifts, max_size=7),
    "holidays": st.just("CN"),
    "make_up_days_as": st.sampled_from(WEEKDAYS),
    "own_days": st.dictionaries(dates, shifts, max_size=2),
    "targets": st.lists(targets, max_size=3),
    "rating_scale": scales,
    "dissatisfied_at_most": st.integers(0, 5),
    "ends_after": durations,
    "owner": st.sampled_from(("last_answer", "first_answer", "assigned")),
    "pauses_when": st.lists(names, min_size=1, max_size=2),
    "answer_tolerance": durations,
    "on_time_within": durations,
    "slow_beyond": durations,
}


@st.composite
def documents(draw: st.DrawFn, of_junk: st.SearchStrategy[Any]) -> dict[str, Any]:
    """A document of some of the keys, each of whose values is sensible or not."""
    keys = {"revision", "valid_from"} | draw(st.sets(st.sampled_from(KEYS), max_size=4))
    return {key: draw(SENSIBLE[key] | of_junk) for key in sorted(keys)}


def test_every_key_is_played():
    assert SENSIBLE.keys() == {*KEYS}


def taken(document: dict[str, Any]) -> tuple[Policy | None, tuple[str, ...]]:
    """The policy of a document, or its problems."""
    try:
        return parse_policy(json.dumps(document).encode()), ()
    except RejectedPolicyError as rejected:
        return None, rejected.problems


@given(documents(junk))
def test_document_is_a_policy_or_rejected_with_clear_problems(document):
    policy, problems = taken(document)

    assert (policy is None) is bool(problems)
    assert all(": found " in one and ", expected " in one and "\n" not in one for one in problems)
    assert "\n".join(problems).encode() is not None


@given(documents(st.nothing()))
def test_what_is_taken_is_written_read_back_and_valid_by_the_schema(document):
    policy, _ = taken(document)
    if policy is None:
        reject()
    form = policy_to_dict(policy)

    assert taken(dict(form)) == (policy, ())
    assert 0 <= BusinessTime(policy).between(0, DAY) <= DAY
    VALIDATOR.validate(document)
    VALIDATOR.validate(form)


@given(st.binary(max_size=40))
def test_bytes_that_are_no_document_are_rejected(data):
    with pytest.raises(RejectedPolicyError):
        parse_policy(data)
