"""Batches that come again, split otherwise, crash, time out or overtake one another leave what a calm run leaves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.rules import Rule
from service_quality.commit import transactions
from service_quality.commit.online_commit import OnlineCommit
from service_quality.errors import DependencyError
from service_quality.events.log_records import LogRecord
from service_quality.features.declarations import FeatureSet
from tests.properties.feature_sets import SETS, tasks_under
from tests.properties.online_run import Remains, batches, delete_forgotten, new_store, new_worker, remains
from tests.properties.random_logs import Choices, RandomLog, logs
from tests.stand_ins.faulty_store import FAULTS, Crash, FaultyStore
from tests.stand_ins.memory_store import MemoryStore

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=4)
TROUBLES = st.binary(min_size=8 * 24, max_size=8 * 24)


@dataclass
class Stage:
    """Two workers on one store; each delivery draws its troubles from the next eight bytes."""

    log: RandomLog
    features: FeatureSet
    rules: tuple[Rule, ...]
    troubles: list[int]
    store: MemoryStore = field(init=False)
    doors: list[FaultyStore] = field(init=False)
    workers: list[OnlineCommit] = field(init=False)

    def __post_init__(self) -> None:
        self.store = new_store(self.log)
        self.doors = [FaultyStore(self.store), FaultyStore(self.store)]
        self.workers = [
            new_worker(door, self.features, self.rules, tasks=tasks_under(self.features)) for door in self.doors
        ]

    def play(self, cut: list[list[LogRecord]]) -> None:
        """Deliver every batch until a worker has taken it, as an event source does."""
        for index, batch in enumerate(cut):
            taken = False
            while not taken:
                trouble = Choices(self.troubles.pop() if self.troubles else 0)
                number = trouble.of((0, 1))
                self._set_troubles(trouble, number, batch)
                taken = self._deliver(number, trouble.of((batch, batch, batch[: len(batch) // 2 + 1]))) and (
                    trouble.of((True, True, False)) or not self.troubles
                )
                self._calm(number)
            if self.troubles[-1:] and self.troubles[-1] % 3 == 0:
                delete_forgotten(self.store, self.log.shop_id)
            if index and self.troubles:
                self._redeliver(Choices(self.troubles.pop()), cut[:index])
            assert self._deliver(0, batch)

    def _redeliver(self, trouble: Choices, earlier: list[list[LogRecord]]) -> None:
        if trouble.of((False, True)):
            self._deliver(trouble.of((0, 1)), trouble.of(earlier))

    def _set_troubles(self, trouble: Choices, number: int, batch: list[LogRecord]) -> None:
        door = self.doors[number]
        door.faults = {door.calls + trouble.of(range(6)): trouble.of(FAULTS) for _ in range(trouble.of((0, 1, 2, 3)))}
        overtaken: dict[int, Callable[[], None]] = {}
        if trouble.of((False, True)):
            part = trouble.of((batch, batch[:1], batch[: len(batch) // 2]))
            overtaken[door.calls + trouble.of(range(6))] = lambda: self._overtake(1 - number, part)
        door.overtaken = overtaken

    def _overtake(self, number: int, part: list[LogRecord]) -> None:
        assert self._deliver(number, part)

    def _deliver(self, number: int, batch: list[LogRecord]) -> bool:
        """Whether the worker took the batch; one that crashed comes back cold."""
        door = self.doors[number]
        try:
            self.workers[number].advance_shop(self.log.shop_id, batch)
        except DependencyError:
            return False
        except Crash:
            self.workers[number] = new_worker(door, self.features, self.rules, tasks=tasks_under(self.features))
            return False
        finally:
            door.land()
        return True

    def _calm(self, number: int) -> None:
        self.doors[number].faults, self.doors[number].overtaken = {}, {}


def calm_run(log: RandomLog, features: FeatureSet, rules: tuple[Rule, ...]) -> Remains:
    store = new_store(log)
    new_worker(store, features, rules, tasks=tasks_under(features)).advance_shop(log.shop_id, log.records)
    return remains(store, log.shop_id)


def _since_founded(left: Remains) -> tuple[list[dict], dict[str, tuple[bytes, str, str]]]:
    """Entries and rejected records from the first record on that was not rejected: those before it may found no shop,
    as batches are cut."""
    taken = [entry["position"] for entry in left.entries if "rejected" not in entry]
    founded = taken[0] if taken else "~"
    entries = [entry for entry in left.entries if entry["position"] >= founded]
    return entries, {position: one for position, one in left.rejected.items() if position >= founded}


def assert_nothing_differs(found: Remains, expected: Remains) -> None:
    assert _since_founded(found) == _since_founded(expected)
    assert found.shop == expected.shop
    assert found.alerts == expected.alerts
    assert found.items == expected.items


def check(name: str, *, examples: int, most: int, room: int) -> None:
    features, rules = SETS[name]

    @settings(max_examples=examples)
    @given(logs(features, most=most), SIZES, TROUBLES, st.sampled_from((99, room)))
    def property_holds(log: RandomLog, sizes: list[int], troubles: bytes, most_items: int) -> None:
        numbers = [int.from_bytes(troubles[first : first + 8], "little") for first in range(0, len(troubles), 8)]
        stage = Stage(log, features, rules, numbers)
        with mock.patch.object(transactions, "MAX_ITEMS", most_items):  # the fewer, the more transactions a batch
            stage.play(batches(log.records, sizes))
        assert_nothing_differs(remains(stage.store, log.shop_id), calm_run(log, features, rules))

    property_holds()


@pytest.mark.parametrize(("name", "examples", "room"), [("small", 40, 40), ("in service", 10, 70)])
def test_troubled_run_leaves_what_a_calm_run_leaves(name, examples, room):
    check(name, examples=examples, most=25, room=room)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "examples", "room"), [("small", 250, 40), ("in service", 60, 70)])
def test_troubled_run_leaves_what_a_calm_run_leaves_on_longer_logs(name, examples, room):
    check(name, examples=examples, most=60, room=room)


@settings(max_examples=10)
@given(logs(SETS["small"][0], most=12), st.sampled_from(FAULTS))
def test_one_fault_at_any_call_changes_nothing(log, fault):
    features, rules = SETS["small"]
    expected = calm_run(log, features, rules)
    calls = _calls_of_a_calm_run(log)

    for number in range(calls):
        stage = Stage(log, features, rules, [])
        stage.doors[0].faults = {number: fault}
        while not stage._deliver(0, log.records):
            pass

        assert_nothing_differs(remains(stage.store, log.shop_id), expected)


def _calls_of_a_calm_run(log: RandomLog) -> int:
    features, rules = SETS["small"]
    door = FaultyStore(new_store(log))
    new_worker(door, features, rules, tasks=tasks_under(features)).advance_shop(log.shop_id, log.records)
    return door.calls
