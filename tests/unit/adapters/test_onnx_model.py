"""A model in ONNX: scored one vector at a time, refused when it is another's."""

from array import array
from math import exp, isclose, log

import pytest

from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.errors import ModelError
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import to_vector
from tests.stand_ins.tiny_model import INTERCEPT, WEIGHT_OF_FIRST, tiny_model

WIDTH = len(FEATURES.names)


def test_score_is_the_models_with_contributions_in_feature_order():
    scorer = OnnxScorer(tiny_model(), "v1")

    score = scorer.score(to_vector([1.0, *[None] * (WIDTH - 1)]))

    assert isclose(score.probability, 1 / (1 + exp(-(WEIGHT_OF_FIRST + INTERCEPT))), rel_tol=1e-6)
    assert score.contributions == (WEIGHT_OF_FIRST, *[0.0] * (WIDTH - 1))
    assert (score.intercept, score.model_version) == (INTERCEPT, "v1")


def test_contributions_and_intercept_add_up_to_the_log_odds():
    score = OnnxScorer(tiny_model(), "v1").score(to_vector([0.25] * WIDTH))

    log_odds = log(score.probability / (1 - score.probability))
    assert isclose(log_odds, sum(score.contributions) + score.intercept, rel_tol=1e-5)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"no model at all", "does not load"),
        (tiny_model(fingerprint="0123456789abcdef"), f"0123456789abcdef, expected {FEATURES.fingerprint}"),
        (tiny_model(width=WIDTH - 1), "does not run"),
        (tiny_model(bias=float("nan")), "found probability nan"),
    ],
)
def test_model_that_must_not_score_is_refused(data, told):
    with pytest.raises(ModelError, match=told):
        OnnxScorer(data, "v1")


def test_vector_that_gives_no_number_is_an_arithmetic_error():
    scorer = OnnxScorer(tiny_model(), "v1")

    with pytest.raises(ArithmeticError, match="expected a probability"):
        scorer.score(array("f", [0.0, float("inf"), *[0.0] * (WIDTH - 2)]))
