"""The basis as a scikit-learn step and as ONNX operations: float32 vectors in, one column of doubles a term out."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common._container import ModelComponentContainer
from skl2onnx.common._topology import Operator, Scope
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.base import BaseEstimator, TransformerMixin

from model_export.learnt import NEVER_LEARNT, Range
from model_export.onnx_graph import GraphWriter
from service_quality.features.basis import HIGHEST_RATE, LOWEST_RATE, OPERATIONS, Term

Columns = NDArray[np.float64]


def _logit(x: Columns) -> Columns:
    p = np.clip(x, LOWEST_RATE, HIGHEST_RATE)
    return np.log(p / (1 - p))


#: The formula of each operation for known values x, knots k and upper ends u, one column a term.
FORMULAS: dict[str, Callable[[Columns, Columns, Columns], Columns]] = {
    "value": lambda x, k, u: x,
    "log": lambda x, k, u: np.log(1 + np.maximum(x, 0)),
    "log_ramp": lambda x, k, u: np.clip(np.log(1 + np.maximum(x, 0)), k, u) - k,
    "ramp": lambda x, k, u: np.clip(x, k, u) - k,
    "logit": lambda x, k, u: _logit(x),
    "equals": lambda x, k, u: (x == k).astype(np.float64),
}

#: Operations whose logarithm the graph takes once a feature, for all of their terms.
LOGARITHMIC = {"log", "log_ramp"}


class BasisTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # of a library without types
    """Turns vectors (rows × features, NaN missing) into the columns of `terms`, in their order; nothing to fit.

    Values are held within `ranges`, one a feature, None for an unlearnt feature. `fills` holds each term's value for a
    missing feature; "missing" needs no value.
    """

    def __init__(
        self, features: Sequence[str], terms: Sequence[Term], ranges: Sequence[Range | None], fills: Sequence[float]
    ) -> None:
        self.features = features
        self.terms = terms
        self.ranges = ranges
        self.fills = fills

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: ArrayLike, y: object = None) -> "BasisTransformer":
        """Learn nothing."""
        return self

    def transform(self, X: ArrayLike) -> Columns:
        """The columns in double precision; every input is cast to float32 first, as it is when served."""
        vectors = np.asarray(X, dtype=np.float32).astype(np.float64)
        lows, highs = self.ends()
        held = np.clip(vectors, lows, highs)  # a missing value stays missing
        columns = np.empty((len(vectors), len(self.terms)))
        for operation, places in self.places().items():
            x = held[:, self.sources(places)]
            missing = np.isnan(x)
            if operation == "missing":
                columns[:, places] = missing
                continue
            known = FORMULAS[operation](np.where(missing, 0.0, x), self.knots(places), self.uppers(places))
            columns[:, places] = np.where(missing, np.array(self.fills)[places], known)
        return columns

    def ends(self) -> tuple[Columns, Columns]:
        """The low and the high ends of the ranges; both 0 for an unlearnt feature."""
        lows, highs = np.array([learnt or NEVER_LEARNT for learnt in self.ranges], dtype=np.float64).T
        return lows, highs

    def places(self) -> dict[str, list[int]]:
        """The indexes of each operation's terms, without operations that have no term."""
        found = {
            operation: [at for at, term in enumerate(self.terms) if term.operation == operation]
            for operation in OPERATIONS
        }
        return {operation: places for operation, places in found.items() if places}

    def sources(self, places: Sequence[int]) -> list[int]:
        """The vector positions that the terms at these indexes read."""
        position = {name: at for at, name in enumerate(self.features)}
        return [position[self.terms[place].feature] for place in places]

    def knots(self, places: Sequence[int]) -> Columns:
        """The knots of the terms at these indexes."""
        return np.array([self.terms[place].knot for place in places])

    def uppers(self, places: Sequence[int]) -> Columns:
        """The upper ends of the terms at these indexes."""
        return np.array([self.terms[place].upper for place in places])


def register_basis() -> None:
    """Register the converter of the basis with skl2onnx."""
    update_registered_converter(BasisTransformer, "ServiceQualityBasis", _set_shapes, _convert)


def _set_shapes(operator: Operator) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = DoubleTensorType([rows, len(operator.raw_operator.terms)])


def _convert(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    """One short chain of nodes an operation, whatever the number of terms; missing is filled once, at the end."""
    basis: BasisTransformer = operator.raw_operator
    graph = GraphWriter(scope, container)
    vectors = graph.to_double(operator.inputs[0].full_name)
    missing = graph.node("IsNaN", vectors)
    lows, highs = basis.ends()
    known = graph.node("Where", missing, graph.numbers(0.0), graph.within(vectors, lows, highs))
    logs = graph.node("Log", graph.node("Add", graph.node("Relu", known), graph.numbers(1.0)))
    places = basis.places()
    order = [place for operation in places if operation != "missing" for place in places[operation]]
    parts = [
        _formula(
            graph,
            operation,
            x=graph.columns(logs if operation in LOGARITHMIC else known, basis.sources(at)),
            knots=basis.knots(at),
            uppers=basis.uppers(at),
        )
        for operation, at in places.items()
        if operation != "missing"
    ]
    tables = []
    if parts:
        values = graph.node("Concat", *parts, axis=1)
        fills = graph.numbers(np.array(basis.fills)[order])
        tables = [graph.node("Where", graph.columns(missing, basis.sources(order)), fills, values)]
    if "missing" in places:
        order += places["missing"]
        tables.append(graph.to_double(graph.columns(missing, basis.sources(places["missing"]))))
    joined = graph.node("Concat", *tables, axis=1)
    graph.node("Gather", joined, graph.indices(np.argsort(order)), axis=1, output=operator.outputs[0].full_name)


def _formula(graph: GraphWriter, operation: str, *, x: str, knots: Columns, uppers: Columns) -> str:
    """The same as FORMULAS, in ONNX operations; for LOGARITHMIC ones x is log(1 + max(x, 0)) already."""
    match operation:
        case "value" | "log":
            return x
        case "ramp" | "log_ramp":
            return graph.node("Sub", graph.within(x, knots, uppers), graph.numbers(knots))
        case "logit":
            p = graph.node("Clip", x, graph.numbers(LOWEST_RATE), graph.numbers(HIGHEST_RATE))
            return graph.node("Log", graph.node("Div", p, graph.node("Sub", graph.numbers(1.0), p)))
        case "equals":
            return graph.to_double(graph.node("Equal", x, graph.numbers(knots)))
        case _:
            raise ValueError(f"found operation {operation!r}, expected one of {', '.join(FORMULAS)}")
