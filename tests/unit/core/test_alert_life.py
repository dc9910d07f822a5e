"""The life of an alert: opened, repeated without a word, worsened, resolved."""

from typing import Any

import pytest

from service_quality.alerts.alert_life import OPENED, REPEATED, RESOLVED, WORSENED, AlertLife, alert_key, next_life

COOLDOWN = 1000


def live(*steps: tuple[int, str | None, bool]) -> tuple[list[str | None], Any]:
    """What happened at each (clock, severity, resolved), and where the alert stands in the end, if there is one."""
    life, happened = None, []
    for clock, severity, resolved in steps:
        life, what = next_life(life, severity, resolved=resolved, clock=clock, cooldown_ms=COOLDOWN)
        happened.append(what)
    return happened, life


def test_nothing_happens_while_nothing_is_wrong():
    assert live((0, None, True), (1, None, False)) == ([None, None], None)


def test_alert_opens_repeats_and_is_resolved():
    happened, life = live((0, "warning", False), (5, "warning", False), (6, None, False), (7, None, True))

    assert happened == [OPENED, REPEATED, None, RESOLVED]
    assert life == AlertLife("warning", open=False, opened_at=0, sent_at=7, sequence=2, repeats=1)


def test_worse_is_sent_and_milder_is_only_counted():
    happened, life = live((0, "info", False), (1, "critical", False), (2, "warning", False))

    assert happened == [OPENED, WORSENED, REPEATED]
    assert (life.severity, life.sequence, life.sent_at) == ("critical", 2, 1)


def test_return_within_the_cooldown_is_silent_to_its_end():
    happened, life = live((0, "warning", False), (1, None, True), (2, "warning", False), (3, None, True))

    assert happened == [OPENED, RESOLVED, REPEATED, REPEATED]
    assert (life.sequence, life.open) == (2, False)


def test_return_within_the_cooldown_is_told_when_it_is_worse():
    happened, life = live((0, "warning", False), (1, None, True), (2, "critical", False), (3, None, True))

    assert happened == [OPENED, RESOLVED, WORSENED, RESOLVED]
    assert life.sequence == 4


def test_return_after_the_cooldown_opens_anew():
    happened, life = live((0, "warning", False), (1, None, True), (1 + COOLDOWN, "warning", False))

    assert happened == [OPENED, RESOLVED, OPENED]
    assert (life.opened_at, life.sequence, life.repeats) == (1 + COOLDOWN, 3, 0)


def test_messages_are_numbered_without_gaps():
    steps = [
        (clock, ("info", "warning", "critical", None)[clock % 4], clock % 4 == 3) for clock in range(0, 40_000, 333)
    ]
    life: Any = None
    numbers = []
    for clock, severity, resolved in steps:
        life, happened = next_life(life, severity, resolved=resolved, clock=clock, cooldown_ms=COOLDOWN)
        if happened in (OPENED, WORSENED, RESOLVED):
            numbers.append(life.sequence)

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 20


@pytest.mark.parametrize(
    "other", [("shop-2", "high_risk", "c1"), ("shop-1", "waiting_too_long", "c1"), ("shop-1", "high_risk", "c2")]
)
def test_key_is_one_per_shop_rule_and_subject(other):
    assert alert_key("shop-1", "high_risk", "c1") == alert_key("shop-1", "high_risk", "c1")
    assert alert_key("shop-1", "high_risk", "c1") != alert_key(*other)
