"""The staff: agents in teams with supervisors, managers, shifts and tenure, some better than others."""

from dataclasses import dataclass
from random import Random

from service_quality.instants import HOUR

TEAM_SIZE = 6
TEAMS_OF_A_MANAGER = 2
#: Shifts by the local hours they cover, and the share of agents in each.
SHIFTS = {"Morning": range(6, 14), "Afternoon": range(14, 22), "Night": (*range(22, 24), *range(6))}
SHIFT_ORDER = ("Morning", "Afternoon", "Morning", "Afternoon", "Night")
TENURES = {"0-30": 0.2, "31-60": 0.15, "61-90": 0.15, ">90": 0.5}
NEW = "0-30"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent; `weakness` in standard deviations, `slowness` the factor on the time of an answer."""

    agent_id: str
    supervisor_id: str
    manager_id: str
    agent_tenure: str
    agent_shift: str
    weakness: float
    slowness: float

    def profile(self) -> dict[str, str]:
        """The agent's fields in events."""
        return {
            "agent_id": self.agent_id,
            "supervisor_id": self.supervisor_id,
            "manager_id": self.manager_id,
            "agent_tenure": self.agent_tenure,
            "agent_shift": self.agent_shift,
        }


def hire(random: Random, agents: int) -> tuple[Agent, ...]:
    """The staff of one shop: at least one agent in every shift."""
    hired = []
    for number in range(max(agents, len(SHIFT_ORDER))):
        team = number // TEAM_SIZE
        (tenure,) = random.choices(list(TENURES), list(TENURES.values()))
        hired.append(
            Agent(
                agent_id=f"agent-{number + 1:03d}",
                supervisor_id=f"supervisor-{team + 1:02d}",
                manager_id=f"manager-{team // TEAMS_OF_A_MANAGER + 1}",
                agent_tenure=tenure,
                agent_shift=SHIFT_ORDER[number % len(SHIFT_ORDER)],
                weakness=round(random.gauss(0, 1), 2),
                slowness=round(random.lognormvariate(0, 0.35), 2),
            )
        )
    return tuple(hired)


def on_duty(staff: tuple[Agent, ...], *, instant: int, utc_offset: int) -> list[Agent]:
    """The agents whose shift covers the local hour."""
    hour = (instant + utc_offset) // HOUR % 24
    return [agent for agent in staff if hour in SHIFTS[agent.agent_shift]]
