"""The basis with numpy, each operation by hand."""

from math import log, log1p

import numpy as np
import pytest

from service_quality.features.basis import OPERATIONS, Term, basis_of
from service_quality.features.feature_set import FEATURES
from spark_jobs.learning.basis_columns import basis_columns

NAN = float("nan")
BY_HAND = [
    ("value", 0.0, [3.0, -2.0, 0.0, NAN], [3.0, -2.0, 0.0, 0.0]),
    ("missing", 0.0, [3.0, -2.0, 0.0, NAN], [0.0, 0.0, 0.0, 1.0]),
    ("log", 0.0, [3.0, -2.0, 0.0, NAN], [log(4), 0.0, 0.0, 0.0]),
    ("log_hinge", 1.0, [3.0, 1.0, -2.0, NAN], [log(4) - 1, 0.0, 0.0, 0.0]),
    ("hinge", 2.0, [3.0, 2.0, -2.0, NAN], [1.0, 0.0, 0.0, 0.0]),
    ("logit", 0.0, [0.5, 0.25, 0.0, 1.0, NAN], [0.0, log(1 / 3), log(0.005 / 0.995), log(0.995 / 0.005), 0.0]),
    ("equals", 3.0, [3.0, 2.0, 0.0, NAN], [1.0, 0.0, 0.0, 0.0]),
    ("equals", 0.0, [0.0, 2.0, NAN], [1.0, 0.0, 0.0]),
]


@pytest.mark.parametrize(("operation", "knot", "given", "expected"), BY_HAND)
def test_operation_gives_what_is_worked_out_by_hand(operation, knot, given, expected):
    vectors = np.array(given, dtype=np.float32)[:, None]

    found = basis_columns(vectors, ["x"], [Term("x", operation, knot)])

    assert found.dtype == np.float64
    assert found[:, 0] == pytest.approx(expected, rel=1e-7, abs=1e-12)


def test_every_operation_is_worked_out_by_hand():
    assert {operation for operation, *_ in BY_HAND} == set(OPERATIONS)


def test_terms_read_their_own_features_in_their_own_order():
    vectors = np.array([[1.0, 20.0], [2.0, 40.0]], dtype=np.float32)

    found = basis_columns(vectors, ["x", "y"], [Term("y", "value"), Term("x", "value"), Term("y", "log")])

    assert found == pytest.approx(np.array([[20.0, 1.0, log1p(20)], [40.0, 2.0, log1p(40)]]))


def test_no_terms_give_no_columns():
    assert basis_columns(np.zeros((3, 2), dtype=np.float32), ["x", "y"], []).shape == (3, 0)


def test_unknown_operation_is_refused():
    with pytest.raises(ValueError, match="found operation 'cube'"):
        basis_columns(np.zeros((1, 1), dtype=np.float32), ["x"], [Term("x", "cube")])


def test_columns_in_service_are_finite_whatever_is_missing_or_extreme():
    width = len(FEATURES.names)
    vectors = np.array([[NAN] * width, [0.0] * width, [3e38] * width, [-3e38] * width], dtype=np.float32)

    assert np.isfinite(basis_columns(vectors, FEATURES.names, basis_of(FEATURES))).all()
