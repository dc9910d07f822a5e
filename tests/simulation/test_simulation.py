"""No schedule of kills, pauses, doubles, timeouts, swaps and expiry loses, doubles or changes an event."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import SimulationMachine, machine_of
from tests.simulation.mutants import MUTANTS
from tests.simulation.runs import play

#: The things that a run must have seen often; otherwise a run without findings proves nothing.
TROUBLES = (
    "killed within", "doubled", "overtaken", "conflicts", "handed out again", "given up", "sent again",
    "committed while another stood still", "transact_write_items: answer lost", "transact_write_items: lands later",
    "transact_write_items: never lands", "transact_write_items: conflict", "landed later: transact_write_items",
    "models swapped", "rules swapped", "plans swapped", "folds changed", "rebuilds", "state items expired", "imports",
    "archived again", "dispatched in part",
    "rejected: fold_failed", "rejected: parked", "rejected: item_full", "rejected: conversation_full",
    "rejected: older_than_retention", "read in halves", "unscored", "bad releases", "put back", "runs put back whole",
    "stored as passed by", "parked again", "shards split", "shards merged", "by hand", "other key", "aggregate",
    "mixed aggregate", "records gone back", "ways back judged", "put_records: lands later",
    "put_records: answer lost", "put_records: half to the end",
    "policies", "policies over a rebuild", "policies beside imports", "events held under a policy", "corrected",
    "own rules", "own rules over a rebuild", "alerts of withdrawn rules ended", "rejected: wrong_rules",
    "rejected: conflicting_content", "rejected: other_revision", "rejected: wrong_policy", "rejected: unsigned",
    "ties", "with a sequence", "courtesies", "with a status", "merged conversations", "stamped ahead",
    "answered ahead", "ended by silence", "previews",
    "timers rung", "timers lost", "timers doubled", "timers early", "timers late", "timers unasked", "timers unwanted",
    "findings: accepted", "findings: duplicate", "findings: silent", "findings: no history",
    "findings: unknown finding", "findings: unknown subject", "findings over a rebuild",
    "alerts of expired findings ended", "scored behind events", "unscored behind events",
    "timers swept", "timer rows", "timers pending", "stages reached", "silent", "rejected: from_the_future",
)  # fmt: skip


def run_machine(
    machine: type[SimulationMachine], *, examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)
) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_schedule_of_few_moves_breaks_a_promise():
    run_machine(SimulationMachine, examples=10, steps=20)


@pytest.mark.slow
def test_no_schedule_of_many_moves_breaks_a_promise():
    run_machine(SimulationMachine, examples=60, steps=50)


@pytest.mark.slow
def test_seeded_schedules_meet_every_trouble_and_break_no_promise():
    played = play(seed=8, indexes=range(700))

    assert not played.violations
    assert not [trouble for trouble in TROUBLES if played.counts[trouble] < 5]


@pytest.mark.slow
def test_state_machine_finds_a_mutant():
    machine = machine_of(MUTANTS["no condition on the shop's item"])

    with pytest.raises(AssertionError):
        run_machine(machine, examples=200, steps=60, phases=(Phase.generate,))
