"""The columns of histories that declared features are computed from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from service_quality.features.declarations import (
    Combined,
    Distinct,
    Feature,
    FeatureSet,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    Total,
    WindowRatio,
)
from tests.oracle.fact_names import GROUPS, RATES, REPLY_BUCKETS

#: One fact in one window of one entity: entity, window, fact.
NaiveColumn = tuple[str, str, str]


def kept_facts(features: Iterable[Feature]) -> dict[str, set[str]]:
    """The facts that each entity's histories keep: those that a feature reads."""
    kept: dict[str, set[str]] = defaultdict(set)
    for entity, _, fact in (column for feature in features for column in _reads(feature)):
        kept[entity].add(fact)
    return kept


def columns_of(features: FeatureSet) -> frozenset[NaiveColumn]:
    """The columns that features are computed from."""
    return frozenset(column for feature in features.features for column in _reads(feature))


def _reads(feature: Feature) -> Iterator[NaiveColumn]:
    """The columns that a feature is computed from."""
    match feature:
        case Total(entity, fact, window) | TimeSince(entity, fact, window):
            yield entity, window, fact
        case WindowRatio(entity, fact, recent, window, _):
            yield from ((entity, recent, fact), (entity, window, fact))
        case Distinct(entity, groups, window):
            yield from ((entity, window, fact) for fact in GROUPS[groups])
        case Combined(_, _, _, first, second):
            yield from (*_reads(first), *_reads(second))
        case Quantile(entity, _, window):
            yield from ((entity, window, fact) for fact, _ in REPLY_BUCKETS)
        case Mean(entity, fact, per, window):
            yield from ((entity, window, fact), (entity, window, per))
        case Rate(entity, rate, window, _, parent):
            yield from ((entity, window, fact) for fact in RATES[rate])
            if isinstance(parent, Rate):
                yield from _reads(parent)
