"""Writes nodes and constants of a converter into the graph that skl2onnx is building."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from onnx import TensorProto
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common._topology import Scope

_TYPES = {"float64": TensorProto.DOUBLE, "int64": TensorProto.INT64}


@dataclass(frozen=True)
class GraphWriter:
    """Every method returns the name of what it added; `node` may be given the name of its output."""

    scope: Scope
    container: ModelComponentContainer

    def numbers(self, values: ArrayLike) -> str:
        """A constant of doubles."""
        return self._constant(np.asarray(values, dtype=np.float64))

    def indices(self, values: ArrayLike) -> str:
        """A constant of whole numbers."""
        return self._constant(np.asarray(values, dtype=np.int64))

    def node(self, operation: str, *inputs: str, output: str = "", **attributes: object) -> str:
        """An ONNX operation."""
        name = output or self.scope.get_unique_variable_name(operation.lower())
        node_name = self.scope.get_unique_operator_name(operation)
        self.container.add_node(
            operation, list(inputs), name, name=node_name, op_version=self.container.target_opset, **attributes
        )
        return name

    def columns(self, table: str, at: ArrayLike) -> str:
        """Some columns of a table, in the given order."""
        return self.node("Gather", table, self.indices(at), axis=1)

    def within(self, table: str, lows: ArrayLike, highs: ArrayLike) -> str:
        """Each column held within its own ends."""
        return self.node("Min", self.node("Max", table, self.numbers(lows)), self.numbers(highs))

    def to_double(self, name: str) -> str:
        """The same numbers as doubles."""
        return self.node("Cast", name, to=TensorProto.DOUBLE)

    def _constant(self, values: np.ndarray) -> str:
        name: str = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, _TYPES[values.dtype.name], list(values.shape), values.ravel().tolist())
        return name
