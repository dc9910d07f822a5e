"""The stages of a wait at which rules may begin to hold if nothing happens: the limits of their tiers."""

from collections.abc import Iterator, Sequence

from service_quality.alerts.rules import AllOf, AnyOf, AtLeast, Condition, Rule
from service_quality.conversations.deadlines import WAITED_VALUES, Stage


def stages_of(rules: Sequence[Rule]) -> tuple[Stage, ...]:
    """Every stage that a rule about conversations waits for, each once, in order."""
    found = {
        stage
        for rule in rules
        if rule.subject == "conversation"
        for _, condition in rule.tiers
        for stage in _stages_in(condition)
    }
    return tuple(sorted(found))


def is_timed(rule: Rule) -> bool:
    """Whether a rule waits for time: it is raised where a stage is reached, and nowhere else."""
    return bool(stages_of((rule,)))


def _stages_in(condition: Condition) -> Iterator[Stage]:
    if isinstance(condition, AllOf | AnyOf):
        for one in condition.conditions:
            yield from _stages_in(one)
    elif isinstance(condition, AtLeast) and condition.value in WAITED_VALUES and not isinstance(condition.limit, str):
        yield Stage(condition.value, condition.limit * condition.times)
