"""The state of an alert: opened, repeated without a message, worsened, resolved."""

from typing import Any

import pytest

from service_quality.alerts.alert_state import OPENED, REPEATED, RESOLVED, WORSENED, AlertState, alert_key, next_state

COOLDOWN = 1000


def live(*steps: tuple[int, str | None, bool]) -> tuple[list[str | None], Any]:
    """The change at each (clock, severity, resolved), and the alert's state in the end; None without an alert."""
    state, changes = None, []
    for clock, severity, resolved in steps:
        state, change = next_state(state, severity, resolved=resolved, clock=clock, cooldown_ms=COOLDOWN)
        changes.append(change)
    return changes, state


def test_nothing_happens_while_nothing_is_wrong():
    assert live((0, None, True), (1, None, False)) == ([None, None], None)


def test_alert_opens_repeats_and_is_resolved():
    changes, state = live((0, "warning", False), (5, "warning", False), (6, None, False), (7, None, True))

    assert changes == [OPENED, REPEATED, None, RESOLVED]
    assert state == AlertState("warning", open=False, opened_at=0, sent_at=7, sequence=2, repeats=1)


def test_worse_is_sent_and_milder_is_only_counted():
    changes, state = live((0, "info", False), (1, "critical", False), (2, "warning", False))

    assert changes == [OPENED, WORSENED, REPEATED]
    assert (state.severity, state.sequence, state.sent_at) == ("critical", 2, 1)


def test_return_within_the_cooldown_is_silent_to_its_end():
    changes, state = live((0, "warning", False), (1, None, True), (2, "warning", False), (3, None, True))

    assert changes == [OPENED, RESOLVED, REPEATED, REPEATED]
    assert (state.sequence, state.open) == (2, False)


def test_silent_return_is_told_at_the_first_event_after_the_cooldown_and_once():
    changes, state = live(
        (0, "warning", False), (1, None, True), (2, "warning", False),
        (COOLDOWN, "warning", False), (COOLDOWN + 1, "warning", False), (COOLDOWN + 2, "warning", False),
        (COOLDOWN + 3, None, True),
    )  # fmt: skip

    assert changes == [OPENED, RESOLVED, REPEATED, REPEATED, OPENED, REPEATED, RESOLVED]
    assert (state.sequence, state.open, state.silent) == (4, False, False)


def test_silent_return_that_ends_within_the_cooldown_is_never_told():
    changes, state = live(
        (0, "warning", False), (1, None, True), (2, "warning", False), (3, None, True), (2 * COOLDOWN, None, True)
    )

    assert changes == [OPENED, RESOLVED, REPEATED, REPEATED, None]
    assert (state.sequence, state.open) == (2, False)


def test_return_within_the_cooldown_is_sent_when_it_is_worse():
    changes, state = live((0, "warning", False), (1, None, True), (2, "critical", False), (3, None, True))

    assert changes == [OPENED, RESOLVED, WORSENED, RESOLVED]
    assert state.sequence == 4


def test_return_after_the_cooldown_opens_again():
    changes, state = live((0, "warning", False), (1, None, True), (1 + COOLDOWN, "warning", False))

    assert changes == [OPENED, RESOLVED, OPENED]
    assert (state.opened_at, state.sequence, state.repeats) == (1 + COOLDOWN, 3, 0)


def test_messages_are_numbered_without_gaps():
    steps = [
        (clock, ("info", "warning", "critical", None)[clock % 4], clock % 4 == 3) for clock in range(0, 40_000, 333)
    ]
    state: Any = None
    numbers = []
    for clock, severity, resolved in steps:
        state, change = next_state(state, severity, resolved=resolved, clock=clock, cooldown_ms=COOLDOWN)
        if change in (OPENED, WORSENED, RESOLVED):
            numbers.append(state.sequence)

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 20


@pytest.mark.parametrize(
    "other", [("shop-2", "high_risk", "c1"), ("shop-1", "waiting_too_long", "c1"), ("shop-1", "high_risk", "c2")]
)
def test_key_is_one_per_shop_rule_and_subject(other):
    assert alert_key("shop-1", "high_risk", "c1") == alert_key("shop-1", "high_risk", "c1")
    assert alert_key("shop-1", "high_risk", "c1") != alert_key(*other)


def test_key_is_one_per_round_from_the_second_on():
    keys = [alert_key("shop-1", "high_risk", "c1", number) for number in (1, 2, 3, 12)]

    assert keys[0] == alert_key("shop-1", "high_risk", "c1") == alert_key("shop-1", "high_risk", "c1", 0)
    assert len(set(keys)) == len(keys)
    assert keys[1] != alert_key("shop-1", "high_risk", "c2", 2)
