"""Alerts as they are published: real bodies of every rule and state keep the published JSON Schema."""

import json
from math import isnan
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from service_quality.alerts.alert import message_sequence
from service_quality.alerts.alert_state import OPENED, REPEATED, RESOLVED, WORSENED
from service_quality.alerts.conditions import AtLeast, Below
from service_quality.alerts.publications import publication_of
from service_quality.alerts.rules import AUDIENCES, SEVERITIES, Rule
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.shop_settings import ShopSettings, shop_settings
from service_quality.alerts.stored_alerts import AlertRow
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.control_records import SettingsChanged
from service_quality.events.finding_reported import FindingReported
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY
from service_quality.scoring.scores import Score
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.ringing import advance_with_timers

WAITING_TOO_LONG = shipped_rules()[0]
SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "alert.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
DAYS_OF_NOVEMBER = range(1, 22)
ARRIVED_AT = 1_795_600_000_000


class WaitingScorer:
    """The longer the first answer took, the higher the risk."""

    def score(self, vector) -> Score:
        took = vector[FEATURES.names.index("first_response_at_least_ms")]
        probability = 0.2 if isnan(took) else min(0.95, 0.2 + took / 20_000_000)
        return Score(probability, tuple(0.0 if isnan(value) else value for value in vector), -1.5, "v1")


def event(day: int, hour: int, kind: str, conversation: str, **values) -> dict:
    at = f"2026-11-{day:02d}T{hour:02d}:00:00Z"
    stamps = {"event_id": f"{conversation}-{kind}-{hour}", "occurred_at": at, "received_at": at}
    return {"shop_id": "shop-1", "kind": kind, "conversation_id": conversation, **stamps, **values}


def shop_log() -> list[dict]:
    """Three weeks of a shop in which one agent of two is slow and rated badly, and then recovers."""
    log = []
    for day in DAYS_OF_NOVEMBER:
        for number, agent in enumerate(("slow", "quick") * 2):
            late = agent == "slow" and day < 15
            name = f"c-{day}-{number}"
            who = {"agent_id": agent, "supervisor_id": "team"}
            log += [
                event(day, 1, "conversation_opened", name, **who, customer_id=f"customer-{number}"),
                event(day, 1 + (6 if late else 0), "agent_message", name, **who),
                event(day, 20, "agent_message", name, **who),
                event(day, 21, "rated", name, rating=1 if late else 5),
            ]
    log.append(event(22, 1, "conversation_opened", "forgotten"))
    log.append(event(22, 3, "internal_note", "forgotten"))
    log.append(event(24, 1, "internal_note", "forgotten"))
    log.append(event(24, 2, "resolved", "forgotten"))
    return sorted(log, key=lambda one: one["occurred_at"])


def due_log() -> list[dict]:
    """A customer who waits past the time for an answer."""
    return [event(1, 1, "customer_message", "due"), event(2, 1, "agent_message", "due", agent_id="slow")]


def spike_log() -> list[dict]:
    """Two complaints a day about returns, then fourteen within an hour, then none."""
    usual = [
        event(day, hour, "complaint_filed", f"c-{day}-{hour}", **RETURNS) for day in range(1, 15) for hour in (9, 15)
    ]
    many = [event(15, 10, "complaint_filed", f"many-{number}", **RETURNS) for number in range(14)]
    later = [event(18, 10, "conversation_opened", "later", **RETURNS)]
    return [*usual, *many, *later]


RETURNS = {"category": "returns"}
TARGETS = {"revision": "a", "valid_from": "2020-01-01T00:00:00Z", "targets": [{"first_response": "PT4H"}]}


def alert_rows(*rules: Rule, log: list[dict] | None = None, policy: dict | None = None) -> list[AlertRow]:
    """The alert rows of that shop, or of another log, under some rules, and a policy if it has one."""
    store = MemoryStore()
    commit = OnlineCommit(store, WaitingScorer, FEATURES, rules, control_key)
    if policy is not None:
        settings = SettingsChanged(shop_id="shop-1", document=json.dumps(policy).encode())
        taken = LogRecord(str(Position(1, 0)), record_json(settings, issued_at=ARRIVED_AT), ARRIVED_AT)
        assert commit.advance_shop("shop-1", [taken]).accepted == 1
    records = [
        LogRecord(str(Position(1, number)), json.dumps(one).encode(), ARRIVED_AT)
        for number, one in enumerate(shop_log() if log is None else log, 1)
    ]
    advance_with_timers(commit, store, "shop-1", records)
    found = [row for row in store.rows.values() if row.row_kind == "alert"]
    return [AlertRow(row.stream_key, row.sequence, row.shop_id, row.body) for row in found]


def leaving_rows() -> list[AlertRow]:
    """The alert rows of a finding about a customer."""
    store = MemoryStore()
    finding = FindingReported(
        shop_id="shop-1",
        finding="churn",
        subject_kind="customer",
        subject_id="ann",
        as_of=ARRIVED_AT - DAY,
        valid_until=ARRIVED_AT + DAY,
        values={"customer_order_days_365d": 3, "customer_time_since_orders_365d": 40 * DAY},
        score=0.75,
        model_version="v1",
        reasons=(("customer_time_since_orders_365d", 40 * DAY, 1.25),),
    )
    ordered = json.dumps(event(1, 1, "order_placed", "c", customer_id="ann")).encode()
    data = [ordered, record_json(finding, issued_at=ARRIVED_AT)]
    records = [LogRecord(str(Position(1, number)), one, ARRIVED_AT) for number, one in enumerate(data)]
    OnlineCommit(store, WaitingScorer, FEATURES, shipped_rules(), control_key).advance_shop("shop-1", records)
    found = [row for row in store.rows.values() if row.row_kind == "alert"]
    return [AlertRow(row.stream_key, row.sequence, row.shop_id, row.body) for row in found]


@pytest.fixture(scope="module")
def rows() -> list[AlertRow]:
    due = alert_rows(*shipped_rules(), log=due_log(), policy=TARGETS)
    return [*alert_rows(*shipped_rules()), *due, *alert_rows(*shipped_rules(), log=spike_log()), *leaving_rows()]


def published(rows: list[AlertRow], **settings: str) -> list[dict]:
    return [json.loads(publication_of(row, shop_settings(settings), salt=b"salt").body) for row in rows]


def test_schema_is_a_schema_and_names_every_rule_state_subject_and_severity():
    Draft202012Validator.check_schema(SCHEMA)
    properties = SCHEMA["properties"]

    assert set(properties["kind"]["examples"]) == {rule.name for rule in shipped_rules()}
    assert set(properties["subject"]["properties"]["kind"]["examples"]) == {rule.subject for rule in shipped_rules()}
    assert set(properties["state"]["examples"]) == {OPENED, REPEATED, WORSENED, RESOLVED}
    assert set(properties["audiences"]["items"]["examples"]) == set(AUDIENCES)
    assert set(properties["severity"]["examples"]) == set(SEVERITIES)


def test_real_bodies_of_every_rule_and_state_are_valid(rows):
    bodies = published(rows)

    for body in bodies:
        VALIDATOR.validate(body)
    assert {body["kind"] for body in bodies} == {rule.name for rule in shipped_rules()}
    assert {body["state"] for body in bodies} == {OPENED, REPEATED, WORSENED, RESOLVED}
    assert any(body["score"] is None for body in bodies)
    assert any(body["reasons"] for body in bodies)


def test_real_bodies_with_plain_ids_are_valid(rows):
    bodies = published(rows, ids="plain")

    for body in bodies:
        VALIDATOR.validate(body)
    assert {body["subject"]["id"] for body in bodies if body["kind"] == "agent_risk_above_team"} == {"slow"}


def test_schema_has_every_field_of_a_body(rows):
    assert list(published(rows)[0]) == list(SCHEMA["properties"]) == SCHEMA["required"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": ""},
        {"kind": 3},
        {"sequence": "1"},
        {"score": 1.2},
        {"alert_id": "contact-1"},
        {"evidence": {"text": "words"}},
    ],
)
def test_schema_refuses_what_no_alert_says(rows, wrong):
    with pytest.raises(ValidationError):
        VALIDATOR.validate(published(rows)[0] | wrong)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_real_alert_has_a_mail(rows, language):
    made = [publication_of(row, ShopSettings(language=language), salt=b"salt") for row in rows]

    assert all(one.subject.isprintable() and 0 < len(one.subject) < 100 for one in made)
    assert all(len(one.text.splitlines()) > 8 for one in made)


def test_resolved_alert_names_what_ended_it(rows):
    ended = [body for body in published(rows) if body["state"] == RESOLVED]
    rules = {rule.name: rule for rule in shipped_rules()}

    assert all(rules[body["kind"]].resolved_when.holds(body["evidence"]) for body in ended)
    assert any(body["evidence"].get("closed") == 1 for body in ended)
    assert all("closed" not in body["evidence"] for body in published(rows) if body["state"] != RESOLVED)


def test_alert_of_a_round_that_silence_ended_names_its_end_and_nothing_of_the_next_round():
    log = [
        event(1, 1, "conversation_opened", "silent"),
        event(1, 3, "internal_note", "silent"),
        event(12, 5, "customer_message", "silent"),
        event(12, 7, "internal_note", "silent"),
    ]

    bodies = published(alert_rows(WAITING_TOO_LONG, log=log), ids="plain")

    opened, _, ended, next_opened = bodies
    assert [body["state"] for body in bodies] == [OPENED, WORSENED, RESOLVED, OPENED]
    assert opened["alert_id"] == ended["alert_id"] != next_opened["alert_id"]
    assert WAITING_TOO_LONG.resolved_when.holds(ended["evidence"])
    assert (ended["evidence"].get("waiting_ms"), ended["score"]) == (None, None)


def test_messages_of_one_alert_are_numbered_in_order(rows):
    by_alert: dict[str, list[dict]] = {}
    for body in published(rows):
        by_alert.setdefault(body["alert_id"], []).append(body)

    assert any(len(bodies) > 2 for bodies in by_alert.values())
    for bodies in by_alert.values():
        numbers, sequences = ([int(one["message_id"].rpartition("-")[2]) for one in bodies], _sequences(bodies))
        assert numbers == list(range(1, len(numbers) + 1))
        assert sequences == sorted(set(sequences))


def _sequences(bodies: list[dict]) -> list[int]:
    return [body["sequence"] for body in bodies]


def test_row_without_a_number_in_its_body_is_numbered_by_its_key(rows):
    bodies = [json.loads(row.body) for row in rows]
    unnumbered = [
        row._replace(body=json.dumps({name: value for name, value in body.items() if name != "sequence"}).encode())
        for row, body in zip(rows, bodies, strict=True)
    ]

    assert _sequences(published(unnumbered)) == _sequences(bodies)


def test_alert_of_a_forgotten_subject_is_numbered_after_all_that_came_before():
    day = 86_400_000

    assert message_sequence(day, 9_999) < message_sequence(day, 10_000) < message_sequence(2 * day, 1)


def test_alert_about_an_agent_carries_nothing_of_a_single_conversation(rows):
    bodies = [body for body in published(rows) if body["subject"]["kind"] == "agent"]

    assert bodies
    for body in bodies:
        assert (body["score"], body["reasons"], body["model_version"]) == (None, [], None)
        assert body["evidence"]
        assert all(name.startswith(("agent_", "supervisor_")) for name in body["evidence"])


def test_rule_about_an_agent_that_looks_at_a_conversation_does_not_show_it():
    rule = Rule(
        name="agent_with_a_risky_conversation",
        version=1,
        subject="agent",
        kinds=frozenset({"agent_message"}),
        tiers=(("warning", AtLeast("score", 0.4)),),
        resolved_when=Below("score", 0.3),
        cooldown_ms=1,
        evidence=("score", "waiting_ms", "agent_contacts_1h"),
    )

    stored = [json.loads(row.body) for row in alert_rows(rule)]

    assert {body["state"] for body in stored} >= {OPENED, RESOLVED}
    assert all(set(body["evidence"]) == {"agent_contacts_1h"} and body["score"] is None for body in stored)


def test_plain_ids_never_name_the_event_behind_an_alert_about_an_agent(rows):
    plain = published(rows, ids="plain")
    stored = [json.loads(row.body) for row in rows]

    for body, row in zip(plain, stored, strict=True):
        assert (body["event_id"] == row["event_id"]) == (body["subject"]["kind"] == "conversation")
        assert body["subject"] == row["subject"]


def test_unknown_settings_hide_ids():
    assert shop_settings({"language": "fr", "ids": "none of it"}) == ShopSettings("en", "hashed", None)
