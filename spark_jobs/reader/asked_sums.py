"""What a set of features asks of histories: which sums and times, of which entities."""

from collections.abc import Sequence
from typing import NamedTuple

from service_quality.features.declarations import Feature, FeatureSet, compute_features
from service_quality.histories.history import Column

TOTAL, TIME_SINCE, TIME_SINCE_FIRST = "total", "time_since", "time_since_first"


class Asked(NamedTuple):
    """The sum of a fact in a window of an entity, or the time since its last or its first tile."""

    column: Column
    what: str


class _Asking:
    """A reader that notes what it is asked for; its numbers mean nothing."""

    def __init__(self) -> None:
        self.asked: dict[Asked, None] = {}

    def total(self, entity: str, window: str, fact: str) -> float:
        self.asked[Asked(Column(entity, window, fact), TOTAL)] = None
        return 1.0

    def time_since(self, entity: str, window: str, fact: str) -> float:
        self.asked[Asked(Column(entity, window, fact), TIME_SINCE)] = None
        return 1.0

    def time_since_first(self, entity: str, window: str, fact: str) -> float:
        self.asked[Asked(Column(entity, window, fact), TIME_SINCE_FIRST)] = None
        return 1.0

    def ratio(self, numerator: float, denominator: float) -> float:
        return 1.0

    def shrink(self, hits: float, trials: float, parent: float, prior_weight: float) -> float:
        return 1.0

    def combine(self, operation: str, first: float, second: float) -> float:
        return 1.0

    def count_positive(self, numbers: Sequence[float]) -> float:
        return 1.0

    def quantile(self, counts: Sequence[float], bounds: Sequence[int], share: float) -> float:
        return 1.0

    def event(self, name: str) -> float:
        return 1.0

    def memoized(self, feature: Feature) -> float:
        return feature.compute(self)


def asked_by(features: FeatureSet) -> Sequence[Asked]:
    """Everything that the features ask, each once, in order of entity, window and fact."""
    asking = _Asking()
    compute_features(features.features, asking)
    return sorted(asking.asked)
