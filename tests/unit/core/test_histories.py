"""Tiles and their windows: what enters, what leaves, what is stored."""

import pytest

from service_quality.facts.conversation_facts import Fact
from service_quality.histories.history import History, HistoryPlan, build_history
from service_quality.histories.windows import WINDOWS
from service_quality.instants import DAY, HOUR, MINUTE, SECOND
from tests.unit.core.sample_events import NOON

HOURLY = {"1h": ("complaints", "replies")}


def reply(at: int, value: int = 1, name: str = "replies") -> Fact:
    return Fact("agent\x1fann", NOON + at, name, value)


def history_of(*facts: Fact, clock: int = 0) -> History:
    return build_history(facts, HOURLY, clock=NOON + clock)


@pytest.mark.parametrize(
    ("clock", "counted"),
    [(HOUR, 1), (HOUR + 5 * MINUTE - 1, 1), (HOUR + 5 * MINUTE, 0)],
)
def test_window_starts_at_a_whole_hop(clock, counted):
    assert history_of(reply(0)).get("1h", "replies", clock=NOON + clock) == counted


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_fact_leaves_when_its_whole_tile_does(window):
    leaves = window.leaves_at(NOON + 7)

    assert window.start(leaves) > NOON + 7 >= window.start(leaves - 1)
    assert window.start(leaves) - window.hop == window.start(leaves - 1) == window.tile(NOON + 7)


def test_fact_whose_tile_has_left_never_enters():
    history = history_of(reply(0), clock=HOUR + 5 * MINUTE)

    assert history.empty


def test_late_fact_enters_where_it_belongs_and_leaves_with_its_tile():
    history = history_of(reply(50 * MINUTE), reply(10 * MINUTE), clock=HOUR)

    assert history.get("1h", "replies", clock=NOON + HOUR) == 2
    assert history.get("1h", "replies", clock=NOON + HOUR + 15 * MINUTE) == 1


def test_gap_longer_than_the_window_empties_it():
    history = history_of(reply(0), reply(SECOND))

    assert history.get("1h", "replies", clock=NOON + 9 * DAY) == 0


def test_correction_takes_a_fact_back_without_a_trace():
    history = history_of(reply(0), reply(0, -1))

    assert history.empty
    assert history.to_stored() == [[]]


def test_facts_of_one_tile_are_kept_apart_by_name():
    history = history_of(reply(0, 3), reply(1, 4, "complaints"), reply(2, -3))

    assert history.to_stored() == [[[NOON // (5 * MINUTE), 4, 0]]]


def test_fact_that_no_window_keeps_is_left_out():
    assert history_of(reply(0, 1, "orders")).empty


def test_reading_does_not_change_what_is_stored():
    history = history_of(reply(0), reply(50 * MINUTE), clock=50 * MINUTE)
    stored = history.to_stored()

    history.get("1h", "replies", clock=NOON + HOUR + 20 * MINUTE)

    assert history.to_stored() == stored


def test_settling_drops_what_has_left():
    history = history_of(reply(0), reply(50 * MINUTE), clock=50 * MINUTE)

    history.settle(NOON + HOUR + 20 * MINUTE)

    assert history.to_stored() == [[[(NOON + 50 * MINUTE) // (5 * MINUTE), 0, 1]]]


def test_fact_enters_after_some_have_left_unsettled():
    history = history_of(reply(0), reply(50 * MINUTE), clock=50 * MINUTE)
    history.get("1h", "replies", clock=NOON + HOUR + 20 * MINUTE)

    history.update(reply(40 * MINUTE), clock=NOON + HOUR + 20 * MINUTE)

    assert history.get("1h", "replies", clock=NOON + HOUR + 20 * MINUTE) == 2


def test_newest_looks_at_positive_counts_that_are_still_inside():
    sums = history_of(reply(0), reply(30 * MINUTE, 1, "complaints"), clock=30 * MINUTE).windows["1h"]

    assert sums.newest("replies") == NOON
    sums.expire(NOON + HOUR + 5 * MINUTE)
    assert sums.newest("replies") is None


def test_equal_histories_have_equal_stored_forms():
    one = history_of(reply(0), reply(9 * MINUTE, 2), clock=9 * MINUTE)
    other = history_of(reply(9 * MINUTE), reply(0), reply(9 * MINUTE), clock=9 * MINUTE)

    assert one.to_stored() == other.to_stored()


def test_plan_says_which_entities_keep_a_fact():
    plan = HistoryPlan({"agent": {"1h": ("replies",), "1d": ("replies", "contacts")}, "shop": {"1d": ("contacts",)}})

    kept = {name: [entity.name for entity in entities] for name, entities in plan.kept.items()}

    assert kept == {"replies": ["agent"], "contacts": ["agent", "shop"]}


def test_other_plan_has_another_digest():
    plans = [HistoryPlan({"agent": {"1h": names}}) for names in (("replies",), ("contacts",))]

    assert plans[0].digest != plans[1].digest
