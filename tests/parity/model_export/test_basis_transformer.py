import numpy as np
import pytest

from model_export.basis_transformer import BasisTransformer
from service_quality.features.basis import OPERATIONS, Term
from tests.parity.model_export.artefacts import oracle_term

NAN = float("nan")


def columns(terms: list[Term], *rows: list[float]) -> list[list[float]]:
    return BasisTransformer(["a", "b"], terms).transform(rows).tolist()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("knot", [-1.0, 0.0, 3.0])
def test_operation_is_what_the_declaration_says(operation, knot):
    values = [NAN, 0.0, -0.0, 3.0, 0.25, 1.0, -1.0, -1e6, 1e12, 1e-30]

    found = columns([Term("b", operation, knot)], *([NAN, value] for value in values))

    float32 = np.array(values, dtype=np.float32).tolist()
    assert found == [[pytest.approx(oracle_term(Term("b", operation, knot), value), rel=1e-14)] for value in float32]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_missing_is_zero_in_every_operation_but_missing(operation):
    found = columns([Term("a", operation, -2.0)], [NAN, 1.0])

    assert found == [[1.0 if operation == "missing" else 0.0]]


def test_columns_stand_in_the_order_of_the_terms():
    terms = [Term("b", "hinge", 1.0), Term("a", "missing"), Term("b", "value"), Term("a", "equals", 2.0)]

    assert columns(terms, [2.0, 4.0], [NAN, 0.5]) == [[3.0, 0.0, 4.0, 1.0], [0.0, 1.0, 0.5, 0.0]]


def test_numbers_are_float32_before_anything_else():
    assert columns([Term("a", "value")], [0.1, 0.0]) == [[float(np.float32(0.1))]]
