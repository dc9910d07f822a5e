"""A shop's archived log under other rules: the messages, and what they would have done to people."""

import json
from typing import Any

import pytest

from service_quality.alerts.alert_quality import Observed, Outcome, Rated
from service_quality.events.control_records import POLICY, RULES, SettingsChanged, control_to_dict
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.instants import DAY, MINUTE, parse_instant
from spark_jobs.errors import JobError
from spark_jobs.logs.time_rows import reached_columns
from spark_jobs.rule_effects.effects import Period, effects_of, refused
from spark_jobs.rule_effects.over_the_log import render
from spark_jobs.rule_effects.shop_messages import GIVEN, PRESENT, Message, play_log
from tests.unit.core.rule_documents import document, rule

NOON = parse_instant("2026-11-20T12:00:00Z")
TARGET = b'{"revision": "p", "valid_from": "2026-01-01T00:00:00Z", "targets": [{"first_response": "PT10M"}]}'
SOON = {"at_least": {"value": "waiting_ms", "limit": "PT8M"}}
RISKY = {
    "all_of": [
        {"at_least": {"value": "waiting_ms", "limit": "PT30M"}},
        {"at_least": {"value": "score", "limit": 0.5}},
    ]
}
PERIOD = Period(NOON, NOON + DAY)


def row(position: int, kind: str, minute: float, **given: Any) -> dict[str, Any]:
    at = NOON + int(minute * MINUTE)
    score, churn = given.pop("score", None), given.pop("churn", None)
    tasks = None if churn is None else json.dumps({"churn": {"vector": "", "score": churn}})
    event = InteractionEvent(
        event_id=f"e{position}",
        shop_id="shop",
        kind=kind,
        occurred_at=at,
        received_at=at,
        **{"conversation_id": "a", **given},
    )
    columns = {name: getattr(event, name) for name in FIELDS}
    return {
        **columns,
        "position": f"{position:04}",
        "control": None,
        "reached": None,
        "served_score": score,
        "tasks": tasks,
    }


def settings(position: int, section: str, content: bytes) -> dict[str, Any]:
    record = SettingsChanged(shop_id="shop", document=content, section=section)
    nothing = dict.fromkeys((*FIELDS, "reached", "served_score", "tasks"))
    return {**nothing, "position": f"{position:04}", "control": json.dumps(control_to_dict(record))}


def rules_that(condition: dict[str, Any], name: str) -> bytes:
    """A document with one rule that warns on a condition over a wait of an hour at a high score."""
    examples = [
        {"values": {"waiting_ms": "PT1H", "score": 0.9}, "expect": "warning"},
        {"values": {"waiting_ms": "PT1M"}, "expect": "none"},
    ]
    return document(rule(name=name, kinds=["service", "rated"], tiers={"warning": condition}, examples=examples))


def messages(rows: list[dict], rules: bytes) -> list[tuple[str, str, str, str, float]]:
    """Whose rules, the rule, severity, state and minute of each message."""
    found = play_log(rows[::-1], rules)
    return [(one.rules, one.kind, one.severity, one.state, (one.at - NOON) / MINUTE) for one in found]


WAITED = [row(1, "customer_message", 0), row(2, "agent_message", 20, agent_id="ann"), row(3, "rated", 60, rating=1)]


def test_time_reaches_stages_by_given_rules_and_by_those_in_force():
    found = messages([settings(0, POLICY, TARGET), *WAITED], rules_that(SOON, "soon"))

    assert [one for one in found if one[0] == GIVEN] == [
        (GIVEN, "soon", "warning", "opened", 8),
        (GIVEN, "soon", "warning", "resolved", 60),
    ]
    assert [one[1:] for one in found if one[0] == PRESENT] == [
        ("answer_due", "info", "opened", 5),
        ("answer_due", "warning", "worsened", 7.5),
        ("answer_due", "critical", "worsened", 10),
        ("answer_due", "critical", "resolved", 20),
    ]


def test_rules_that_the_log_brings_are_those_in_force_and_no_others_beside_the_given():
    own = settings(0, RULES, rules_that(SOON, "own"))

    found = messages([own, *WAITED], rules_that(SOON, "given"))

    assert {(whose, kind) for whose, kind, *_ in found} == {(GIVEN, "given"), (PRESENT, "own")}


def test_served_scores_are_those_of_the_log_and_of_the_stages_that_it_reached():
    stage = {
        "kind": "time_reached",
        "shop_id": "shop",
        "conversation_id": "a",
        "round": 1,
        "turn": 1,
        "stage": "waiting_ms:1800000",
        "due_at": "2026-11-20T12:30:00.000Z",
    }
    reached = {**reached_columns(stage), "position": "0002", "control": None, "served_score": 0.9, "tasks": None}
    rows = [row(1, "customer_message", 0, score=0.2), reached, row(3, "customer_message", 40, score=0.3)]

    found = messages(rows, rules_that(RISKY, "risky"))

    assert (GIVEN, "risky", "warning", "opened", 30) in found


def finding(position: int, minute: float, score: float) -> dict[str, Any]:
    at = NOON + int(minute * MINUTE)
    record = FindingReported(
        shop_id="shop", finding="churn", subject_kind="customer", subject_id="zoe", as_of=at, valid_until=at + 8 * DAY,
        values={"churn_score": score, "customer_order_days_365d": 4}, score=score, model_version="v1",
    )  # fmt: skip
    return settings(position, RULES, b"{}") | {"control": json.dumps(control_to_dict(record))}


def order(position: int, minute: float, **given: Any) -> dict[str, Any]:
    return row(position, "order_placed", minute, conversation_id=None, customer_id="zoe", **given)


#: Half as strict as the shipped rule about customers who may leave.
LEAVING = document(
    rule(
        name="leaving",
        subject="customer",
        kinds=["order_placed", "finding_reported"],
        tiers={"warning": {"at_least": {"value": "churn_score", "limit": 0.4}}},
        resolved_when={"below": {"value": "churn_score", "limit": 0.3}},
        evidence=["churn_score"],
        examples=[
            {"values": {"churn_score": 0.5}, "expect": "warning"},
            {"values": {"churn_score": 0.1}, "expect": "resolved"},
        ],
    )
)


def test_findings_are_judged_by_the_given_rules_and_by_those_in_force():
    rows = [*(order(one, one) for one in range(1, 5)), finding(5, 60, 0.45), finding(6, DAY / MINUTE, 0.9)]

    found = messages(rows, LEAVING)

    assert [one[:4] for one in found] == [
        (GIVEN, "leaving", "warning", "opened"),
        (PRESENT, "customer_leaving", "warning", "opened"),
    ]


def test_finding_for_an_instant_behind_the_period_is_left_out():
    rows = [order(1, 0), finding(2, 60, 0.45)]

    assert list(play_log(rows, LEAVING, until=NOON + 60 * MINUTE)) == []
    assert [one.state for one in play_log(rows, LEAVING, until=NOON + 60 * MINUTE + 1)] == ["opened"]


def test_scores_of_customers_are_those_that_were_served_and_none_where_no_model_was():
    rows = [order(1, 0, churn=0.3), order(2, 1, churn=0.45), order(3, 2), order(4, 3, churn=0.2)]

    found = messages(rows, LEAVING)

    assert [one[1:] for one in found if one[0] == GIVEN] == [
        ("leaving", "warning", "opened", 1),
        ("leaving", "warning", "resolved", 3),
    ]


def test_record_that_cannot_be_folded_again_is_counted_and_the_others_go_on():
    broken = settings(2, POLICY, b'{"revision": "p"}')

    found = list(play_log([WAITED[0], broken, *WAITED[1:]], rules_that(SOON, "soon")))

    assert refused(found) == {"wrong_policy": 1}
    assert any(one.kind == "soon" for one in found)


def test_given_rules_that_are_refused_are_no_backtest():
    with pytest.raises(JobError, match="found rules that are refused: wrong_rules, expected ones that are taken"):
        list(play_log(WAITED, b"{}"))


def begun(rules: str, kind: str, subject: str, minute: int, severity: str = "warning", **given: Any) -> Message:
    at = NOON + minute * MINUTE
    state = given.get("state", "opened")
    return Message(rules, "shop", kind, severity, state, "conversation", subject, f"{kind}-{subject}", at)


OUTCOMES = {
    ("shop", "a"): Outcome([Rated(NOON + 60 * MINUTE, True)], NOON + 20 * MINUTE),
    ("shop", "b"): Outcome([Rated(NOON + 60 * MINUTE, False)], NOON + 4 * MINUTE),
}
OBSERVED = Observed(2 * DAY, 10, 2, OUTCOMES)


def test_effects_are_judged_by_later_ratings_and_compared_with_the_rules_in_force():
    told = [
        begun(GIVEN, "soon", "a", 8),
        begun(GIVEN, "soon", "a", 12, "critical", state="worsened"),
        begun(GIVEN, "soon", "b", 6),
        begun(PRESENT, "due", "a", 5),
        begun(PRESENT, "soon", "b", 7),
    ]

    found = effects_of(told, OBSERVED, PERIOD)["soon"]

    assert (found["alerts"], found["per_day"], found["now_per_day"]) == (2, 1.0, 0.5)
    assert found["severities"] == {"critical": 1, "warning": 1}
    assert (found["precision"], found["recall"], found["contacts"]) == (0.5, 0.5, 0.2)
    assert (found["before_answer"], found["minutes_before_answer"]) == (0.5, 12.0)
    assert found["known"] == 0.5  # a at minute 5; b only after it


def test_alerts_outside_of_the_period_are_no_alerts_but_what_is_known_may_be_older():
    told = [begun(GIVEN, "soon", "a", -1), begun(PRESENT, "due", "b", -5), begun(GIVEN, "soon", "b", 6)]

    found = effects_of(told, OBSERVED, PERIOD)["soon"]

    assert (found["alerts"], found["known"], found["now_per_day"]) == (1, 1.0, 0.0)


def test_table_has_a_line_a_rule_and_dashes_for_what_nobody_can_know():
    unrated = Observed(DAY, 1, 0, {("shop", "a"): Outcome()})
    told = [begun(GIVEN, "soon", "a", 8)]

    head, line = render(effects_of(told, unrated, PERIOD))

    assert head.split() == "a day now info warning critical right found before answer min ahead known".split()
    assert line.split() == "soon 1.0 0.0 0 1 0 - - 100 % - 0 %".split()


@pytest.mark.parametrize("order", [1, -1])
def test_order_of_the_rows_does_not_matter(order):
    assert messages(WAITED[::order], rules_that(SOON, "soon")) == messages(WAITED, rules_that(SOON, "soon"))
