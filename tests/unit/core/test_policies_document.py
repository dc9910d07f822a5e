"""A policy document is taken whole, or rejected with every mistake at once."""

import json
from typing import Any

import jsonschema
import pytest

from cli.paths import ROOT
from service_quality.errors import RejectedPolicyError
from service_quality.instants import DAY, MINUTE, SECOND, parse_instant
from service_quality.policies.json_documents import MAX_DOCUMENT_BYTES
from service_quality.policies.local_days import parse_day
from service_quality.policies.policy import DEFAULT_POLICY, RatingScale, Target
from service_quality.policies.policy_document import KEYS, parse_policy
from service_quality.policies.policy_form import policy_to_dict

EXAMPLE: dict[str, Any] = json.loads((ROOT / "examples" / "policy.json").read_text("utf-8"))
SCHEMA = json.loads((ROOT / "docs" / "policy.schema.json").read_text("utf-8"))
LEAST = {"revision": "r", "valid_from": "2026-01-01T00:00:00Z"}


def problems_of(document: object) -> tuple[str, ...]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(RejectedPolicyError) as rejected:
        parse_policy(data)
    return rejected.value.problems


def test_word_that_resembles_a_known_one_may_mean_it():
    (problem,) = problems_of(LEAST | {"owner": "asigned"})

    assert problem.startswith('owner: found "asigned", expected ')
    assert problem.endswith("; did you mean assigned?")


def test_least_document_is_the_default_policy():
    policy = parse_policy(json.dumps(LEAST).encode())

    assert policy == DEFAULT_POLICY._replace(revision="r", valid_from=parse_instant(LEAST["valid_from"]))


def test_example_of_seconds_is_a_first_policy():
    policy = parse_policy((ROOT / "examples" / "policy_of_seconds.json").read_bytes())

    assert (policy.follows, policy.zone, policy.currency) == (None, "Asia/Shanghai", "CNY")
    assert policy.targets == (Target(30 * SECOND, 30 * SECOND, "calendar", ()),)


def test_example_says_what_it_says():
    policy = parse_policy(json.dumps(EXAMPLE).encode())

    assert (policy.revision, policy.follows, policy.zone, policy.holidays) == (
        "2026-12",
        "2026-06",
        "Asia/Shanghai",
        "CN",
    )
    assert policy.valid_from == parse_instant("2026-11-30T16:00:00Z")
    assert policy.currency == "CNY"
    assert policy.opening is not None
    assert policy.opening[0] == ((540, 720), (780, 1260))
    assert policy.opening[5:] == (((1320, 1560),), ())
    assert policy.own_days == ((parse_day("2026-12-12"), ((480, 1440),)), (parse_day("2026-12-31"), ()))
    assert policy.targets[0] == Target(
        30 * SECOND, None, "calendar", (("channel", ("phone",)), ("priority", ("high", "urgent")))
    )
    assert policy.targets[2] == Target(3 * MINUTE, 5 * MINUTE, "business")
    assert policy.rating_scale == RatingScale(0, 10, (("满意", 5), ("一般", 3), ("不满意", 1)))
    assert (policy.pauses_when, policy.ends_after_ms) == (("pending",), 3 * DAY)


@pytest.mark.parametrize("document", [LEAST, EXAMPLE], ids=["least", "example"])
def test_policy_is_read_back_from_its_form(document):
    policy = parse_policy(json.dumps(document).encode())

    assert parse_policy(json.dumps(policy_to_dict(policy)).encode()) == policy


def test_example_has_every_key():
    assert EXAMPLE.keys() == set(KEYS) == SCHEMA["properties"].keys()


def test_ten_mistakes_are_ten_messages():
    document = {
        "revision": "",
        "valid_from": "2026-12-01",
        "zone": "Mars/Base",
        "opening": {"monday": ["09:00-12:00", "11:00-13:00"], "funday": []},
        "holidays": "DE",
        "own_days": {"2026-02-30": []},
        "targets": [{"first_response": "PT0S"}],
        "rating_scale": {"names": {"bad": 0}},
        "ends_after": "3 days",
    }

    assert sorted(problems_of(document)) == sorted(
        [
            'revision: found "", expected a text of 1 to 100 characters',
            'valid_from: found "2026-12-01", expected an ISO 8601 instant with a zone',
            'zone: found "Mars/Base", expected a time zone such as Asia/Shanghai',
            "opening.monday: found shifts that overlap, expected each to open after the one before has closed",
            "opening.funday: found an unknown key, expected one of monday, tuesday, wednesday, thursday, friday,"
            " saturday, sunday; did you mean sunday?",
            'holidays: found "DE", expected CN',
            'own_days.2026-02-30: found "2026-02-30", expected a date such as "2026-11-24"',
            'targets[0].first_response: found "PT0S", expected an ISO 8601 duration from PT1S to P30D',
            "rating_scale.names.bad: found 0, expected a whole number from 1 to 5",
            'ends_after: found "3 days", expected an ISO 8601 duration from PT1S to P30D',
        ]
    )


#: A change of the least document, where its one problem is, and whether the schema sees it, too.
MISTAKES: list[tuple[dict[str, Any], str, bool]] = [
    ({"revision": 7}, "revision", True),
    ({"revision": "r" * 101}, "revision", True),
    ({"revision": "a\x00b"}, "revision", False),
    ({"revision": "\ud800"}, "revision", False),
    ({"valid_from": "9999-12-31T23:59:59-14:00x"}, "valid_from", False),
    ({"valid_from": 1}, "valid_from", True),
    ({"follows": "r"}, "follows", False),
    ({"zone": "../UTC"}, "zone", False),
    ({"zone": "Europe"}, "zone", False),
    ({"zone": None}, "zone", True),
    ({"currency": "cny"}, "currency", True),
    ({"currency": "ＣＮＹ"}, "currency", True),
    ({"currency": None}, "currency", True),
    ({"opening": []}, "opening", True),
    ({"opening": {}}, "opening", False),
    ({"opening": {"monday": []}}, "opening", False),
    ({"opening": {"monday": "09:00-12:00"}}, "opening.monday", True),
    ({"opening": {"monday": ["9:00-12:00"]}}, "opening.monday[0]", True),
    ({"opening": {"monday": ["09:00-25:00"]}}, "opening.monday[0]", True),
    ({"opening": {"monday": ["09:00-09:00"]}}, "opening.monday[0]", False),
    ({"opening": {"monday": ["09:60-12:00"]}}, "opening.monday[0]", True),
    ({"opening": {"monday": ["09:00-12:00-13:00"]}}, "opening.monday[0]", True),
    ({"opening": {"monday": ["22:00-06:00"], "tuesday": ["05:00-12:00"]}}, "opening.monday", False),
    ({"opening": {"sunday": ["22:00-06:00"], "monday": ["05:00-12:00"]}}, "opening.sunday", False),
    ({"opening": {"monday": ["09:00-12:00", "09:00-12:00"]}}, "opening.monday", True),
    ({"make_up_days_as": "Monday"}, "make_up_days_as", True),
    ({"own_days": []}, "own_days", True),
    ({"own_days": {"20261124": []}}, "own_days.20261124", True),
    ({"own_days": {"2026-W48-2": []}}, "own_days.2026-W48-2", True),
    ({"own_days": {"2026-11-24": ["x"]}}, "own_days.2026-11-24[0]", True),
    ({"targets": {}}, "targets", True),
    ({"targets": [7]}, "targets[0]", True),
    ({"targets": [{}]}, "targets[0]", True),
    ({"targets": [{"next_reply": "-PT3M"}]}, "targets[0].next_reply", True),
    ({"targets": [{"next_reply": "P31D"}]}, "targets[0].next_reply", False),
    ({"targets": [{"next_reply": "PT1.5M"}]}, "targets[0].next_reply", True),
    ({"targets": [{"next_reply": "P1M"}]}, "targets[0].next_reply", True),
    ({"targets": [{"next_reply": "PT"}]}, "targets[0].next_reply", True),
    ({"targets": [{"next_reply": "P1DT"}]}, "targets[0].next_reply", True),
    ({"targets": [{"next_reply": "PT3M", "judged_by": "wall"}]}, "targets[0].judged_by", True),
    ({"targets": [{"next_reply": "PT3M", "when": {"agent": ["x"]}}]}, "targets[0].when.agent", True),
    ({"targets": [{"next_reply": "PT3M", "when": {"channel": "x"}}]}, "targets[0].when.channel", True),
    ({"targets": [{"next_reply": "PT3M", "when": {"channel": []}}]}, "targets[0].when.channel", True),
    ({"targets": [{"next_reply": "PT3M", "when": {"channel": ["a", " a"]}}]}, "targets[0].when.channel", False),
    ({"targets": [{"next_reply": "PT3M"}, {"next_reply": "PT5M"}]}, "targets[0].when", False),
    ({"rating_scale": {"worst": 1}}, "rating_scale", True),
    ({"rating_scale": {"worst": 1, "best": 1}}, "rating_scale.best", False),
    ({"rating_scale": {"worst": 1, "best": 5.5}}, "rating_scale.best", True),
    ({"rating_scale": {"names": {"good": 6}}}, "rating_scale.names.good", True),
    ({"rating_scale": {"names": {"good": True}}}, "rating_scale.names.good", True),
    ({"rating_scale": {"names": {"Good": 5, "good": 4}}}, "rating_scale.names.good", False),
    ({"rating_scale": {"names": []}}, "rating_scale.names", True),
    ({"rating_scale": {"table": {}}}, "rating_scale.table", True),
    ({"dissatisfied_at_most": 5}, "dissatisfied_at_most", True),
    ({"dissatisfied_at_most": 0}, "dissatisfied_at_most", True),
    ({"ends_after": "PT0S"}, "ends_after", False),
    ({"ends_after": 3}, "ends_after", True),
    ({"owner": "nobody"}, "owner", True),
    ({"pauses_when": "pending"}, "pauses_when", True),
    ({"pauses_when": ["pending", "pending"]}, "pauses_when", True),
    ({"answer_tolerance": "PT61M"}, "answer_tolerance", False),
    ({"on_time_within": "PT20M"}, "slow_beyond", False),
    ({"unknown": 1}, "unknown", True),
]


@pytest.mark.parametrize(("change", "path", "schema_sees"), MISTAKES, ids=[str(change) for change, _, _ in MISTAKES])
def test_mistake_is_named_where_it_is(change, path, schema_sees):
    document = LEAST | change

    (problem,) = problems_of(document)

    assert problem.startswith(f"{path}: found ")
    assert ", expected " in problem
    assert problem.encode()
    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document) is not schema_sees


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"opening": None},
        {"opening": {"monday": ["22:00-06:00"], "tuesday": ["06:00-12:00"]}},
        {"opening": {"monday": ["13:00-24:00", "00:00-12:00"]}},
        {"own_days": {"2024-02-29": ["00:00-24:00"]}},
        {"targets": []},
        {"targets": [{"next_reply": "P1DT1H1M1S", "when": {}}]},
        {"rating_scale": {}},
        {"rating_scale": {"worst": 6, "best": 1}},
        {"rating_scale": {"names": {"x": 1}}},
        {"answer_tolerance": "PT0S"},
        {"ends_after": "PT720H"},
        EXAMPLE,
    ],
    ids=str,
)
def test_what_is_taken_is_valid_by_the_schema(change):
    document = LEAST | change

    parse_policy(json.dumps(document).encode())

    jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("missing", ["revision", "valid_from"])
def test_missing_value_is_named(missing):
    document = {key: value for key, value in LEAST.items() if key != missing}

    assert problems_of(document) == (f"{missing}: found nothing, expected a value",)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(document)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[]", r"found \[\]"),
        (b"7", "found 7"),
        (b"[" * 30_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b'{"revision": "a", "revision": "b"}', 'the key "revision" twice'),
        (b" " * (MAX_DOCUMENT_BYTES + 1), "65,537 bytes"),
    ],
    ids=range(8),
)
def test_text_that_is_no_document_is_one_problem(data, found):
    (problem,) = problems_of(data)

    assert found.replace("\\", "") in problem


@pytest.mark.parametrize("depth", range(50, 1_000, 50))
def test_deeply_nested_value_is_a_problem_and_no_crash(depth):
    data = b'{"revision": "r", "valid_from": "2026-01-01T00:00:00Z", "zone": ' + b"[" * depth + b"]" * depth + b"}"

    assert len(problems_of(data)) == 1


def test_names_are_in_one_form():
    document = LEAST | {"targets": [{"next_reply": "PT3M", "when": {"category": [" Re\u0301turns  abroad"]}}]}

    (target,) = parse_policy(json.dumps(document).encode()).targets

    assert target.when == (("category", ("Réturns abroad",)),)
