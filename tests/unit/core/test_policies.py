"""What a policy says: ratings, targets, and which revision judges what."""

import pytest

from service_quality.instants import DAY, MINUTE, SECOND
from service_quality.policies.policy import DEFAULT_POLICY, Policy, RatingScale, Target, policy_in_force

A, B, C = (Policy(revision=name, valid_from=at) for name, at in (("a", 0), ("b", 200), ("c", 100)))
ON_THE_LOG = (A, B, C)


def test_default_policy_has_the_limits_that_the_facts_are_described_with():
    assert DEFAULT_POLICY.dissatisfied_at_most == 3
    assert (DEFAULT_POLICY.on_time_within_ms, DEFAULT_POLICY.slow_beyond_ms) == (3 * MINUTE, 15 * MINUTE)


def test_default_policy_is_always_open_and_owned_by_the_last_answer():
    assert (DEFAULT_POLICY.opening, DEFAULT_POLICY.holidays, DEFAULT_POLICY.owner) == (None, None, "last_answer")
    assert (DEFAULT_POLICY.ends_after_ms, DEFAULT_POLICY.answer_tolerance_ms) == (7 * DAY, MINUTE)
    assert DEFAULT_POLICY.pauses_when == ()


@pytest.mark.parametrize(
    ("began_at", "known", "revision"),
    [
        (50, 0, "default"),
        (250, 0, "default"),
        (-1, 1, "default"),
        (50, 1, "a"),
        (250, 1, "a"),
        (199, 2, "a"),
        (200, 2, "b"),
        (200, 1, "a"),
        (250, 3, "c"),
        (99, 3, "a"),
    ],
)
def test_policy_judges_what_begins_after_its_position_and_its_instant(began_at, known, revision):
    assert policy_in_force(ON_THE_LOG, began_at=began_at, known=known).revision == revision


@pytest.mark.parametrize(
    ("worst", "best", "given", "rating"),
    [
        (1, 5, 3, 3),
        (1, 5, 0, None),
        (1, 5, "5", 5),
        (1, 5, "4.5", 5),
        (1, 5, "٣", None),
        (0, 10, 0, 1),
        (0, 10, 5, 3),
        (0, 10, 6, 3),
        (0, 10, 9, 5),
        (1, 10, 1, 1),
        (0, 1, 1, 5),
        (6, 1, 1, 5),
        (6, 1, 6, 1),
        (6, 1, 2, 4),
        (6, 1, 7, None),
        (-1, 1, "-1", 1),
        (0, 10, "4.5", 3),
        (0, 10, 2.4, 2),
        (1, 5, "4.", None),
        (1, 5, ".5", None),
        (1, 5, "1e3", None),
        (None, None, 3, None),
    ],
)
def test_number_is_a_rating_between_the_ends_of_the_scale(worst, best, given, rating):
    policy = DEFAULT_POLICY._replace(rating_scale=RatingScale(worst, best))

    assert policy.rating_of(given) == rating


def test_name_is_a_rating_before_it_is_a_number():
    policy = DEFAULT_POLICY._replace(rating_scale=RatingScale(0, 100, (("满意", 5), ("bad", 1), ("50", 2))))

    assert [policy.rating_of(given) for given in ("满意", " BAD ", "50", 50, "100", "unknown")] == [5, 1, 2, 2, 5, None]


def test_first_target_that_meets_counts():
    urgent = Target(30 * SECOND, None, "calendar", (("channel", ("phone",)), ("priority", ("high", "urgent"))))
    phone = Target(MINUTE, MINUTE, "business", (("channel", ("phone",)),))
    policy = DEFAULT_POLICY._replace(targets=(urgent, phone))

    assert policy.target_for({"channel": "phone", "priority": "urgent"}) is urgent
    assert policy.target_for({"channel": "phone", "priority": None}) is phone
    assert policy.target_for({"channel": "chat"}) == Target(3 * MINUTE, 3 * MINUTE, "calendar")
