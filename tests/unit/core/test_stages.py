"""The stages at which conditions begin to hold when nothing but time passes."""

import pytest

from service_quality.alerts.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Below,
    Between,
    Condition,
    HeldFor,
    Missing,
    Not,
    OneOf,
)
from service_quality.alerts.stages import stages_in
from service_quality.conversations.wait_stages import stage_named

WAITED, LONG = AtLeast("waiting_ms", 60), AtLeast("waiting_ms", 120)


def limits(condition: Condition) -> list[float]:
    return [stage.limit for stage in stages_in(condition)]


@pytest.mark.parametrize(
    ("condition", "begins"),
    [
        (WAITED, [60]),
        (AtLeast("waited_share", 0.5), [0.5]),
        (Below("waiting_ms", 60), []),
        (Between("waiting_ms", 60, 120), [60]),
        (OneOf("waiting_ms", (60, 120)), [60, 120]),
        (Not(WAITED), []),
        (Not(Below("waiting_ms", 60)), [60]),
        (Not(Between("waiting_ms", 60, 120)), [120]),
        (Not(OneOf("waiting_ms", (60,))), []),
        (Not(Not(WAITED)), [60]),
        (AllOf((WAITED, Not(Below("waiting_ms", 120)))), [60, 120]),
        (AnyOf((WAITED, LONG)), [60, 120]),
        (Not(AnyOf((Below("waiting_ms", 60), AtLeast("score", 0.5)))), [60]),
        (HeldFor(WAITED, 5, "held"), [60]),
        (Not(HeldFor(Below("waiting_ms", 60), 5, "held")), [60]),
        (AtLeast("conversation_age_ms", 60), []),
        (Not(Below("last_reply_ms", 60)), []),
        (Missing("waiting_ms"), []),
    ],
)
def test_condition_waits_for_where_it_begins_to_hold(condition, begins):
    assert limits(condition) == begins


@pytest.mark.parametrize(
    "condition", [AtLeast("waiting_ms", 0), Between("waiting_ms", 0, 60), OneOf("waited_share", (0,))]
)
def test_what_holds_from_the_question_on_waits_for_no_stage(condition):
    assert limits(condition) == []


@pytest.mark.parametrize(
    ("condition", "before"),
    [
        (WAITED, 59),
        (Between("waiting_ms", 60, 120), 59),
        (OneOf("waiting_ms", (60,)), 59),
        (Not(Below("waiting_ms", 60)), 59),
        (Not(Between("waiting_ms", 1, 60)), 59),
        (Not(AnyOf((Between("waiting_ms", 0, 60), Below("waiting_ms", 30)))), 59),
    ],
)
def test_condition_holds_at_its_stage_and_not_before(condition, before):
    last = max(limits(condition))

    assert (condition.holds({"waiting_ms": before}), condition.holds({"waiting_ms": last})) == (False, True)


def test_every_stage_has_a_name_that_is_found_again():
    condition = AllOf((Not(Below("waiting_ms", 60)), OneOf("waited_share", (0, 0.5, 1)), AtLeast("waiting_ms", 0)))

    assert all(stage_named(stage.name) == stage for stage in stages_in(condition))
