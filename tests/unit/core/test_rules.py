"""Conditions and the rules in force: when each calls, how gravely, and when it is over."""

import pytest

from service_quality.alerts.conditions import AllOf, AnyOf, AtLeast, Below, Missing
from service_quality.alerts.rules import SEVERITIES
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.wording_messages import EVENT_VALUES
from service_quality.events.kinds import ALL, FINDING_REPORTED, TIME_REACHED
from service_quality.facts.entities import ENTITIES
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, MINUTE

WAITING_TOO_LONG, ANSWER_DUE, HIGH_RISK, AGENT_RISK_ABOVE_TEAM, COMPLAINTS, LEAVING = shipped_rules()


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        (AtLeast("a", 3), {"a": 3}, True),
        (AtLeast("a", 3), {"a": 2.99}, False),
        (AtLeast("a", 3), {"a": None}, False),
        (AtLeast("a", 3), {}, False),
        (AtLeast("a", "b", times=1.5), {"a": 3, "b": 2}, True),
        (AtLeast("a", "b", times=1.5), {"a": 3, "b": None}, False),
        (Below("a", 3), {"a": 2}, True),
        (Below("a", 3), {"a": 3}, False),
        (Below("a", 3), {}, False),
        (Below("a", "b", times=2), {"a": 3, "b": 2}, True),
        (Missing("a"), {"a": None}, True),
        (Missing("a"), {"a": 0}, False),
        (AllOf((AtLeast("a", 1), Missing("b"))), {"a": 1}, True),
        (AllOf((AtLeast("a", 1), Missing("b"))), {"a": 1, "b": 1}, False),
        (AnyOf((AtLeast("a", 1), Missing("b"))), {"a": 1, "b": 1}, True),
        (AnyOf((AtLeast("a", 1), Missing("b"))), {"a": 0, "b": 1}, False),
    ],
)
def test_condition_holds_only_over_what_is_known(condition, values, holds):
    assert condition.holds(values) is holds


@pytest.mark.parametrize(
    ("rule", "values", "severity"),
    [
        (WAITING_TOO_LONG, {"waiting_ms": 30 * MINUTE - 1}, None),
        (WAITING_TOO_LONG, {"waiting_ms": 30 * MINUTE}, "warning"),
        (WAITING_TOO_LONG, {"waiting_ms": DAY - 1}, "warning"),
        (WAITING_TOO_LONG, {"waiting_ms": DAY}, "critical"),
        (WAITING_TOO_LONG, {"waiting_ms": None, "last_reply_ms": 3 * DAY}, None),
        (WAITING_TOO_LONG, {"waiting_ms": None, "last_reply_ms": None}, None),
        (HIGH_RISK, {"score": 0.49}, None),
        (HIGH_RISK, {"score": 0.5}, "warning"),
        (HIGH_RISK, {"score": 0.6}, "critical"),
        (
            AGENT_RISK_ABOVE_TEAM,
            {
                "agent_ratings_30d": 20,
                "agent_dissatisfied_rate_30d": 0.31,
                "supervisor_dissatisfied_rate_30d": 0.2,
            },
            "warning",
        ),
        (
            AGENT_RISK_ABOVE_TEAM,
            {
                "agent_ratings_30d": 19,
                "agent_dissatisfied_rate_30d": 0.9,
                "supervisor_dissatisfied_rate_30d": 0.2,
            },
            None,
        ),
    ],
    ids=[
        "waits just below 30 minutes",
        "waits 30 minutes",
        "waits just below a day",
        "waits a day",
        "answered after three days",
        "nothing known",
        "score below .45",
        "score .45",
        "score .6",
        "agent at 1.5 times the team",
        "agent with 19 ratings",
    ],
)
def test_rule_calls_with_its_gravest_severity(rule, values, severity):
    assert rule.severity(values) == severity


@pytest.mark.parametrize(
    ("rule", "values", "over"),
    [
        (WAITING_TOO_LONG, {"closed": 0, "waiting": 1, "waiting_ms": 1, "last_reply_ms": 1}, False),
        (WAITING_TOO_LONG, {"closed": 0, "waiting": 1, "waiting_ms": None, "last_reply_ms": 1}, False),
        (WAITING_TOO_LONG, {"closed": 0, "waiting": 0, "waiting_ms": None, "last_reply_ms": 3 * DAY}, True),
        (WAITING_TOO_LONG, {"closed": 1, "waiting": 1, "waiting_ms": DAY}, True),
        (HIGH_RISK, {"closed": 0, "score": 0.4}, False),
        (HIGH_RISK, {"closed": 0, "score": 0.34}, True),
        (
            AGENT_RISK_ABOVE_TEAM,
            {"agent_dissatisfied_rate_30d": 0.25, "supervisor_dissatisfied_rate_30d": 0.2},
            True,
        ),
    ],
)
def test_rule_is_over_only_well_below_where_it_calls(rule, values, over):
    assert rule.resolved_when.holds(values) is over
    assert not over or rule.severity({"closed": 0, **values}) is None or values.get("closed") == 1


@pytest.mark.parametrize("rule", shipped_rules(), ids=lambda rule: rule.name)
def test_rule_reads_only_what_exists(rule):
    known = {*FEATURES.names, *EVENT_VALUES}

    assert {*rule.reads, *rule.evidence} <= known
    assert rule.kinds <= ALL | {TIME_REACHED, FINDING_REPORTED}
    assert rule.subject == "conversation" or rule.subject in ENTITIES
    ranks = [SEVERITIES.index(severity) for severity, _ in rule.tiers]
    assert ranks == sorted(ranks, reverse=True)


def test_rules_have_names_of_their_own():
    assert len({rule.name for rule in shipped_rules()}) == len(shipped_rules())
