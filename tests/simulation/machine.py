"""The simulation as a Hypothesis state machine: the same moves and the same judges, with shrinking."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.simulation.moves import NAMES, move
from tests.simulation.mutants import UNCHANGED, Mutant
from tests.simulation.schedules import judge
from tests.simulation.settings import Setting
from tests.simulation.world import World

NUMBERS = st.integers(0, 2**64 - 1)


class SimulationMachine(RuleBasedStateMachine):
    """One world a run; when its moves have ended, it comes to rest and is judged."""

    mutant: Mutant = UNCHANGED
    world: World | None = None

    @initialize(setting=st.integers(0, 2**32 - 1), record=NUMBERS)
    def begin(self, setting: int, record: int) -> None:
        self.world = World(Setting.of(setting), self.mutant.make_commit)
        self.at_work = self.mutant.at_work(self.world)
        self.at_work.__enter__()
        move(self.world, "put", record)

    @rule(name=st.sampled_from(NAMES), number=NUMBERS)
    def move(self, name: str, number: int) -> None:
        assert self.world is not None
        move(self.world, name, number)

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            try:
                self.world.finish()
            finally:
                self.at_work.__exit__(None, None, None)
            judge(self.world)
        finally:
            self.world.close()


def machine_of(mutant: Mutant) -> type[SimulationMachine]:
    """The machine with a mutant at work."""
    return type("MutatedMachine", (SimulationMachine,), {"mutant": mutant})
