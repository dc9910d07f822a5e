"""The stages of a wait at which a condition may begin to hold if nothing happens: limits of values that wait."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from service_quality.alerts.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Below,
    Between,
    Condition,
    HeldFor,
    Not,
    OneOf,
)
from service_quality.conversations.wait_stages import WAITED_VALUES, Stage


class Waiting(Protocol):
    """What waits for stages, as a rule does."""

    @property
    def stages(self) -> tuple[Stage, ...]: ...


def stages_of(rules: Iterable[Waiting]) -> tuple[Stage, ...]:
    """Every stage that some of these rules wait for, each once, in order."""
    return tuple(sorted({stage for rule in rules for stage in rule.stages}))


def stages_in(condition: Condition) -> Iterator[Stage]:
    """Every stage at which a condition may begin to hold because time passes, each wherever it is asked.

    What holds from the question on, such as a wait below a limit, begins nowhere.

    >>> [stage.name for stage in stages_in(AllOf((AtLeast("waiting_ms", 60_000), AtLeast("score", 0.5))))]
    ['waiting_ms:60000']
    >>> [stage.name for stage in stages_in(Not(Below("waiting_ms", 60_000)))]
    ['waiting_ms:60000']
    """
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            for one in conditions:
                yield from stages_in(one)
        case HeldFor(inner):
            yield from stages_in(inner)
        case Not(inner):
            yield from _ends(inner)
        case AtLeast(value, (int() | float()) as limit, times):
            yield from _stage(value, limit * times)
        case Between(value, lowest, _):
            yield from _stage(value, lowest)
        case OneOf(value, numbers):
            for number in numbers:
                yield from _stage(value, number)


def _ends(condition: Condition) -> Iterator[Stage]:
    """The stages from which on a condition may fail."""
    match condition:
        case AllOf(conditions) | AnyOf(conditions):
            for one in conditions:
                yield from _ends(one)
        case HeldFor(inner):
            yield from _ends(inner)
        case Not(inner):
            yield from stages_in(inner)
        case Below(value, (int() | float()) as limit, times):
            yield from _stage(value, limit * times)
        case Between(value, _, below):
            yield from _stage(value, below)


def _stage(value: str, limit: float) -> Iterator[Stage]:
    """The stage of a value that waits; a wait of nothing is there with its question."""
    if value in WAITED_VALUES and limit > 0:
        yield Stage(value, limit)
