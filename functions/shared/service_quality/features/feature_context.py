"""The online reader: features of one event from the histories of its entities, at one clock."""

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import add, sub

from service_quality.features.declarations import LEAST, MINUS, MOST, PLUS, Feature
from service_quality.histories.history import Column, History, WindowSums

Value = int | float | None

_OPERATIONS: Mapping[str, Callable[[float, float], Value]] = {PLUS: add, MINUS: sub, LEAST: min, MOST: max}


class FeatureContext:
    """The context of a scored event: histories before it, and the conversation including it.

    `histories` holds each entity's history by entity name; None or absent for an entity without one. `missing` are the
    columns whose sums are incomplete at the clock.
    """

    __slots__ = ("_clock", "_histories", "_known", "_missing", "_values")

    def __init__(
        self,
        histories: Mapping[str, History | None],
        values: Mapping[str, Value],
        clock: int,
        missing: Collection[Column] = (),
    ) -> None:
        for history in histories.values():
            if history is not None:
                history.expire(clock)
        self._histories = histories
        self._values = values
        self._clock = clock
        self._missing = missing
        self._known: dict[int, Value] = {}  # by identity: declarations are few and live as long as the process

    def total(self, entity: str, window: str, fact: str) -> Value:
        if self._missing and (entity, window, fact) in self._missing:
            return None
        history = self._histories.get(entity)
        if history is None:
            return 0
        sums = history.windows[window]  # `total`, spelled out: every feature comes by here
        value = sums.sums[sums.names.index(fact)]
        # Never below zero: events on the log while an import was made may be subtracted twice until they are joined.
        return value if value > 0 else 0

    def time_since(self, entity: str, window: str, fact: str) -> Value:
        return self._time_since(entity, window, fact, WindowSums.newest)

    def time_since_first(self, entity: str, window: str, fact: str) -> Value:
        return self._time_since(entity, window, fact, WindowSums.oldest)

    def _time_since(self, entity: str, window: str, fact: str, tile: Callable[[WindowSums, str], int | None]) -> Value:
        if self._missing and (entity, window, fact) in self._missing:
            return None
        history = self._histories.get(entity)
        if history is None:
            return None
        start = tile(history.windows[window], fact)
        return None if start is None else self._clock - start

    def ratio(self, numerator: Value, denominator: Value) -> Value:
        return numerator / denominator if denominator and numerator is not None else None

    def shrink(self, hits: Value, trials: Value, parent: Value, prior_weight: float) -> Value:
        if hits is None or trials is None or parent is None:
            return None
        return (hits + prior_weight * parent) / (trials + prior_weight)

    def combine(self, operation: str, first: Value, second: Value) -> Value:
        if first is None or second is None:
            return None
        return _OPERATIONS[operation](first, second)

    def count_positive(self, numbers: Sequence[Value]) -> Value:
        return None if None in numbers else sum(number is not None and number > 0 for number in numbers)

    def quantile(self, counts: Sequence[Value], bounds: Sequence[int], share: float) -> Value:
        known = [count for count in counts if count is not None]
        if len(known) < len(counts) or not sum(known):
            return None
        rank, before, low = share * sum(known), 0.0, 0
        for count, bound in zip(known, bounds, strict=True):
            if count and before + count >= rank:
                return low + (bound - low) * ((rank - before) / count)
            before, low = before + count, bound
        return None

    def event(self, name: str) -> Value:
        return self._values[name]

    def memoized(self, feature: Feature) -> Value:
        known = id(feature)
        if known not in self._known:
            self._known[known] = feature.compute(self)
        return self._known[known]
