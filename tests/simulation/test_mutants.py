"""The simulation finds every mistake that it is there for."""

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.schedules import draw_schedule, run_schedule

SEED = 2
#: By then each must be found; most are among the first ten.
MOST_SCHEDULES = 1_000


def play(mutant: Mutant) -> None:
    for index in range(MOST_SCHEDULES):
        run_schedule(draw_schedule(SEED, index), mutant)


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
def test_simulation_finds(name):
    with pytest.raises(AssertionError):
        play(MUTANTS[name])
