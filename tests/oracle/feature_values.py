"""The values of declared features at one event or instant, each by a loop over facts."""

import struct
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import (
    AmountTotal,
    Combined,
    Distinct,
    EventValue,
    Feature,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TimeSinceFirst,
    TopShare,
    Total,
    WindowRatio,
)
from tests.oracle.columns import NaiveColumn
from tests.oracle.entities import Attributes, entity_key
from tests.oracle.event_values import Values, values_at
from tests.oracle.fact_names import GROUPS, RATES, REPLY_BUCKETS
from tests.oracle.facts import Fact
from tests.oracle.outcome import attributes_after
from tests.oracle.spans import WINDOWS, tile_start, window_start
from tests.oracle.story import Instant, Story

Value = float | int | None


class Histories(Protocol):
    """The clock, and every fact that entered, by entity key; of a column that began later, what entered before."""

    clock: int
    entered: dict[str, list[Fact]]
    unread: dict[NaiveColumn, dict[str, int]]
    begun: dict[NaiveColumn, int]


@dataclass(frozen=True)
class FeatureValues:
    """The features at an event or an instant, each by a loop over every fact that entered before it.

    `until` is the story up to there. `about` names the entities instead of the story.
    """

    histories: Histories
    moment: InteractionEvent | Instant
    until: Story
    is_void: bool = False
    about: Attributes | None = None

    def value(self, feature: Feature) -> Value:
        match feature:
            case EventValue(name):
                return self._values[name]
            case Total(entity, fact, window):
                is_unknown = isinstance(feature, AmountTotal) and self._attributes["currency"] is None
                return None if is_unknown else self._sum(entity, fact, window)
            case Mean(entity, fact, per, window):
                return _quotient(self._sum(entity, fact, window), self._sum(entity, per, window))
            case Distinct() | Combined():
                return self._of_several(feature)
            case Quantile(entity, share, window):
                return self._quantile(entity, share, window)
            case WindowRatio(entity, fact, recent, window, prior_weight):
                (part, _), (whole, _) = WINDOWS[recent], WINDOWS[window]
                hits, trials = self._sum(entity, fact, recent), self._sum(entity, fact, window)
                return _shrunk(hits, trials, part / whole, prior_weight)
            case TimeSince(entity, fact, window):
                return self._time_since(entity, fact, window, min if isinstance(feature, TimeSinceFirst) else max)
            case Rate(entity, rate, window, prior_weight, parent):
                hits, trials = (self._sum(entity, fact, window) for fact in RATES[rate])
                expected = self.value(parent) if isinstance(parent, Rate) else parent
                return _shrunk(hits, trials, expected, prior_weight)

    def vector(self, features: Iterable[Feature]) -> bytes:
        """The bytes of the features' vector."""
        values = [self.value(feature) for feature in features]
        return struct.pack(f"<{len(values)}f", *(float("nan") if value is None else value for value in values))

    @cached_property
    def customer(self) -> str | None:
        """The key of the customer."""
        return entity_key("customer", self._attributes)

    def _of_several(self, feature: Distinct | Combined) -> Value:
        if isinstance(feature, Combined):
            return _put_together(feature.operation, self.value(feature.first), self.value(feature.second))
        counts = [self._sum(feature.entity, fact, feature.window) for fact in GROUPS[feature.groups]]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            return None
        if isinstance(feature, TopShare):
            return max(known) / sum(known) if sum(known) else None
        return len([count for count in known if count])

    @cached_property
    def _values(self) -> Values:
        return values_at(self.moment, self.until, is_void=self.is_void)

    @cached_property
    def _attributes(self) -> Attributes:
        return attributes_after(self.until, is_void=self.is_void) if self.about is None else self.about

    def _inside(self, entity: str, fact: str, window: str) -> list[Fact]:
        key = entity_key(entity, self._attributes)
        oldest = window_start(self.histories.clock, window)
        unread = self.histories.unread.get((entity, window, fact), {}).get(key or "", 0)
        return [f for f in self.histories.entered.get(key or "", [])[unread:] if f.name == fact and f.at >= oldest]

    def _is_incomplete(self, entity: str, fact: str, window: str) -> bool:
        """Whether the window still holds an instant of before the column began, or of the same tile."""
        begun = self.histories.begun.get((entity, window, fact))
        return begun is not None and window_start(self.histories.clock, window) <= tile_start(begun, window)

    def _sum(self, entity: str, fact: str, window: str) -> int | None:
        if self._is_incomplete(entity, fact, window):
            return None
        return max(0, sum(f.value for f in self._inside(entity, fact, window)))

    def _quantile(self, entity: str, share: float, window: str) -> float | None:
        """The place of the share in the row of all counted waits, each spread evenly within its bucket."""
        counts = [self._sum(entity, fact, window) for fact, _ in REPLY_BUCKETS]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts) or sum(known) == 0:
            return None
        wanted, uppers = share * sum(known), [upper for _, upper in REPLY_BUCKETS]
        bucket = next(n for n in range(len(known)) if known[n] and sum(known[: n + 1]) >= wanted)
        lower = uppers[bucket - 1] if bucket else 0
        return lower + (uppers[bucket] - lower) * ((wanted - sum(known[:bucket])) / known[bucket])

    def _time_since(self, entity: str, fact: str, window: str, of_tiles: Callable[[Iterable[int]], int]) -> int | None:
        if self._is_incomplete(entity, fact, window):
            return None
        tiles: Counter[int] = Counter()
        for f in self._inside(entity, fact, window):
            tiles[tile_start(f.at, window)] += f.value
        held = [start for start, value in tiles.items() if value > 0]
        return self.histories.clock - of_tiles(held) if held else None


def _put_together(operation: str, first: Value, second: Value) -> Value:
    if first is None or second is None:
        return None
    if operation == "per":
        return first / second if second else None
    return {"plus": first + second, "minus": first - second, "least": min(first, second), "most": max(first, second)}[
        operation
    ]


def _quotient(numerator: int | None, denominator: int | None) -> float | None:
    return numerator / denominator if numerator is not None and denominator else None


def _shrunk(hits: int | None, trials: int | None, expected: float | None, prior_weight: float) -> float | None:
    if hits is None or trials is None or expected is None:
        return None
    return (hits + prior_weight * expected) / (trials + prior_weight)
