"""The basis with numpy, each operation by hand."""

from math import log, log1p

import numpy as np
import pytest

from service_quality.features.basis import OPERATIONS, Term, basis_of
from service_quality.features.feature_set import FEATURES
from spark_jobs.learning.basis_columns import basis_columns

NAN = float("nan")
WIDE = (-1e6, 1e6)
BY_HAND = [
    (Term("x", "value"), [3.0, -2.0, 0.0, NAN], [3.0, -2.0, 0.0, NAN]),
    (Term("x", "missing"), [3.0, -2.0, 0.0, NAN], [0.0, 0.0, 0.0, 1.0]),
    (Term("x", "log"), [3.0, -2.0, 0.0, NAN], [log(4), 0.0, 0.0, NAN]),
    (Term("x", "log_ramp", 1.0, 2.0), [3.0, 1.0, -2.0, 1e5, NAN], [log(4) - 1, 0.0, 0.0, 1.0, NAN]),
    (Term("x", "ramp", 2.0, 4.0), [3.0, 2.0, 0.0, 5.0, NAN], [1.0, 0.0, 0.0, 2.0, NAN]),
    (
        Term("x", "logit"),
        [0.5, 0.25, 0.0, 1.0, NAN],
        [0.0, log(1 / 3), log(0.005 / 0.995), log(0.995 / 0.005), NAN],
    ),
    (Term("x", "equals", 3.0), [3.0, 2.0, 0.0, NAN], [1.0, 0.0, 0.0, NAN]),
    (Term("x", "equals", 0.0), [0.0, 2.0, NAN], [1.0, 0.0, NAN]),
]


@pytest.mark.parametrize(("term", "given", "expected"), BY_HAND)
def test_operation_gives_what_is_worked_out_by_hand(term, given, expected):
    vectors = np.array(given, dtype=np.float32)[:, None]

    found = basis_columns(vectors, ["x"], [term], [WIDE])

    assert found.dtype == np.float64
    assert found[:, 0] == pytest.approx(expected, rel=1e-7, abs=1e-12, nan_ok=True)


def test_every_operation_is_worked_out_by_hand():
    assert {term.operation for term, *_ in BY_HAND} == set(OPERATIONS)


def test_terms_read_their_own_features_in_their_own_order():
    vectors = np.array([[1.0, 20.0], [2.0, 40.0]], dtype=np.float32)

    found = basis_columns(vectors, ["x", "y"], [Term("y", "value"), Term("x", "value"), Term("y", "log")], [WIDE] * 2)

    assert found == pytest.approx(np.array([[20.0, 1.0, log1p(20)], [40.0, 2.0, log1p(40)]]))


def test_no_terms_give_no_columns():
    assert basis_columns(np.zeros((3, 2), dtype=np.float32), ["x", "y"], [], [WIDE, WIDE]).shape == (3, 0)


def test_unknown_operation_is_refused():
    with pytest.raises(ValueError, match="found operation 'cube'"):
        basis_columns(np.zeros((1, 1), dtype=np.float32), ["x"], [Term("x", "cube")], [WIDE])


def test_value_is_held_within_the_learnt_range():
    vectors = np.array([[9.0], [-9.0], [3.0], [NAN]], dtype=np.float32)

    found = basis_columns(vectors, ["x"], [Term("x", "value")], [(2.0, 5.0)])

    assert found[:, 0] == pytest.approx([5.0, 2.0, 3.0, NAN], nan_ok=True)


def test_feature_that_was_never_learnt_says_the_same_whatever_its_value():
    vectors = np.array([[9.0], [-9.0], [float("inf")]], dtype=np.float32)

    assert basis_columns(vectors, ["x"], [Term("x", "log")], [None])[:, 0].tolist() == [0.0, 0.0, 0.0]


def test_ramps_of_a_spline_add_up_to_the_way_from_its_first_knot():
    terms = [term for term in basis_of(FEATURES) if term.feature == "waiting_ms" and term.operation == "log_ramp"]
    minutes = np.array([0, 1, 7, 90, 3000], dtype=np.float32) * 60_000

    found = basis_columns(minutes[:, None], ["waiting_ms"], terms, [(0.0, 1e12)])

    assert found.sum(axis=1) == pytest.approx(np.log1p(minutes.astype(np.float64)), abs=1e-9)


def test_columns_in_service_are_finite_or_missing_whatever_is_extreme():
    width = len(FEATURES.names)
    vectors = np.array([[0.0] * width, [3e38] * width, [-3e38] * width], dtype=np.float32)

    found = basis_columns(vectors, FEATURES.names, basis_of(FEATURES), [(-1e12, 1e12)] * width)

    assert np.isfinite(found).all()


def test_column_but_missing_and_equals_never_falls_while_its_feature_rises():
    values = np.sort(np.r_[np.linspace(-2, 30, 200), 10.0 ** np.arange(12)]).astype(np.float32)[:, None]

    for term in (term for term, *_ in BY_HAND if term.operation not in ("missing", "equals")):
        assert (np.diff(basis_columns(values, ["x"], [term], [(-1.0, 1e9)])[:, 0]) >= 0).all(), term
