"""Stages, and deadlines: what a timer and a rule name without looking at a conversation."""

from typing import NamedTuple

#: The values by which a stage is declared: the wait in milliseconds, and its share of the time within which it is to be
#: answered.
WAITING_MS, WAITED_SHARE = WAITED_VALUES = ("waiting_ms", "waited_share")

#: The value of a stage that is an instant, at which rules look at their alerts again: in epoch milliseconds.
CLOCK = "clock"

_LARGEST = dict.fromkeys(WAITED_VALUES, 10**12) | {CLOCK: 10**14}


class Stage(NamedTuple):
    """A stage of a wait: one of WAITED_VALUES is at least a limit. One of CLOCK is reached at an instant.

    >>> Stage("waiting_ms", 1_800_000).name, Stage("waited_share", 0.75).name
    ('waiting_ms:1800000', 'waited_share:0.75')
    """

    value: str
    limit: float

    @property
    def name(self) -> str:
        """Its name on the log, by which it is found again."""
        return f"{self.value}:{self.limit:.15g}"


def stage_named(name: str) -> Stage | None:
    """The stage of a name; None for a text that names none.

    >>> stage_named("waited_share:0.75"), stage_named("waited_share:often"), stage_named("age:3")
    (Stage(value='waited_share', limit=0.75), None, None)
    """
    value, _, limit = name.partition(":")
    try:
        stage = Stage(value, float(limit))
    except ValueError:
        return None
    is_stage = 0 < stage.limit <= _LARGEST.get(value, 0) and stage.name == name
    return stage if is_stage else None


def is_of_clock(name: str) -> bool:
    """Whether a stage of this name is one of CLOCK, and of no wait."""
    return name.startswith(f"{CLOCK}:")


class Deadline(NamedTuple):
    """An instant at which a turn of a round reaches a stage; `stage` is its name.

    Of a stage of CLOCK, the turn is that by which the conversation is known then, whether it is open or to come.
    """

    due_at: int
    round: int
    turn: int
    stage: str

    @property
    def key(self) -> tuple[int, int, str]:
        """What is reached once, whenever it is."""
        return self.round, self.turn, self.stage
