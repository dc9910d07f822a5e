"""A model in ONNX: scored one vector at a time, refused when it is another's."""

import math
from array import array
from contextlib import suppress
from math import exp, isclose, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, NodeProto, TensorProto, helper

from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.errors import ModelError
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import to_vector
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION
from tests.stand_ins.tiny_model import INTERCEPT, WEIGHT_OF_FIRST, learnt_features, tiny_model

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


def graph(*nodes: NodeProto, outputs: tuple[str, ...] = ("probability", "contributions")) -> bytes:
    """A model of the features in service with any graph at all."""
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, WIDTH])
    made = [helper.make_empty_tensor_value_info(name) for name in outputs]
    model = helper.make_model(
        helper.make_graph(nodes, "any", [given], made), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    helper.set_model_props(model, {**learnt_features(), "intercept": repr(INTERCEPT)})
    return model.SerializeToString()


IDENTITY = helper.make_node("Identity", ["features"], ["contributions"])


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"no model at all", "does not load"),
        (b"", "does not load"),
        (tiny_model(other_meaning=True), "features that are not served or mean something else, such as answered"),
        (tiny_model(metadata={"feature_names": "[]", "feature_meanings": "[]"}), "found 0 of 0 features"),
        (tiny_model(metadata={"feature_meanings": "[]"}), "feature names and 0 meanings, expected as many"),
        (tiny_model(metadata={"feature_meanings": "no JSON"}), "feature_meanings that are no JSON"),
        (tiny_model(width=WIDTH - 1), "does not run"),
        (tiny_model(bias=float("nan")), "found no probability from 0 to 1"),
        (tiny_model(metadata={"feature_names": "no JSON"}), "feature_names that are no JSON"),
        (tiny_model(metadata={"feature_names": "[" * 100_000}), "feature_names that are no JSON"),
        (tiny_model(metadata={"feature_names": "7"}), "feature_names that are no list of texts"),
        (tiny_model(metadata={"feature_names": "null"}), "feature_names that are no list of texts"),
        (tiny_model(metadata={"feature_names": '{"a": 1}'}), "feature_names that are no list of texts"),
        (tiny_model(metadata={"feature_names": "[[], {}]"}), "feature_names that are no list of texts"),
        (tiny_model(metadata={"feature_names": ""}), "feature_names that are no JSON"),
        (tiny_model(metadata={"intercept": "nan"}), "the intercept nan, expected a number from -20 to 20"),
        (tiny_model(metadata={"intercept": "-Infinity"}), "the intercept -inf, expected a number"),
        (tiny_model(metadata={"intercept": "1e999"}), "the intercept inf, expected a number"),
        (tiny_model(metadata={"intercept": "1e30"}, bias=1e30), r"the intercept 1e\+30, expected a number"),
        (
            tiny_model(bias=float("inf")),
            "found the probability 1.000000 at no input or at zeros, expected the 0.377541",
        ),
        (tiny_model(bias=float("-inf")), "found the probability 0.000000"),
        (tiny_model(metadata={"intercept": "-0.6"}), "expected the 0.354344 that intercept and contributions add up"),
        (tiny_model(metadata={"intercept": "much"}), "found no intercept"),
        (tiny_model(metadata={"intercept": ""}), "found no intercept"),
        (graph(IDENTITY, helper.make_node("ReduceMax", ["features"], ["probability"])), "no probability from 0 to 1"),
        (graph(IDENTITY, helper.make_node("Sigmoid", ["features"], ["probability"])), "does not run"),
        (graph(IDENTITY, outputs=("contributions",)), "does not run"),
        (
            graph(
                helper.make_node("IsNaN", ["features"], ["missing"]),
                helper.make_node("Cast", ["missing"], ["contributions"], to=TensorProto.STRING),
                helper.make_node("ReduceMax", ["features"], ["probability"]),
            ),
            "no probability|does not",
        ),
    ],
)
def test_model_that_must_not_score_is_refused(data, found):
    with pytest.raises(ModelError, match=found):
        OnnxScorer(data, "v1")


def test_model_without_an_intercept_is_refused():
    model = ModelProto.FromString(tiny_model())
    (intercept,) = (entry for entry in model.metadata_props if entry.key == "intercept")
    model.metadata_props.remove(intercept)

    with pytest.raises(ModelError, match="found no intercept"):
        OnnxScorer(model.SerializeToString(), "v1")


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=40))
@settings(max_examples=150)
def test_model_with_any_bytes_in_it_loads_or_is_refused(at, noise):
    data = bytearray(tiny_model())
    at %= len(data)
    data[at : at + len(noise)] = noise

    with suppress(ModelError):
        OnnxScorer(bytes(data), "v1")


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 3e38])
def test_vector_that_gives_no_number_is_an_arithmetic_error(value):
    scorer = OnnxScorer(tiny_model(), "v1")

    with pytest.raises(ArithmeticError, match="found"):
        scorer.score(array("f", [value, *[0.0] * (WIDTH - 1)]))


def test_contribution_that_is_no_number_is_refused_at_the_start_or_an_arithmetic_error():
    fair = helper.make_node("Constant", [], ["probability"], value_float=1 / (1 + math.exp(-INTERCEPT)))
    zero = helper.make_node("Constant", [], ["zero"], value_float=0.0)
    missing = helper.make_node("IsNaN", ["features"], ["missing"])
    known = helper.make_node("Where", ["missing", "zero", "features"], ["contributions"])

    with pytest.raises(ModelError, match="a contribution that is no number"):
        OnnxScorer(graph(IDENTITY, fair), "v1")
    with pytest.raises(ArithmeticError, match="a contribution that is no number"):
        OnnxScorer(graph(fair, zero, missing, known), "v1").score(array("f", [float("inf"), *[0.0] * (WIDTH - 1)]))


def test_model_without_a_task_is_one_of_dissatisfaction():
    assert OnnxScorer(tiny_model(), "v1", DISSATISFACTION).version == "v1"

    with pytest.raises(ModelError, match="model v1: found a model of task dissatisfaction, expected one of churn"):
        OnnxScorer(tiny_model(), "v1", CHURN)


def test_model_of_another_task_is_refused():
    with pytest.raises(ModelError, match="model v1: found a model of task churn, expected one of dissatisfaction"):
        OnnxScorer(tiny_model(metadata={"task": "churn"}), "v1")
