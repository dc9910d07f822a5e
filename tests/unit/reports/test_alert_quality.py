"""How often alerts were right."""

from typing import Any

from reports.alert_quality import judge_alerts
from service_quality.alerts.alert import Alert
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR, format_instant
from tests.unit.reports.made_up_run import alert

START = 19_600 * DAY


def event(contact: str, kind: str, at: int, **fields: Any) -> InteractionEvent:
    return InteractionEvent(
        event_id=f"{contact}-{kind}-{at}", shop_id="s", kind=kind, occurred_at=START + at, received_at=START + at,
        conversation_id=contact, **fields,
    )  # fmt: skip


def opened(contact: str, at: int, **changes: Any) -> Alert:
    about = {"subject": {"kind": "conversation", "id": contact}, "shop_id": "s"}
    return alert(f"alert-{contact}-{at}", occurred_at=format_instant(START + at), **about | changes)


EVENTS = [
    event("a", "agent_message", 2 * HOUR, agent_id="ann"),
    event("a", "rated", 10 * HOUR, rating=1),
    event("b", "agent_message", HOUR, agent_id="ann"),
    event("b", "rated", 10 * HOUR, rating=5),
    event("c", "rated", 3 * DAY, rating=2),
    event("d", "customer_message", 4 * DAY),
]


def test_alerts_are_judged_by_later_ratings():
    found = judge_alerts([opened("a", HOUR), opened("b", 2 * HOUR), opened("d", 3 * HOUR)], EVENTS)

    assert found["high_risk"] == {
        "alerts": 3,
        "per_day": 0.76,
        "contacts": 0.75,
        "judged": 2,
        "precision": 0.5,
        "recall": 0.5,
        "before_answer": 0.6667,
        "minutes_before_answer": 60.0,
        "hours_before_rating": 8.5,
    }


def test_conversation_counts_once_and_only_alerts_before_its_rating():
    found = judge_alerts([opened("a", HOUR), opened("a", 2 * HOUR), opened("c", 3 * DAY + 1)], EVENTS)["high_risk"]

    assert (found["alerts"], found["judged"], found["precision"], found["recall"]) == (3, 1, 1.0, 0.5)


def test_rating_of_a_later_round_does_not_replace_the_one_that_followed_the_alert():
    rounds = [
        event("a", "rated", 2 * HOUR, rating=5),
        event("a", "rated", 10 * HOUR, rating=1),
        event("a", "rated", 20 * HOUR, rating=5),
        event("b", "rated", 2 * HOUR, rating=1),
        event("b", "rated", 20 * HOUR, rating=5),
    ]

    found = judge_alerts([opened("a", 10 * HOUR), opened("b", 3 * HOUR)], rounds)["high_risk"]

    assert (found["judged"], found["precision"], found["recall"]) == (2, 0.5, 0.5)
    assert found["hours_before_rating"] == 8.5


def test_alert_about_an_agent_has_a_number_a_day_alone():
    about = {"kind": "agent_risk_above_team", "subject": {"kind": "agent", "id": "ann"}}
    found = judge_alerts([opened("ann", HOUR, **about), opened("a", HOUR, state="resolved")], EVENTS)

    assert list(found) == ["agent_risk_above_team"]
    assert found["agent_risk_above_team"]["per_day"] == 0.25
    assert found["agent_risk_above_team"]["precision"] is None


def test_nothing_gives_nothing():
    assert judge_alerts([], []) == {}
