"""Metrics against numbers worked out by hand."""

from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spark_jobs.learning.metrics import (
    calibration_curve,
    calibration_error,
    compute_metrics,
    figure_text,
    ranking_curve,
)

UNIT = st.floats(0, 1)


def test_calibration_error_of_a_worked_example():
    """15 bins of two: 13 of them right on the mean, one off by .3, one by .1."""
    probabilities = np.repeat(np.linspace(0.02, 0.3, 15), 2)
    probabilities[-2:], probabilities[:2] = 0.8, 0.1
    probabilities[2:-2] = 0.5
    labels = np.tile([0.0, 1.0], 15)
    labels[:2] = 0.0

    assert calibration_error(labels, probabilities) == pytest.approx((2 * 0.1 + 2 * 0.3) / 30)


def test_bins_hold_equal_numbers_in_order_of_probability():
    probabilities = np.random.default_rng(1).permutation(np.linspace(0.1, 0.9, 40))

    curve = calibration_curve((probabilities > 0.4).astype(float), probabilities)

    assert {rows for _, _, rows in curve} == {2, 3}
    assert len(curve) == 15
    assert [mean for mean, _, _ in curve] == sorted(mean for mean, _, _ in curve)
    assert sum(mean * rows for mean, _, rows in curve) == pytest.approx(probabilities.sum())


def test_fewer_rows_than_bins_are_a_bin_each():
    labels, probabilities = np.array([1.0, 0.0]), np.array([0.75, 0.5])

    assert calibration_curve(labels, probabilities) == [(0.5, 0.0, 1), (0.75, 1.0, 1)]
    assert calibration_error(labels, probabilities) == pytest.approx((0.25 + 0.5) / 2)


def test_equal_probabilities_are_not_split_however_the_labels_are_sorted():
    probabilities, labels = np.full(300, 0.2), np.repeat([0.0, 1.0], [240, 60])

    curve = calibration_curve(labels, probabilities)

    assert [(share, rows) for _, share, rows in curve] == [(0.2, 300)]
    assert calibration_error(labels, probabilities) == pytest.approx(0, abs=1e-12)


def test_two_exact_values_have_no_calibration_error():
    probabilities = np.repeat([0.2, 0.8], [100, 200])
    labels = np.concatenate([np.repeat([1.0, 0.0], [20, 80]), np.repeat([0.0, 1.0], [40, 160])])

    assert calibration_error(labels, probabilities) == pytest.approx(0, abs=1e-12)


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.7, 1.0]) | UNIT)),
    st.randoms(use_true_random=False),
)
def test_order_of_rows_changes_no_bin(rows, random):
    assume(rows)
    shuffled = random.sample(rows, len(rows))

    curve = calibration_curve(*np.array(rows).T)

    assert calibration_curve(*np.array(shuffled).T) == curve
    assert calibration_error(*np.array(shuffled).T) == calibration_error(*np.array(rows).T)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.25, 0.7]) | UNIT, min_size=1))
def test_bins_hold_whole_values_and_every_row(probabilities):
    curve = calibration_curve(np.zeros(len(probabilities)), np.array(probabilities))

    ordered, at = sorted(probabilities), 0
    for mean, _, rows in curve:
        held = ordered[at : at + rows]
        assert mean == pytest.approx(sum(held) / rows)
        at += rows
        assert at == len(ordered) or ordered[at] != held[-1]
    assert at == len(ordered)
    assert len(curve) <= 15


def test_metrics_of_a_worked_example():
    labels, probabilities = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.6, 0.4, 0.8])

    found = compute_metrics(labels, probabilities)

    assert found["auc"] == pytest.approx(3 / 4)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["log_loss"] == pytest.approx(-(log(0.9) + log(0.4) + log(0.4) + log(0.8)) / 4)
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.04) / 4)
    assert found["rows"] == 4


def test_weight_counts_like_repetition():
    labels, probabilities = np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.1, 0.7])
    repeated = np.repeat(np.arange(3), [1, 3, 2])

    weighted = compute_metrics(labels, probabilities, np.array([1.0, 3.0, 2.0]))

    expected = compute_metrics(labels[repeated], probabilities[repeated])
    for name in ("auc", "average_precision", "log_loss", "brier"):
        assert weighted[name] == pytest.approx(expected[name])


def test_one_class_has_no_ranking():
    labels, probabilities = np.ones(4), np.full(4, 0.5)

    found = compute_metrics(labels, probabilities)

    assert (found["auc"], found["average_precision"]) == (None, None)
    assert found["log_loss"] == pytest.approx(log(2))
    assert ranking_curve(labels, probabilities) == []


def test_figure_that_nobody_can_know_is_unknown():
    assert (figure_text(0.70984), figure_text(None)) == ("0.7098", "unknown")


def test_ranking_curve_runs_from_corner_to_corner():
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 2000).astype(float)

    curve = ranking_curve(labels, random.random(2000))

    assert (curve[0], curve[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert len(curve) <= 200
    assert curve == sorted(curve)
