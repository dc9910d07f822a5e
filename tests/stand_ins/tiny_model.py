"""The smallest ONNX model that keeps the registry's contract: whether an agent answered decides."""

import json
from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from service_quality.adapters.onnx_model import LARGEST_INTERCEPT
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task

INTERCEPT = -0.5
WEIGHT_OF_FIRST = 1.5


def tiny_model(
    *,
    other_meaning: bool = False,
    task: Task = DISSATISFACTION,
    width: int | None = None,
    bias: float = INTERCEPT,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A logistic regression with one weight, on the first feature; `metadata` replaces its own.

    With `other_meaning` the first feature meant something else where the model learnt it.
    """
    width = len(task.features.names) if width is None else width
    weights = np.zeros(width, dtype=np.float32)
    weights[0] = WEIGHT_OF_FIRST
    constants = {"weights": weights, "zero": np.float32(0), "bias": np.float32(bias), "axes": np.array([1])}
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["known"]),
        helper.make_node("Mul", ["known", "weights"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "axes"], ["total"], keepdims=0),
        helper.make_node("Add", ["total", "bias"], ["log_odds"]),
        helper.make_node("Sigmoid", ["log_odds"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None]),
            helper.make_tensor_value_info("contributions", TensorProto.FLOAT, [None, width]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    intercept = bias if abs(bias) <= LARGEST_INTERCEPT else INTERCEPT
    own = {**learnt_features(other_meaning, task), "task": task.name, "intercept": repr(intercept)}
    helper.set_model_props(model, {**own, **(metadata or {})})
    return model.SerializeToString()


def learnt_features(other_meaning: bool = False, task: Task = DISSATISFACTION) -> dict[str, str]:
    """What the metadata of a model of the features in service say of them."""
    features = task.features
    meanings = [*features.meanings.values()]
    if other_meaning:
        meanings[0] = "00000000"
    return {
        "feature_names": json.dumps(features.names),
        "feature_meanings": json.dumps(meanings),
        "fingerprint": features.fingerprint,
    }


def breaking_model() -> bytes:
    """A model that passes every check at its start and gives NaN as soon as a feature is known and not 0."""
    model = ModelProto.FromString(tiny_model())
    multiply = next(node for node in model.graph.node if node.output[0] == "contributions")
    place = list(model.graph.node).index(multiply)
    multiply.output[0] = "sound"
    nodes = [
        helper.make_node("Mul", ["known", "known"], ["square"]),
        helper.make_node("Neg", ["square"], ["below_zero"]),
        helper.make_node("Sqrt", ["below_zero"], ["no_number"]),
        helper.make_node("Add", ["sound", "no_number"], ["contributions"]),
    ]
    for number, node in enumerate(nodes, place + 1):
        model.graph.node.insert(number, node)
    return model.SerializeToString()
