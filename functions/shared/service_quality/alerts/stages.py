"""The stages of a wait at which a condition may begin to hold if nothing happens: limits of values that wait."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from service_quality.alerts.conditions import AllOf, AnyOf, AtLeast, Between, Condition, HeldFor
from service_quality.conversations.wait_stages import WAITED_VALUES, Stage


class Waiting(Protocol):
    """What waits for stages, as a rule does."""

    @property
    def stages(self) -> tuple[Stage, ...]: ...


def stages_of(rules: Iterable[Waiting]) -> tuple[Stage, ...]:
    """Every stage that some of these rules wait for, each once, in order."""
    return tuple(sorted({stage for rule in rules for stage in rule.stages}))


def stages_in(condition: Condition) -> Iterator[Stage]:
    """Every stage that a condition waits for.

    >>> [stage.name for stage in stages_in(AllOf((AtLeast("waiting_ms", 60_000), AtLeast("score", 0.5))))]
    ['waiting_ms:60000']
    """
    if isinstance(condition, AllOf | AnyOf):
        for one in condition.conditions:
            yield from stages_in(one)
    elif isinstance(condition, HeldFor):
        yield from stages_in(condition.condition)
    elif isinstance(condition, AtLeast) and condition.value in WAITED_VALUES and not isinstance(condition.limit, str):
        yield Stage(condition.value, condition.limit * condition.times)
    elif isinstance(condition, Between) and condition.value in WAITED_VALUES:
        yield Stage(condition.value, condition.lowest)
