"""The learnt values: those that enough weight reaches from either side."""

import numpy as np
import pandas as pd
import pytest

from spark_jobs.learning.basis_columns import Range
from spark_jobs.learning.learnt_ranges import bucket_batch, learnt_from, least_support

NAN = float("nan")


def range_of(values, weights=None) -> Range | None:
    """The range of one feature whose values come in two batches; the least support is 30."""
    column = np.array(values, dtype=np.float32)[:, None]
    weight = np.ones(len(values)) if weights is None else np.array(weights, dtype=np.float64)
    half = len(values) // 2
    parts = [bucket_batch(column[part], weight[part]).to_pandas() for part in (slice(half), slice(half, None))]
    (found,) = learnt_from(pd.concat(parts), total=30_000, width=1).ranges
    return found


def test_range_ends_where_the_least_weight_lies_beyond():
    values = [0.0] * 40 + [10.0] * 40 + [20.0] * 40

    assert range_of(values) == (0.0, 20.0)


def test_few_extreme_rows_widen_no_range():
    values = [-5e6] * 29 + [10.0] * 40 + [20.0] * 40 + [9e9] * 29

    assert range_of(values) == (10.0, 20.0)


def test_weight_counts_and_not_rows():
    values, weights = [1.0] * 10 + [2.0] * 300 + [3.0] * 300, [3.0] * 10 + [0.1] * 300 + [0.05] * 300

    assert range_of(values, weights) == (1.0, 2.0)


def test_weight_that_falls_short_by_rounding_alone_is_reached():
    """Sums of weights differ by their order, which a cluster chooses for itself."""
    short = [29.999999999999996] * 2
    assert sum(short) < 60

    assert range_of([1.0, 2.0, 2.0, 3.0], [short[0], 100.0, 100.0, short[1]]) == (1.0, 3.0)


def test_feature_with_too_little_known_weight_has_no_range():
    assert range_of([NAN] * 500 + [1.0] * 29) is None
    assert range_of([NAN] * 5) is None


def test_feature_of_one_value_has_a_range_of_one_value():
    assert range_of([0.0, -0.0] * 50) == (0.0, 0.0)
    assert range_of([0.1] * 500 + [0.9] * 20 + [0.01] * 20) == pytest.approx((0.1, 0.1))


def test_range_needs_the_least_weight_at_both_of_its_ends():
    assert range_of([1.0] * 25 + [2.0] * 25) == (1.0, 1.0)


def test_order_of_negative_numbers_is_kept():
    values = np.r_[np.full(30, -100.0), np.linspace(-50, 50, 200), np.full(30, 100.0)]

    assert range_of(np.random.default_rng(1).permutation(values)) == (-100.0, 100.0)


def test_ends_are_values_that_occurred_within_one_percent_of_the_quantile():
    values = np.sort(np.random.default_rng(2).lognormal(10, 3, 20_000)).astype(np.float32)

    found = range_of(values)

    assert found is not None
    assert set(found) <= set(values.tolist())
    assert values[29] <= found[0] <= values[29] * 1.01
    assert values[-30] * 0.99 <= found[1] <= values[-30]


def test_least_support_keeps_pace_with_the_training_set():
    assert [least_support(total) for total in (0, 500, 30_000, 60_000, 1e6)] == [10, 10, 30, 60, 1000]
