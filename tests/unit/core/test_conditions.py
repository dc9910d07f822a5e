"""The algebra of conditions: what holds, what fails, what neither does, and intervals beside their textbook form."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.plots import wilson_interval
from service_quality.alerts.conditions import (
    SQUARED_QUANTILES,
    AboveParent,
    AbovePast,
    AllOf,
    AnyOf,
    AtLeast,
    Below,
    Between,
    HeldFor,
    Missing,
    Not,
    OneOf,
    decisive_values,
)
from service_quality.alerts.stored_rules import above_parent, above_past
from service_quality.features.declarations import FeatureSet, Rate, Total

RATE = AboveParent("r", "p", "n", prior_weight=30, at_least=20, confidence=0.95)
PAST = AbovePast("day", "month", share=1 / 30, at_least=5, past_at_least=10, times=3, confidence=0.99)
LEAVES = (
    AtLeast("a", 3),
    Below("a", 3),
    Between("a", 1, 5),
    OneOf("a", (2, 3)),
    AtLeast("a", "b", times=2),
    HeldFor(Below("a", 3), 1, "held"),
    RATE,
    PAST,
)


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        (Between("a", 1, 5), {"a": 1}, True),
        (Between("a", 1, 5), {"a": 5}, False),
        (Between("a", 1, 5), {}, False),
        (OneOf("a", (5, 6)), {"a": 6}, True),
        (OneOf("a", (5, 6)), {"a": 4}, False),
        (OneOf("a", (5, 6)), {"a": None}, False),
        (Not(AtLeast("a", 3)), {"a": 2}, True),
        (Not(AtLeast("a", 3)), {"a": 3}, False),
        (Not(AtLeast("a", 3)), {"a": None}, False),
        (Not(Missing("a")), {"a": 0}, True),
        (Not(AllOf((AtLeast("a", 1), AtLeast("b", 1)))), {"a": 0}, True),
        (Not(AllOf((AtLeast("a", 1), AtLeast("b", 1)))), {"a": 1}, False),
        (Not(AnyOf((AtLeast("a", 1), AtLeast("b", 1)))), {"a": 0}, False),
        (Not(AnyOf((AtLeast("a", 1), AtLeast("b", 1)))), {"a": 0, "b": 0}, True),
        (HeldFor(AtLeast("a", 1), 5, "held"), {"a": 1, "held": 5}, True),
        (HeldFor(AtLeast("a", 1), 5, "held"), {"a": 1, "held": 4}, False),
        (HeldFor(AtLeast("a", 1), 5, "held"), {"a": 1}, False),
        (Not(HeldFor(AtLeast("a", 1), 5, "held")), {"a": 1, "held": 4}, True),
        (Not(HeldFor(AtLeast("a", 1), 5, "held")), {"a": 1, "held": 5}, False),
        (Not(HeldFor(AtLeast("a", 1), 5, "held")), {"a": 0}, True),
        (Not(HeldFor(AtLeast("a", 1), 5, "held")), {"a": None}, False),
    ],
)
def test_condition_holds_only_over_what_is_known(condition, values, holds):
    assert condition.holds(values) is holds


@pytest.mark.parametrize("condition", LEAVES)
def test_missing_value_neither_satisfies_nor_contradicts(condition):
    values = dict.fromkeys(condition.reads)

    assert not condition.holds(values)
    assert not condition.fails(values)
    assert not Not(condition).holds(values)


NUMBERS = st.none() | st.integers(0, 40)


@given(st.sampled_from(LEAVES), st.fixed_dictionaries(dict.fromkeys(("a", "b", "n", "day", "month"), NUMBERS)))
def test_condition_never_holds_and_fails_at_once_and_not_is_its_mirror(condition, values):
    values |= {"r": 0.3, "p": 0.2}

    assert not (condition.holds(values) and condition.fails(values))
    assert (Not(condition).holds(values), Not(condition).fails(values)) == (
        condition.fails(values),
        condition.holds(values),
    )
    assert Not(AllOf((condition, condition))).holds(values) == AnyOf((Not(condition), Not(condition))).holds(values)


@given(hits=st.integers(0, 200), count=st.integers(1, 200), parent=st.floats(0.01, 0.9), weight=st.integers(1, 200))
def test_rate_is_above_its_parent_where_wilsons_interval_says_so(hits, count, parent, weight):
    hits = min(hits, count)
    served = (hits + weight * parent) / (count + weight)
    condition = AboveParent("r", "p", "n", prior_weight=weight, at_least=1, confidence=0.95)

    low, _ = wilson_interval(hits / count, count)

    if abs(low - parent) > 1e-6:  # at the edge itself rounding decides
        assert condition.holds({"r": served, "p": parent, "n": count}) == (low > parent)


def test_rate_over_too_few_is_never_above_its_parent():
    values = {"r": 0.9, "p": 0.2, "n": 19}

    assert not RATE.holds(values)
    assert RATE.fails(values)
    assert RATE.holds(values | {"n": 20})


@given(recent=st.integers(0, 60), older=st.integers(0, 400))
def test_count_is_above_its_past_where_the_interval_of_its_share_excludes_an_even_spread(recent, older):
    whole = recent + older
    found = PAST.holds({"day": recent, "month": whole})

    if recent < 5 or older < 10 or recent < 3 * whole / 30:
        assert not found
        return
    share, sigmas = recent / whole, sqrt(SQUARED_QUANTILES[0.99])
    expected = share - PAST.share > sigmas * sqrt(PAST.share * (1 - PAST.share) / whole)
    assert found == expected


def test_condition_names_the_values_that_it_reads():
    condition = AllOf((AtLeast("a", "b"), Not(AnyOf((Missing("c"), RATE)))))

    assert condition.reads == ("a", "b", "c", "r", "p", "n")
    assert PAST.reads == ("day", "month")


def test_what_makes_a_condition_hold_is_named():
    values = {"a": 5, "b": 1, "c": 0}

    assert [*decisive_values(AnyOf((AtLeast("a", 9), Not(AtLeast("c", 1)))), values)] == ["c"]
    assert [*decisive_values(Not(AtLeast("c", 0)), values)] == []


_SHOP = Rate("shop", "dissatisfied", "7d", prior_weight=3, parent=0.17)
_AGENT = Rate("agent", "dissatisfied", "30d", prior_weight=2, parent=_SHOP)


@pytest.mark.parametrize(
    ("features", "rate", "is_there"),
    [
        ((_SHOP, _AGENT, Total("agent", "ratings", "30d")), _AGENT.name, True),
        ((_AGENT, Total("agent", "ratings", "30d")), _AGENT.name, False),
        ((_SHOP, _AGENT), _AGENT.name, False),
        ((_SHOP, Total("shop", "ratings", "7d")), _SHOP.name, False),
        ((_SHOP, _AGENT, Total("agent", "ratings", "30d")), "mood", False),
    ],
)
def test_rate_is_compared_only_where_its_parent_and_its_trials_are_served(features, rate, is_there):
    found = above_parent(FeatureSet(features), rate, 20, 0.95)

    assert (found is not None) is is_there
    assert found is None or (found.trials, found.prior_weight) == ("agent_ratings_30d", 2)


@pytest.mark.parametrize(
    ("recent", "past", "share"),
    [
        ("sku_complaints_1d", "sku_complaints_30d", 1 / 30),
        ("sku_complaints_30d", "sku_complaints_1d", None),
        ("sku_complaints_1d", "shop_complaints_30d", None),
        ("sku_complaints_1d", "sku_complaints_1d", None),
    ],
)
def test_count_is_compared_only_with_longer_windows_of_the_same(recent, past, share):
    counts = (Total("sku", "complaints", "1d"), Total("sku", "complaints", "30d"), Total("shop", "complaints", "30d"))

    found = above_past(FeatureSet(counts), AbovePast(recent, past, 0, 5, 5, 2, 0.95))

    assert (found.share if found else None) == share
