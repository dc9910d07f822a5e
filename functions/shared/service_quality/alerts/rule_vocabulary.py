"""The names that rules may use: of values, subjects and kinds of events, by what a release serves."""

from dataclasses import dataclass
from functools import cached_property

from service_quality.alerts.rules import CONVERSATION
from service_quality.alerts.stored_rules import above_parent
from service_quality.alerts.value_ranges import SCORE, ValueRange, range_of
from service_quality.conversations.event_values import EVENT_VALUES
from service_quality.events.kinds import FINDING_REPORTED, GROUPS, KINDS, TIME_REACHED
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import (
    EventValue,
    FeatureSet,
    Rate,
    Total,
    WindowRatio,
)
from service_quality.histories.windows import WINDOWS
from service_quality.tasks.declared_tasks import ENTITY_TASKS

#: The names of the scores of entities.
ENTITY_SCORES = tuple(task.score for task in ENTITY_TASKS)
#: What a rule may name under `kinds`.
KIND_NAMES = (*GROUPS, *KINDS, TIME_REACHED, FINDING_REPORTED)


@dataclass(frozen=True)
class Vocabulary:
    """The names of a feature set, in its order."""

    features: FeatureSet

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Every value by name: of the conversation, of histories, the score."""
        return tuple(dict.fromkeys((*EVENT_VALUES, SCORE, *ENTITY_SCORES, *self.features.names)))

    @cached_property
    def durations(self) -> frozenset[str]:
        """The values that are durations, in milliseconds."""
        return frozenset(name for name, found in self.ranges.items() if found.is_duration)

    @cached_property
    def ranges(self) -> dict[str, ValueRange]:
        """The range of every value by name."""
        own = (EventValue(name) for name in (*EVENT_VALUES, SCORE, *ENTITY_SCORES))
        return {one.name: range_of(one) for one in (*own, *self.features.features)}

    @cached_property
    def of_conversation(self) -> frozenset[str]:
        """The values that only an alert about the conversation shows."""
        own = (one.name for one in self.features.features if isinstance(one, EventValue))
        return frozenset((*EVENT_VALUES, SCORE, *own))

    @cached_property
    def rates(self) -> tuple[str, ...]:
        """The rates that can be compared with their parents' by an interval."""
        declared = (one.name for one in self.features.features if isinstance(one, Rate))
        return tuple(name for name in declared if above_parent(self.features, name, 1, 0.95) is not None)

    @cached_property
    def of_trials(self) -> frozenset[str]:
        """The rates and shares of histories, each of which few trials move by chance."""
        return frozenset(one.name for one in self.features.features if isinstance(one, Rate | WindowRatio))

    @cached_property
    def pasts(self) -> dict[str, tuple[str, ...]]:
        """By count of a short window, the counts of the same in longer windows; only counts that have some."""
        counts = [one for one in self.features.features if isinstance(one, Total)]
        longer = {one.name: tuple(long.name for long in counts if _contains(long, one)) for one in counts}
        return {name: names for name, names in longer.items() if names}

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Whom or what an alert can be about: what has an item that is read with every scored event."""
        return (CONVERSATION, *(name for name in self.features.plan.windows if not ENTITIES[name].stored_with))


def _contains(long: Total, short: Total) -> bool:
    is_same = (long.entity, long.fact) == (short.entity, short.fact)
    return is_same and WINDOWS[long.window].length > WINDOWS[short.window].length
