"""The basis: how a linear model reads each feature. Data, interpreted by Spark, by scikit-learn and in ONNX.

A term turns one feature x into one column. Missing gives 0 in every term but "missing", which gives 1 there.

    value       x
    missing     1 where x is missing, else 0
    log         log(1 + max(x, 0))
    log_hinge   max(log(1 + max(x, 0)) − knot, 0)
    hinge       max(x − knot, 0)
    logit       log(p / (1 − p)) with p = x kept within [0.005, 0.995]
    equals      1 where x is the knot, for whole numbers
"""

from dataclasses import dataclass
from math import log

from service_quality.features.declarations import Age, EventValue, Feature, FeatureSet, Mean, Rate, Total
from service_quality.features.feature_set import BESIDE_THE_MODEL
from service_quality.instants import DAY, HOUR, MINUTE

OPERATIONS = ("value", "missing", "log", "log_hinge", "hinge", "logit", "equals")
LOWEST_RATE, HIGHEST_RATE = 0.005, 0.995


@dataclass(frozen=True, slots=True)
class Term:
    """One column of the basis; `knot` is used by the hinges and by "equals"."""

    feature: str
    operation: str
    knot: float = 0.0


_RESPONSE_KNOTS = (MINUTE, 4 * MINUTE, 10 * MINUTE, 25 * MINUTE, 90 * MINUTE, 8 * HOUR, DAY)
_WAIT_KNOTS = (5 * MINUTE, HOUR, DAY)
_PRICE_KNOTS = (100_000,)
_HOUR_KNOTS = (8.0, 12.0, 18.0)


def basis_of(features: FeatureSet) -> tuple[Term, ...]:
    """The terms of every feature that the model reads, in feature order."""
    read = [feature for feature in features.features if feature.name not in BESIDE_THE_MODEL]
    return tuple(term for feature in read for term in _terms(feature))


def _terms(feature: Feature) -> list[Term]:
    name = feature.name
    match feature:
        case Rate():
            return [Term(name, "logit")]
        case Total():
            return [Term(name, "log")]
        case Age() | Mean():
            return [Term(name, "log"), Term(name, "missing")]
        case EventValue("first_response_at_least_ms"):
            return _spline(name, _RESPONSE_KNOTS)
        case EventValue("price_minor"):
            return _spline(name, _PRICE_KNOTS)
        case EventValue("opened_hour"):
            return [Term(name, "value"), *(Term(name, "hinge", knot) for knot in _HOUR_KNOTS)]
        case EventValue(value) if value.endswith("_ms"):
            return _spline(name, _WAIT_KNOTS)
        case _:
            return [Term(name, "value")]


def _spline(name: str, knots: tuple[int, ...]) -> list[Term]:
    """A piecewise linear function of log(1 + x), with a level of its own for missing."""
    hinges = [Term(name, "log_hinge", round(log(1 + knot), 4)) for knot in knots]
    return [Term(name, "log"), *hinges, Term(name, "missing")]
