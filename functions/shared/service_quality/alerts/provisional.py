"""Which figures of an alert wait for a calendar: they count replies that a year without a published decree judged."""

from collections.abc import Iterable, Iterator, Mapping

from service_quality.conversations.wait_stages import WAITED_SHARE
from service_quality.features.declarations import EventValue, Feature, FeatureSet, Total

#: The facts that a target judges, in business time where it says so.
_JUDGED = ("on_time_replies", "slow_replies", "half_spent_replies", "late_replies")
_WAIT = EventValue(WAITED_SHARE)


def is_judged(feature: Feature) -> bool:
    """Whether a feature reads how many replies were on time, late or slow, or how much of its time a wait has taken.

    >>> is_judged(Total("shop", "slow_replies", "7d")), is_judged(Total("shop", "reply_ms", "7d"))
    (True, False)
    """
    return feature == _WAIT or any(fact in _JUDGED for _, _, fact in feature.reads)


def provisional_counts(feature: Feature) -> Iterator[str]:
    """The names of the features that count the provisional replies among those that a judged feature reads."""
    return (
        Total(entity, "provisional_replies", window).name for entity, window, fact in feature.reads if fact in _JUDGED
    )


def are_provisional(
    names: Iterable[str], values: Mapping[str, float | int | None], features: FeatureSet, *, wait: bool = False
) -> bool:
    """Whether one of these values is a judged feature with a provisional reply behind it; `values` has its counts.

    `wait` says whether the open wait is provisional, and so the share of its time that it has taken.
    """
    named = set(names)
    if wait and WAITED_SHARE in named:
        return True
    judged = (feature for feature in features.features if feature.name in named)
    return any((values.get(count) or 0) > 0 for feature in judged for count in provisional_counts(feature))
