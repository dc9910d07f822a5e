"""Alert rows that another version of the code wrote: sent with what they carry, or rejected with a reason."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from service_quality.alerts.alert import ALERT_VERSION
from service_quality.alerts.publications import publication_of
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import AlertRow, read_alert
from service_quality.errors import UnreadableRowError
from service_quality.message import LANGUAGES
from tests.stand_ins.alert_rows import BODY, publication, require_sendable, row

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "alert.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def published(body: object, **changed: str) -> dict:
    return json.loads(publication(body, **changed).body)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"kind": "high_hazard", "title": None}, ["high_hazard"]),
        ({"severity": "fatal"}, ["fatal"]),
        ({"state": "escalated"}, ["escalated"]),
        ({"subject": {"kind": "queue", "id": "q-1"}}, ["queue"]),
        ({"evidence": {"mood_30d": 0.5}}, ["mood_30d", "0.50"]),
        ({"evidence": {"mood_ms": 90_000}}, ["mood_ms", "1"]),
        ({"reasons": [{"feature": "mood_30d", "value": 2, "contribution": -0.1}]}, ["mood_30d", "2"]),
        ({"reasons": [{"feature": "opened_weekday", "value": 9, "contribution": 0.1}]}, ["9"]),
        ({"reasons": [{"feature": "opened_hour", "value": -3, "contribution": 0.1}]}, ["-3"]),
    ],
)
def test_name_that_is_not_known_today_is_sent_as_it_is(language, changed, shown):
    made = publication(BODY | changed, language=language)

    VALIDATOR.validate(json.loads(made.body))
    assert all(one in made.text for one in shown)


@pytest.mark.parametrize("name", sorted(set(BODY) - {"kind"}))
def test_missing_field_keeps_no_alert_back(name):
    body = {one: value for one, value in BODY.items() if one != name}

    made = publication(body)

    VALIDATOR.validate(json.loads(made.body))
    assert all(made.attributes.values())
    assert "Conversation is likely to end dissatisfied" in made.text


def test_what_a_row_does_not_say_is_unknown_and_has_no_line_in_the_mail():
    made = publication({"kind": "high_risk"})

    body = json.loads(made.body)
    assert body["subject"] == {"kind": "unknown", "id": "unknown"}
    assert (body["state"], body["severity"], body["opened_at"]) == ("unknown", "unknown", None)
    assert "Since" not in made.text
    assert made.subject == "[unknown] Conversation is likely to end dissatisfied (unknown) - shop-1"


@pytest.mark.parametrize("version", [0, 1, 2, 3, None, "two"])
def test_body_of_any_version_leaves_in_todays_format(version):
    body = published(BODY | {"version": version, "agent_name": "Anna Meier", "note": {"customer": "c-1"}})

    VALIDATOR.validate(body)
    assert body["version"] == ALERT_VERSION
    assert body["sequence"] == 17_951_651_400_001
    assert not {"agent_name", "note"} & set(body)


def test_alert_of_an_earlier_version_about_an_agent_loses_its_score():
    body = BODY | {"subject": {"kind": "agent", "id": "ann"}, "evidence": {"score": 0.7, "agent_ratings_30d": 30}}

    made = published(body)

    assert (made["score"], made["reasons"], made["model_version"]) == (None, [], None)
    assert made["evidence"] == {"agent_ratings_30d": 30}


@pytest.mark.parametrize("ids", ["hashed", "plain"])
def test_ids_of_a_row_with_other_fields_are_hidden_as_ever(ids):
    body = BODY | {"message_id": "contact-1-is-the-message", "alert_id": "contact-1"}

    made = publication(body, ids=ids)

    assert ("contact-1" in made.body) == ("contact-1" in made.text) == (ids == "plain")
    assert "is-the-message" not in made.body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "malformed_json"),
        (b"{broken", "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
        (b"[" * 100_000, "malformed_json"),
        (b"9" * 5_000, "malformed_json"),
        (b"[]", "not_an_object"),
        (b'"high_risk"', "not_an_object"),
        (b"{}", "missing_field"),
        (b'{"kind": 7}', "missing_field"),
        (b'{"kind": ""}', "missing_field"),
    ],
)
def test_row_that_names_no_rule_is_rejected_with_a_reason(data, reason):
    with pytest.raises(UnreadableRowError) as rejected:
        read_alert(row(data))

    assert rejected.value.reason == reason


def test_rejection_quotes_nothing_of_the_row():
    with pytest.raises(UnreadableRowError) as rejected:
        read_alert(row(b'{"kind": "" , "note": "anna meier"} anna'))

    assert "anna" not in str(rejected.value)


def test_largest_alert_is_far_below_what_a_topic_takes():
    longest = "\x01语" * 1_000
    reason = {"feature": longest, "value": 1e15, "contribution": -1e15}
    body = {
        **dict.fromkeys(BODY, longest),
        "subject": {"kind": "conversation", "id": longest},
        "evidence": {f"{number:03d}{longest}": 1e15 for number in range(40)},
        "reasons": [reason] * 20,
    }
    keys = AlertRow(f"{longest}\x1falert\x1f{longest}", longest, longest, json.dumps(body).encode())

    made = publication_of(keys, ShopSettings(ids="plain", display_name=longest), salt=b"salt")

    require_sendable(made)
    assert len(json.loads(made.body)["evidence"]) == 20


@pytest.mark.parametrize(
    ("stored", "title", "advice"),
    [
        ({"title": {"en": "Own", "zh": "自定"}, "advice": {"en": "Do", "zh": "做"}}, "自定", "做"),
        ({}, "会话很可能以顾客不满意告终", "请查看会话，并在结束前主动给出解决方案；如列有原因，可先从中入手。"),
        ({"title": {"en": "Own"}, "advice": "words"}, "会话很可能以顾客不满意告终", None),
        ({"kind": "own_rule"}, "own_rule", ""),
    ],
)
def test_row_without_the_texts_of_its_rule_has_those_of_the_shipped_one(stored, title, advice):
    alert = read_alert(row(json.dumps({"kind": "high_risk", **stored}).encode()))

    assert alert.title.zh == title
    assert advice is None or alert.advice.zh == advice
    assert alert.ended_by is None
