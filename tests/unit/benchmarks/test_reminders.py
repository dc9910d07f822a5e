"""What reminders are judged by: each stage of a wait once, in its time, and nothing for who is answered."""

import json

import pytest

from benchmarks.reminder_runs.arrivals import Arrivals
from benchmarks.reminder_runs.turns import LIMIT_MS, Outcome, Turn, is_complete, judge, turns
from service_quality.commit.timers import GRACE_MS
from service_quality.instants import SECOND

ASKED = 1_795_165_200_000
WAITING = Turn("waiting", "shop-1", ASKED, None)
ANSWERED = Turn("answered", "shop-1", ASKED, ASKED + 5 * SECOND)
LATE_MS = 700


def notification(turn: Turn, severity: str, *, message_id: str = "", **fields: object) -> dict:
    body = {
        "kind": "answer_due",
        "state": "opened" if severity == "info" else "worsened",
        "severity": severity,
        "subject": {"kind": "conversation", "id": turn.conversation_id},
        "message_id": message_id or f"{turn.conversation_id}-{severity}",
    }
    return {"Message": json.dumps(body | fields)}


@pytest.fixture
def arrivals() -> Arrivals:
    """Every reminder of the waiting turn, each 0.7 s after its timer was to ring."""
    found = Arrivals()
    for severity, rings_at in WAITING.rings_at.items():
        found.add(notification(WAITING, severity), rings_at + LATE_MS)
    return found


def test_reminders_ring_at_half_three_quarters_and_the_end_of_the_time():
    rings = [at - ASKED - GRACE_MS for at in WAITING.rings_at.values()]

    assert rings == [LIMIT_MS // 2, LIMIT_MS * 3 // 4, LIMIT_MS]
    assert ANSWERED.rings_at == {}


def test_every_reminder_in_its_time_is_right(arrivals):
    assert judge([WAITING, ANSWERED], arrivals) == Outcome(1, 0, 0, (0.7, 0.7, 0.7))
    assert is_complete([WAITING, ANSWERED], arrivals)


def test_reminder_that_did_not_come_is_missing():
    found = Arrivals()
    found.add(notification(WAITING, "info"), WAITING.rings_at["info"])

    assert (judge([WAITING], found).missing, is_complete([WAITING], found)) == (2, False)


def test_reminder_of_an_answered_turn_is_false(arrivals):
    arrivals.add(notification(ANSWERED, "info"), ASKED + 12 * SECOND)

    assert judge([WAITING, ANSWERED], arrivals).false == 1


def test_second_reminder_is_false_and_a_second_delivery_of_one_is_not(arrivals):
    rings_at = WAITING.rings_at["critical"]
    arrivals.add(notification(WAITING, "critical"), rings_at + 9 * SECOND)
    assert judge([WAITING], arrivals).false == 0

    arrivals.add(notification(WAITING, "critical", message_id="another"), rings_at + 9 * SECOND)
    assert judge([WAITING], arrivals).false == 1


def test_reminder_before_its_time_is_false():
    found = Arrivals()
    for severity, rings_at in WAITING.rings_at.items():
        found.add(notification(WAITING, severity), rings_at - 1)

    assert judge([WAITING], found).false == 3


def test_end_of_an_alert_and_an_alert_about_risk_remind_of_no_wait(arrivals):
    arrivals.add(notification(ANSWERED, "info", state="resolved"), ASKED)
    arrivals.add(notification(ANSWERED, "warning", kind="high_risk"), ASKED)

    assert judge([WAITING, ANSWERED], arrivals).false == 0


def test_every_second_turn_is_answered_before_the_first_reminder_of_its_time():
    found = turns("run", 40, spread_ms=10 * SECOND, seed=1)
    waits = [one.answered_at - one.asked_at for one in found if one.answered_at is not None]

    assert len(waits) == 20
    assert max(waits) < LIMIT_MS // 2
