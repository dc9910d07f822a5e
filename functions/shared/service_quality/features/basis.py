"""The basis: the terms by which a linear model reads each feature. Data, interpreted by Spark, scikit-learn and ONNX.

A term turns one feature x into one column. First x is held within the range that was learnt from the training set.
Every column but "missing" and "equals" rises with x, so the sign of a coefficient is the direction in which its term
moves the score; a ramp is flat outside its own segment, so an unlearnt ramp leaves its segment flat.

    value       x
    missing     1 where x is missing, else 0
    log         log(1 + max(x, 0))
    log_ramp    log(1 + max(x, 0)) kept within [knot, upper], less knot
    ramp        x kept within [knot, upper], less knot
    logit       log(p / (1 − p)) with p = x kept within [0.005, 0.995]
    equals      1 where x is the knot, for whole numbers

Where x is missing, every term but "missing" takes its mean over the known rows, so that it does not move the score:
only the term "missing" does, if it was learnt.
"""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from math import log

from service_quality.features.declarations import (
    AmountTotal,
    Combined,
    Distinct,
    EventValue,
    Feature,
    FeatureSet,
    Mean,
    Quantile,
    Rate,
    TimeSince,
    TopShare,
    Total,
)
from service_quality.features.feature_set import BESIDE_THE_MODEL
from service_quality.histories.windows import WINDOWS
from service_quality.instants import DAY, HOUR, MINUTE

OPERATIONS = ("value", "missing", "log", "log_ramp", "ramp", "logit", "equals")
LOWEST_RATE, HIGHEST_RATE = 0.005, 0.995


@dataclass(frozen=True, slots=True)
class Term:
    """One column of the basis; `knot` is used by the ramps and by "equals", `upper` by the ramps."""

    feature: str
    operation: str
    knot: float = 0.0
    upper: float = 0.0


_LONGEST_WAIT, _HIGHEST_PRICE = 90 * DAY, 10**9
_RESPONSE_KNOTS = (0, MINUTE, 4 * MINUTE, 10 * MINUTE, 25 * MINUTE, 90 * MINUTE, 8 * HOUR, DAY, _LONGEST_WAIT)
_WAIT_KNOTS = (0, 5 * MINUTE, HOUR, DAY, _LONGEST_WAIT)
_PRICE_KNOTS = (0, 100_000, _HIGHEST_PRICE)
_HOUR_KNOTS = (0.0, 8.0, 12.0, 18.0, 24.0)


#: A year of a customer bends where a purchase of a fortnight, of a month and of two is due again.
_YEAR_KNOTS = (0, 14 * DAY, 30 * DAY, 60 * DAY, WINDOWS["365d"].length)


def basis_of(features: FeatureSet, *, beside: Collection[str] = BESIDE_THE_MODEL) -> tuple[Term, ...]:
    """The terms of every feature that the model reads, in feature order: all but those named in `beside`."""
    read = [feature for feature in features.features if feature.name not in beside]
    return tuple(term for feature in read for term in _terms(feature))


def _knots(feature: Feature) -> tuple[int, ...]:
    """Where the log of a feature bends; empty for one that is read otherwise."""
    match feature:
        case EventValue("first_response_at_least_ms"):
            return _RESPONSE_KNOTS
        case EventValue("price_minor"):
            return _PRICE_KNOTS
        case EventValue(value) if value.endswith("_ms"):
            return _WAIT_KNOTS
        case TimeSince(_, _, "365d") | Combined(_, "duration"):
            return _YEAR_KNOTS
        case _:
            return ()


def _terms(feature: Feature) -> list[Term]:
    name = feature.name
    if knots := _knots(feature):
        return _spline(name, knots)
    match feature:
        case Rate():
            return [Term(name, "logit")]
        case AmountTotal() | TimeSince() | Mean() | Quantile() | Combined():
            return [Term(name, "log"), Term(name, "missing")]
        case TopShare():
            return [Term(name, "value"), Term(name, "missing")]
        case Total() | Distinct():
            return [Term(name, "log")]
        case EventValue("opened_hour"):
            return [Term(name, "ramp", knot, upper) for knot, upper in pairwise(_HOUR_KNOTS)]
        case _:
            return [Term(name, "value")]


def _spline(name: str, knots: tuple[int, ...]) -> list[Term]:
    """A piecewise linear function of log(1 + x): a ramp for each segment, and a level for missing."""
    logs = [round(log(1 + knot), 4) for knot in knots]
    return [*(Term(name, "log_ramp", knot, upper) for knot, upper in pairwise(logs)), Term(name, "missing")]
