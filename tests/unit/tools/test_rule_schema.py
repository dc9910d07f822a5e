"""The schema of rules takes what the reader takes, and both refuse what has another form."""

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cli.paths import ROOT
from cli.yaml_files import read_yaml
from service_quality.alerts.rule_document import find_problems
from service_quality.alerts.rule_forms import ALGEBRA, CONDITION_KEYS
from service_quality.alerts.rule_vocabulary import Vocabulary
from service_quality.features.feature_set import FEATURES
from tests.unit.core.rule_documents import RATED_BADLY, WAITS, rule
from tools.rule_documents import SOURCE
from tools.rule_schema import render_schema

SCHEMA = json.loads(render_schema(Vocabulary(FEATURES)))
VALIDATOR = Draft202012Validator(SCHEMA)
OTHER_UNIT = re.compile(r", as \w+ is (a|no) duration$")
ODD = st.sampled_from([None, 7, -1, 0.5, True, "", "x", "PT1M", [], {}, ["x"], {"x": 1}])


def is_taken(document: dict[str, Any]) -> bool:
    return not find_problems(json.dumps(document).encode(), FEATURES)[1]


def test_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("file", [SOURCE, ROOT / "examples" / "rules.yaml"], ids=lambda file: file.name)
def test_files_that_are_shipped_are_valid_and_taken(file):
    document: Any = read_yaml(file.read_bytes()).value

    VALIDATOR.validate(document)
    assert is_taken(document)


def test_schema_has_every_kind_of_condition_with_its_keys():
    kinds = SCHEMA["$defs"]["condition"]["properties"]

    assert set(kinds) == set(ALGEBRA)
    assert {kind: set(kinds[kind]["properties"]) for kind in CONDITION_KEYS} == {
        kind: set(keys) for kind, keys in CONDITION_KEYS.items()
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Two valid rules, with some values anywhere within replaced or left out."""
    document: dict[str, Any] = {"revision": "a", "rules": [rule(WAITS), rule(RATED_BADLY)]}
    for _ in range(draw(st.integers(0, 3))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or draw(st.integers(0, 3)) == 0:
                if isinstance(place, dict) and draw(st.booleans()):
                    del place[key]
                else:
                    place[key] = copy.deepcopy(draw(ODD))
                break
            place = place[key]
    return document


@given(documents())
def test_what_the_reader_takes_the_schema_takes(document):
    if is_taken(document):
        VALIDATOR.validate(document)


@given(documents())
def test_what_only_the_reader_refuses_no_schema_can_say(document):
    """Units, ranges, known names of a subject's evidence, examples: the schema refuses all else that is refused."""
    problems = find_problems(json.dumps(document).encode(), FEATURES)[1]
    unsayable = (
        *("what the rule decides", "one that expects"),
        *("a single conversation", "a name of its own", "longer windows", "the revision before", "each name", "can be"),
    )

    of_form = [one for one in problems if not any(words in one.expected for words in unsayable)]
    refused_by_form = [one for one in of_form if not OTHER_UNIT.search(one.expected)]

    assert not refused_by_form or not VALIDATOR.is_valid(document), refused_by_form
