"""A logistic regression with the contribution of each feature, in scikit-learn and in ONNX."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common._topology import Operator, Scope, Variable
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

from model_export.onnx_graph import GraphWriter

OUTPUTS = ("probability", "contributions")


class ExplainedRegression(LogisticRegression):  # type: ignore[misc]  # of a library without types
    """A logistic regression with given weights; the terms of one feature are one contribution.

    `owners` holds the feature of every term; `width` is the number of features.
    """

    def __init__(self, coefficients: ArrayLike, intercept: float, owners: ArrayLike, width: int) -> None:
        super().__init__()
        self.coefficients = coefficients
        self.intercept = intercept
        self.owners = owners
        self.width = width
        self.coef_ = np.asarray(coefficients, dtype=np.float64).reshape(1, -1)
        self.intercept_ = np.array([intercept], dtype=np.float64)
        self.classes_ = np.array([0, 1])
        self.n_features_in_ = self.coef_.shape[1]

    def contributions(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows × features: what each feature adds to the log-odds of the intercept."""
        moved = np.zeros((self.width, len(X)))
        np.add.at(moved, np.asarray(self.owners), (X * self.coef_).T)
        return moved.T

    def grouping(self) -> NDArray[np.float64]:
        """Terms × features: a term's weight in the column of its feature."""
        weights = np.zeros((self.coef_.shape[1], self.width))
        weights[np.arange(len(weights)), np.asarray(self.owners)] = self.coef_[0]
        return weights


def register_explained_regression() -> None:
    """Register the converter of the regression with skl2onnx; both outputs are float32."""
    update_registered_converter(
        ExplainedRegression, "ServiceQualityExplainedRegression", _set_shapes, _convert, parser=_declare_outputs
    )


def _declare_outputs(
    scope: Scope, model: ExplainedRegression, inputs: list[Variable], custom_parsers: object = None
) -> list[Variable]:
    operator = scope.declare_local_operator("ServiceQualityExplainedRegression", model)
    operator.inputs = inputs
    for name in OUTPUTS:
        operator.outputs.append(scope.declare_local_variable(name, FloatTensorType()))
    outputs: list[Variable] = operator.outputs
    return outputs


def _set_shapes(operator: Operator) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = FloatTensorType([rows])
    operator.outputs[1].type = FloatTensorType([rows, operator.raw_operator.width])


def _convert(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    """The probability is computed from the very contributions of the output, in double."""
    model: ExplainedRegression = operator.raw_operator
    graph = GraphWriter(scope, container)
    probability, contributions = (output.full_name for output in operator.outputs)
    moved = graph.node("MatMul", operator.inputs[0].full_name, graph.numbers(model.grouping()))
    total = graph.node("ReduceSum", moved, graph.indices([1]), keepdims=0)
    odds = graph.node("Add", total, graph.numbers(model.intercept))
    graph.node("Cast", graph.node("Sigmoid", odds), to=TensorProto.FLOAT, output=probability)
    graph.node("Cast", moved, to=TensorProto.FLOAT, output=contributions)
