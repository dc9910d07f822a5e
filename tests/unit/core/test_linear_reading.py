"""What a task's linear model reads, and which directions bind its score."""

from itertools import pairwise
from math import log

import pytest

from service_quality.features.expectations import Direction, expectation_of
from service_quality.instants import DAY
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION
from service_quality.tasks.linear_reading import expectation_for, terms_of


def test_model_of_dissatisfaction_reads_nothing_that_is_beside_it():
    read = {term.feature for term in terms_of(DISSATISFACTION)}

    assert read == set(DISSATISFACTION.features.names) - DISSATISFACTION.beside
    assert len(read) < len(DISSATISFACTION.features.names)


def test_model_of_churn_reads_every_feature_of_its_own():
    assert {term.feature for term in terms_of(CHURN)} == set(CHURN.features.names)


@pytest.mark.parametrize("part", ["time_since_orders", "time_since_first_orders", "purchase_span", "purchase_gap"])
def test_durations_of_a_year_bend_at_14_30_and_60_days(part):
    terms = [term for term in terms_of(CHURN) if term.feature == f"customer_{part}_365d"]

    ramps = [(term.knot, term.upper) for term in terms if term.operation == "log_ramp"]
    days = [pytest.approx(log(1 + days * DAY), abs=1e-4) for days in (0, 14, 30, 60, 365)]
    assert [[*ramp] for ramp in ramps] == [[*ends] for ends in pairwise(days)]
    assert [term.operation for term in terms if term.operation != "log_ramp"] == ["missing"]


def test_directions_bind_dissatisfaction_alone():
    (complaints,) = (feature for feature in CHURN.features.features if feature.name == "customer_complaints_90d")

    of_churn, of_dissatisfaction = (expectation_for(task, complaints) for task in (CHURN, DISSATISFACTION))

    assert (of_churn.direction, of_dissatisfaction.direction) == (Direction.FREE, Direction.RISES)
    assert of_dissatisfaction == expectation_of(complaints)
    assert (of_churn.highest, of_churn.largest_step) == (of_dissatisfaction.highest, of_dissatisfaction.largest_step)
