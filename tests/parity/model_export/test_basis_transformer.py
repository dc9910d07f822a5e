import numpy as np
import pytest

from model_export.basis_transformer import BasisTransformer
from service_quality.features.basis import OPERATIONS, Term
from tests.parity.model_export.artefacts import oracle_term

NAN = float("nan")
WIDE = (-1e9, 1e9)


def columns(terms: list[Term], *rows: list[float], ranges=(WIDE, WIDE), fills=None) -> list[list[float]]:
    return BasisTransformer(["a", "b"], terms, ranges, fills or [7.0] * len(terms)).transform(rows).tolist()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("knot", [-1.0, 0.0, 3.0])
@pytest.mark.parametrize("learnt", [WIDE, (0.5, 2.0), (3.0, 3.0), None])
def test_operation_is_what_the_declaration_says(operation, knot, learnt):
    term = Term("b", operation, knot, knot + 2.5)
    values = [NAN, 0.0, -0.0, 3.0, 0.25, 1.0, -1.0, -1e6, 1e12, 1e-30]

    found = columns([term], *([NAN, value] for value in values), ranges=(WIDE, learnt))

    expected = [oracle_term(term, value, learnt, fill=7.0) for value in np.array(values, dtype=np.float32).tolist()]
    assert found == [[pytest.approx(one, rel=1e-14, abs=1e-15)] for one in expected]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_missing_is_the_fill_in_every_operation_but_missing(operation):
    found = columns([Term("a", operation, -2.0, 1.0)], [NAN, 1.0], fills=[0.125])

    assert found == [[1.0 if operation == "missing" else 0.125]]


def test_columns_stand_in_the_order_of_the_terms():
    terms = [Term("b", "ramp", 1.0, 3.0), Term("a", "missing"), Term("b", "value"), Term("a", "equals", 2.0)]

    assert columns(terms, [2.0, 4.0], [NAN, 0.5]) == [[2.0, 0.0, 4.0, 1.0], [0.0, 1.0, 0.5, 7.0]]


def test_numbers_are_float32_before_anything_else():
    assert columns([Term("a", "value")], [0.1, 0.0]) == [[float(np.float32(0.1))]]


def test_value_beyond_the_learnt_range_is_taken_for_its_end():
    assert columns([Term("a", "value")], [1e9, 0.0], [-3.0, 0.0], [float("inf"), 0.0], ranges=((2.0, 5.0), None)) == [
        [5.0],
        [2.0],
        [5.0],
    ]
