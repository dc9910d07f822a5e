"""The declared direction of a score while one feature moves."""

import pytest

from service_quality.features.declarations import RATES, EventValue, Mean, Rate, TimeSince, Total, WindowRatio
from service_quality.features.expectations import (
    LARGEST_CONTRIBUTION,
    MORE_IS_BETTER,
    MORE_IS_EITHER,
    MORE_IS_WORSE,
    Direction,
    direction_of,
    expectation_of,
)
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY


@pytest.mark.parametrize(
    ("feature", "direction"),
    [
        (EventValue("waiting_ms"), Direction.RISES),
        (EventValue("first_response_at_least_ms"), Direction.RISES),
        (EventValue("longest_later_reply_ms"), Direction.RISES),
        (EventValue("conversation_complaints"), Direction.RISES),
        (EventValue("reopenings"), Direction.RISES),
        (EventValue("price_minor"), Direction.FREE),
        (EventValue("opened_hour"), Direction.FREE),
        (EventValue("transfers"), Direction.FREE),
        (Rate("agent", "dissatisfied", "30d", prior_weight=1, parent=0.2), Direction.RISES),
        (Rate("agent", "slow", "7d", prior_weight=1, parent=0.2), Direction.RISES),
        (Rate("sku", "returned", "90d", prior_weight=1, parent=0.2), Direction.RISES),
        (Rate("agent", "on_time", "7d", prior_weight=1, parent=0.2), Direction.FALLS),
        (Rate("agent", "resolved", "7d", prior_weight=1, parent=0.2), Direction.FALLS),
        (Total("customer", "complaints", "90d"), Direction.RISES),
        (Total("customer", "orders", "90d"), Direction.FREE),
        (Mean("agent", "reply_ms", "timed_replies", "1d"), Direction.RISES),
        (TimeSince("customer", "orders", "90d"), Direction.FREE),
        (WindowRatio("category", "contacts", "1d", "7d", prior_weight=20), Direction.FREE),
    ],
    ids=lambda given: given.name,
)
def test_direction_is_declared_for_what_can_only_be_worse(feature, direction):
    assert direction_of(feature) is direction


def test_every_rate_has_one_direction():
    declared = sorted([*MORE_IS_WORSE, *MORE_IS_BETTER, *MORE_IS_EITHER])

    assert declared == sorted(RATES), (
        f"found {declared}, expected each of {sorted(RATES)} once: features/expectations.py says whether more of a rate"
        " is worse, better or either"
    )


def test_every_dissatisfied_rate_in_service_rises():
    rates = [feature for feature in FEATURES.features if "dissatisfied_rate" in feature.name]

    assert len(rates) > 10
    assert {direction_of(feature) for feature in rates} == {Direction.RISES}


@pytest.mark.parametrize("feature", FEATURES.features, ids=FEATURES.names)
def test_plausible_range_starts_at_zero_and_its_steps_are_bounded(feature):
    found = expectation_of(feature)

    assert found.lowest == 0 < found.highest
    assert found.scale in ("log", "linear")
    assert 0 < found.largest_step <= LARGEST_CONTRIBUTION


def test_plausible_range_follows_from_the_unit():
    highest = {feature.name: expectation_of(feature).highest for feature in FEATURES.features}

    assert highest["waiting_ms"] == highest["customer_browse_ms_1d"] == 90 * DAY
    assert highest["agent_reply_ms_per_timed_replies_1d"] == highest["customer_time_since_orders_90d"] == 90 * DAY
    assert highest["price_minor"] == highest["customer_currency_order_amount_minor_90d"] == 1e9
    assert highest["agent_dissatisfied_rate_30d"] == highest["category_contacts_1d_of_7d"] == 1
    assert highest["opened_hour"] == 23
    assert highest["customer_orders_90d"] == 1000
