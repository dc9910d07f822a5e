"""The life of an alert: opened, repeated, worsened, resolved, and silent between its messages."""

from itertools import pairwise
from typing import NamedTuple

import pytest

from service_quality.alerts.alert_state import (
    OPENED,
    REPEATED,
    RESOLVED,
    WORSENED,
    AlertState,
    Finding,
    alert_key,
    next_state,
    public_id,
)

COOLDOWN = 1000
CALM, BETWEEN = ("", True), ("", False)


class Life(NamedTuple):
    """What was said at each instant, with the count, and the alert's state in the end."""

    said: list[tuple[int, str, int]]
    state: AlertState


def live(*steps: tuple[int, str | tuple[str, bool]]) -> Life:
    """A life by a fake clock: at each instant a severity holds, CALM resolves, BETWEEN does neither."""
    state, said = None, []
    for clock, found in steps:
        severity, resolved = (found, False) if isinstance(found, str) else found
        step = next_state(state, Finding(severity or None, clock, resolved), cooldown_ms=COOLDOWN)
        state = step.state
        if step.change is not None:
            said.append((clock, step.change, step.repeats))
    return Life(said, state or AlertState("", open=False, opened_at=0, sent_at=0, said=""))


def test_nothing_happens_while_nothing_is_wrong():
    assert live((0, CALM), (1, BETWEEN)).said == []


def test_alert_opens_is_counted_and_is_resolved_once():
    said, state = live((0, "warning"), (5, "warning"), (6, BETWEEN), (7, CALM), (8, CALM))

    assert said == [(0, OPENED, 0), (7, RESOLVED, 1)]
    assert state == AlertState(
        "warning", open=False, opened_at=0, sent_at=7, sequence=2, said="warning", gravest="warning"
    )


def test_alert_that_still_holds_after_its_cooldown_is_said_again_with_the_count_and_counted_anew():
    said, state = live((0, "warning"), (1, "warning"), (999, "warning"), (1000, "warning"), (1001, "warning"))

    assert said == [(0, OPENED, 0), (1000, REPEATED, 3)]
    assert (state.repeats, state.sent_at, state.opened_at) == (1, 1000, 0)


def test_alert_is_said_again_every_cooldown_and_not_more_often():
    said = live(*((clock, "warning") for clock in range(0, 3001, 100))).said

    assert said == [(0, OPENED, 0), (1000, REPEATED, 10), (2000, REPEATED, 10), (3000, REPEATED, 10)]


def test_alert_that_does_not_hold_at_the_end_of_its_cooldown_is_said_again_when_it_holds():
    said = live((0, "warning"), (1000, BETWEEN), (1500, "warning")).said

    assert said == [(0, OPENED, 0), (1500, REPEATED, 1)]


def test_alert_without_a_cooldown_is_said_at_every_event():
    assert next_state(
        AlertState("warning", open=True, opened_at=0, sent_at=0, said="warning"),
        Finding("warning", 0), cooldown_ms=0,
    ).change == REPEATED  # fmt: skip


def test_what_does_not_count_is_no_repeat_but_may_be_graver_or_end_a_silence():
    opened = next_state(None, Finding("warning", 0), cooldown_ms=COOLDOWN).state
    held = next_state(opened, Finding("warning", 1, counts=False), cooldown_ms=COOLDOWN)
    worse = next_state(opened, Finding("critical", 1, counts=False), cooldown_ms=COOLDOWN)

    assert held.state == opened
    assert (worse.change, worse.repeats) == (WORSENED, 0)


def test_worse_is_said_at_once_and_milder_is_only_counted():
    said, state = live((0, "info"), (1, "critical"), (2, "warning"), (3, "critical"))

    assert said == [(0, OPENED, 0), (1, WORSENED, 1)]
    assert (state.severity, state.sequence, state.sent_at, state.repeats) == ("critical", 2, 1, 2)


def test_severity_is_the_one_that_holds_now():
    assert live((0, "critical"), (1, "warning")).state.severity == "warning"


def test_worse_is_measured_by_the_last_message():
    said = live((0, "critical"), (1000, "warning"), (1001, "critical")).said

    assert said == [(0, OPENED, 0), (1000, REPEATED, 1), (1001, WORSENED, 1)]


def test_return_within_the_cooldown_is_silent_to_its_end_and_is_true_all_the_while():
    returned = live((0, "warning"), (1, CALM), (2, "info"))
    over = live((0, "warning"), (1, CALM), (2, "info"), (3, CALM))

    assert returned.said == over.said == [(0, OPENED, 0), (1, RESOLVED, 0)]
    assert (returned.state.open, returned.state.silent, returned.state.opened_at) == (True, True, 2)
    assert (returned.state.severity, returned.state.repeats) == ("info", 1)
    assert over.state == returned.state._replace(open=False)


def test_silent_return_is_told_at_the_first_event_after_the_cooldown_and_once():
    said, state = live(
        (0, "warning"), (1, CALM), (2, "warning"), (1000, "warning"), (1001, "warning"), (1002, "warning"), (1003, CALM)
    )  # fmt: skip

    assert said == [(0, OPENED, 0), (1, RESOLVED, 0), (1001, OPENED, 3), (1003, RESOLVED, 1)]
    assert (state.open, state.silent, state.opened_at, state.sequence) == (False, False, 2, 4)


def test_silent_return_that_ends_within_the_cooldown_is_never_told():
    said, state = live((0, "warning"), (1, CALM), (2, "warning"), (3, CALM), (4, "warning"), (5, CALM), (2000, CALM))

    assert said == [(0, OPENED, 0), (1, RESOLVED, 0)]
    assert (state.open, state.silent, state.opened_at) == (False, True, 4)


def test_what_returns_again_and_again_is_hidden_no_longer_than_the_cooldown():
    flaps = [(clock, CALM if clock % 2 else "warning") for clock in range(2000)]

    said = [clock for clock, *_ in live(*flaps).said]
    hidden = [after - before for before, after in pairwise(said)]

    assert max(hidden) == COOLDOWN + 1  # the first event after it at which the alert holds


@pytest.mark.parametrize("silent", [(), ((2, "warning"),)])
def test_return_within_the_cooldown_is_said_at_once_when_it_is_worse(silent):
    said = live((0, "warning"), (1, CALM), *silent, (3, "critical"), (4, CALM)).said

    assert said == [(0, OPENED, 0), (1, RESOLVED, 0), (3, WORSENED, 2 * len(silent)), (4, RESOLVED, 0)]


def test_return_after_the_cooldown_opens_at_once():
    said, state = live((0, "warning"), (1, CALM), (1 + COOLDOWN, "info"))

    assert said == [(0, OPENED, 0), (1, RESOLVED, 0), (1 + COOLDOWN, OPENED, 0)]
    assert (state.opened_at, state.sequence, state.severity) == (1 + COOLDOWN, 3, "info")


def test_messages_are_numbered_without_gaps():
    state, numbers = None, []
    for clock in range(0, 40_000, 333):
        severity = ("info", "warning", "critical", None)[clock % 4]
        step = next_state(state, Finding(severity, clock, resolved=clock % 4 == 3), cooldown_ms=COOLDOWN)
        state = step.state
        numbers += [step.state.sequence] if step.change is not None and step.state is not None else []

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


def test_public_id_follows_from_its_parts_and_the_salt_and_shows_neither():
    made = public_id("contact-1", "2", salt=b"salt")

    assert made == public_id("contact-1", "2", salt=b"salt")
    assert len({made, public_id("contact-1", "2", salt=b"other"), public_id("contact-12", salt=b"salt")}) == 3
    assert len(made) == 24
    assert "contact" not in made
