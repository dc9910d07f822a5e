"""The scaling that holds the fit to the declared directions and steps."""

from math import inf, log

import numpy as np
import pytest

from service_quality.features.basis import Term
from service_quality.tasks.declared_tasks import DISSATISFACTION
from spark_jobs.learning.term_scaling import Scaling, coefficient_bounds

NAN = float("nan")


def bounds_of(feature: str, operation: str, *, scale: float = 2.0) -> tuple[float, float]:
    scaling = Scaling(means=(0.0,), scales=(scale,), active=(100.0,), inactive=(100.0,))
    found = coefficient_bounds(DISSATISFACTION, [Term(feature, operation, 0.0, 1.0)], scaling)
    return found.lowest[0], found.highest[0]


def test_longer_wait_may_only_raise_and_only_so_fast():
    lowest, highest = bounds_of("waiting_ms", "log_ramp")

    assert lowest == 0
    assert highest == pytest.approx(2 * 0.75 / log(2))


def test_worse_rate_may_only_raise():
    assert bounds_of("supervisor_dissatisfied_rate_30d", "logit") == (0.0, inf)
    assert bounds_of("conversation_complaints", "value") == (0.0, inf)


def test_price_may_go_either_way_but_not_leap():
    lowest, highest = bounds_of("price_minor", "log_ramp", scale=0.5)

    assert -lowest == highest == pytest.approx(0.5 * 0.75 / log(2))


def test_missing_has_no_direction():
    assert bounds_of("waiting_ms", "missing") == (-inf, inf)


def test_term_that_was_left_out_has_bounds_that_multiply_with_its_deviation():
    """MLlib multiplies bounds by deviations; infinity times zero would be no number."""
    for feature, operation in (("price_minor", "log_ramp"), ("customer_messages", "value"), ("price_minor", "missing")):
        assert np.isfinite(np.multiply(bounds_of(feature, operation, scale=0.0), 0.0)).all()


def test_missing_and_left_out_terms_are_standardised_to_nothing():
    scaling = Scaling(means=(1.0, 5.0), scales=(2.0, 0.0), active=(1.0, 1.0), inactive=(1.0, 1.0))

    assert scaling.standardise(np.array([[3.0, 9.0], [NAN, NAN]])).tolist() == [[1.0, 0.0], [0.0, 0.0]]
