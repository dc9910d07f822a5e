"""Histogram gradient boosting as ONNX operations whose sums are double.

The converter that comes with skl2onnx lets onnxruntime add up the trees in float32, which for 150 trees is off by up to
8e-7. Here every tree answers for itself, exactly, and the answers are added up afterwards.
"""

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common._topology import Operator, Scope, Variable
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.common.tree_ensemble import (
    add_tree_to_attribute_pairs_hist_gradient_boosting,
    get_default_tree_regressor_attribute_pairs,
)
from sklearn.ensemble import HistGradientBoostingClassifier

from model_export.onnx_graph import GraphWriter

_ALIAS = "ServiceQualityBoosting"
_ML_DOMAIN_VERSION = 3


def register_boosting() -> None:
    """Register this converter with skl2onnx; its one output is the probability of class 1."""
    update_registered_converter(
        HistGradientBoostingClassifier, _ALIAS, _set_shapes, _convert, options={}, parser=_declare_output
    )


def _declare_output(
    scope: Scope, model: HistGradientBoostingClassifier, inputs: list[Variable], custom_parsers: object = None
) -> list[Variable]:
    operator = scope.declare_local_operator(_ALIAS, model)
    operator.inputs = inputs
    operator.outputs.append(scope.declare_local_variable("probability", FloatTensorType()))
    outputs: list[Variable] = operator.outputs
    return outputs


def _set_shapes(operator: Operator) -> None:
    operator.outputs[0].type = FloatTensorType([operator.inputs[0].get_first_dimension()])


def _convert(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    classifier: HistGradientBoostingClassifier = operator.raw_operator
    graph = GraphWriter(scope, container)
    answers = scope.get_unique_variable_name("trees")
    container.add_node(
        "TreeEnsembleRegressor",
        [operator.inputs[0].full_name],
        answers,
        op_domain="ai.onnx.ml",
        op_version=_ML_DOMAIN_VERSION,
        name=scope.get_unique_operator_name("TreeEnsembleRegressor"),
        **_tree_attributes(classifier),
    )
    total = graph.node("ReduceSum", graph.to_double(answers), graph.indices([1]), keepdims=0)
    odds = graph.node("Add", total, graph.numbers(float(classifier._baseline_prediction.item())))
    graph.node("Cast", graph.node("Sigmoid", odds), to=TensorProto.FLOAT, output=operator.outputs[0].full_name)


def _tree_attributes(classifier: HistGradientBoostingClassifier) -> dict[str, object]:
    """All trees of one ensemble, each writing to a target of its own."""
    trees = [tree for (tree,) in classifier._predictors]
    attributes = get_default_tree_regressor_attribute_pairs()
    attributes["n_targets"] = len(trees)
    for number, tree in enumerate(trees):
        add_tree_to_attribute_pairs_hist_gradient_boosting(
            attributes, False, tree, number, 1.0, number, False, adjust_threshold_for_sklearn=True, dtype=np.float32
        )
    whole = ("nodes_missing_value_tracks_true", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids")
    integers = {name: [int(value) for value in attributes[name]] for name in whole}
    return {**attributes, **integers}
