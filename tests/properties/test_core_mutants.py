"""The checks find every mistake in what a conversation says and contributes, and none in the code as it is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from random import Random

import pytest

from tests.properties.bounds_check import (
    assert_cache_holds_so_many_items,
    assert_conversation_holds_so_many_events,
    assert_item_holds_so_many_histories,
)
from tests.properties.core_mutants import OF_BOUNDS, OF_CONVERSATIONS, OF_HISTORIES, OF_VECTORS
from tests.properties.feature_sets import SETS, SMALL_CHURN
from tests.properties.finding_mutants import OF_FINDINGS
from tests.properties.policy_mutants import OF_POLICIES
from tests.properties.random_logs import DOINGS_WITH_FINDINGS, START, LogWriter, RandomLog, build_log
from tests.properties.random_scenes import SCENES, STEADY, Scene, Step
from tests.properties.step_check import assert_steps_equal_oracle, assert_steps_under_policies_equal_oracle
from tests.properties.test_online_reader import assert_served_equals_oracle, serve
from tests.properties.time_mutants import OF_TIME, OF_TIME_SERVED, OF_TIME_UNDER_POLICIES

#: By then each must be found; most are among the first ten.
MOST_LOGS = 150
RECORDS = range(20, 60)
SIZES = [5, 3]


def random_log(seed: int, name: str) -> RandomLog:
    random = Random(seed)
    return build_log([random.getrandbits(64) for _ in range(random.choice(RECORDS))], SETS[name][0])


def scene_log(steps: tuple[Step, ...]) -> RandomLog:
    """A scene by itself: what it is there to find must not hang on whether chance draws it."""
    random = Random(0)
    writer = LogWriter(RandomLog("shop"), SETS["small"][0], scene=Scene(steps, START, "c0"))
    for _ in steps:
        writer.write(random.getrandbits(64))
    return writer.log


def check_steps() -> None:
    for steps in (*SCENES, *STEADY):
        assert_steps_equal_oracle(scene_log(steps))
    for seed in range(MOST_LOGS):
        assert_steps_equal_oracle(random_log(seed, "small"))


def check_policies() -> None:
    for seed in range(3 * MOST_LOGS):  # policies are few among all that a log may hold
        assert_steps_under_policies_equal_oracle(random_log(seed, "small"))


def check_served() -> None:
    for seed in range(MOST_LOGS):
        name = ("small", "in service")[seed % 2]
        features, rules = SETS[name]
        log = random_log(seed, name)
        assert_served_equals_oracle(serve(log, SIZES, features, rules, cold=seed % 3 == 0), log, features)


def check_findings() -> None:
    features, rules = SETS["small"]
    for seed in range(MOST_LOGS):
        random = Random(seed)
        writer = LogWriter(RandomLog("shop"), features, doings=DOINGS_WITH_FINDINGS)
        for _ in range(random.choice(RECORDS)):
            writer.write(random.getrandbits(64))
        store = serve(writer.log, SIZES, features, rules, cold=seed % 3 == 0, tasks=(SMALL_CHURN,))
        assert_served_equals_oracle(store, writer.log, features, (SMALL_CHURN,))


CHECKS: dict[str, Callable[[], None]] = {
    "steps": check_steps,
    "policies": check_policies,
    "served": check_served,
    "findings": check_findings,
    "events": assert_conversation_holds_so_many_events,
    "histories": assert_item_holds_so_many_histories,
    "cached items": assert_cache_holds_so_many_items,
}
Case = tuple[str, str, Callable[[], AbstractContextManager[object]]]
CASES: list[Case] = [
    *(("steps", name, patch) for name, patch in OF_CONVERSATIONS.items()),
    *(("served", name, patch) for name, patch in OF_VECTORS.items()),
    *(("policies", name, patch) for name, patch in OF_POLICIES.items()),
    *(("served", name, patch) for name, patch in OF_HISTORIES.items()),
    *(("steps", name, patch) for name, patch in OF_TIME.items()),
    *(("policies", name, patch) for name, patch in OF_TIME_UNDER_POLICIES.items()),
    *(("served", name, patch) for name, patch in OF_TIME_SERVED.items()),
    *(("findings", name, patch) for name, patch in OF_FINDINGS.items()),
    *((check, name, patch) for name, (check, patch) in OF_BOUNDS.items()),
]


@pytest.fixture(autouse=True)
def plans():
    """Values cached from a declaration are computed by the unchanged code, or a mutant would remain in them."""
    for features, _ in SETS.values():
        assert features.plan.kept


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
def test_check_finds_nothing_in_the_code_as_it_is(check):
    CHECKS[check]()


@pytest.mark.slow
@pytest.mark.parametrize(("check", "mutant", "patch"), CASES, ids=[f"{check}: {name}" for check, name, _ in CASES])
def test_check_finds(check, mutant, patch):
    with patch(), pytest.raises(AssertionError):
        CHECKS[check]()
