"""A promoted model in ONNX: probability and contributions of one vector at a time."""

import json
from math import exp

import numpy as np
import onnxruntime

from service_quality.errors import ModelError
from service_quality.features.declarations import FeatureSet
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score, require_numbers
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task

#: Log-odds: a rate of one in half a billion. No data support more, and beyond it no feature would change the score.
LARGEST_INTERCEPT = 20.0

_LISTS = ("feature_names", "feature_meanings")
_OUTPUTS = ["probability", "contributions"]
_ROUNDING = 1e-4  # of float32 sums over all features, far above what export allows
_SATURATED = 700.0  # log-odds that double can still raise e to


class OnnxScorer:
    """Implements `scores.Scorer` for a task. ModelError for a file that is no model of its features in service.

    A model may know fewer features than are served: those that it has not learnt contribute nothing. Each that it has
    learnt must be served in the same meaning.
    """

    def __init__(self, data: bytes, version: str, task: Task = DISSATISFACTION) -> None:
        self._version = version
        self._served = len(task.features.names)
        try:
            self._session = onnxruntime.InferenceSession(data, _options(), providers=["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
        except Exception as error:  # onnxruntime has no root of its errors
            raise ModelError(f"model {version}: found a file that does not load, expected ONNX") from error
        self._refuse_other_task(metadata, task)
        self._places = np.array(self._find_places(metadata, task.features), dtype=np.int64)
        self._intercept = self._read_intercept(metadata)
        self._refuse_other_outputs()

    @property
    def version(self) -> str:
        """The version under which the registry keeps it."""
        return self._version

    def score(self, vector: Vector) -> Score:
        """Score a float32 vector in declared order.

        ArithmeticError unless the model gives a probability and one finite contribution a feature.
        """
        known = np.frombuffer(vector, dtype=np.float32)[self._places]
        score = require_numbers(self._run(known), width=len(self._places))
        if len(self._places) == self._served:
            return score
        contributions = np.zeros(self._served)
        contributions[self._places] = score.contributions
        return score._replace(contributions=tuple(contributions.tolist()))

    def _run(self, vector: "np.ndarray") -> Score:
        probability, contributions = self._session.run(_OUTPUTS, {"features": vector.reshape(1, -1)})
        return Score(
            float(probability.item()), tuple(contributions.reshape(-1).tolist()), self._intercept, self._version
        )

    def _find_places(self, metadata: dict[str, str], features: FeatureSet) -> list[int]:
        """The place of each of the model's features in a served vector, in the order of its own input."""
        names, meanings = (self._read_list(metadata, key) for key in _LISTS)
        if len(names) != len(meanings):
            found = f"{len(names)} feature names and {len(meanings)} meanings"
            raise ModelError(f"model {self._version}: found {found}, expected as many")
        learnt = list(zip(names, meanings, strict=True))
        served = {pair: place for place, pair in enumerate(features.meanings.items())}
        others = [name for name, meaning in learnt if (name, meaning) not in served]
        if others or not learnt:
            found = f"{len(others)} of {len(learnt)} features that are not served or mean something else"
            such = f", such as {others[0]!s:.60}" if others else ""
            raise ModelError(f"model {self._version}: found {found}{such}, expected features in service")
        return [served[pair] for pair in learnt]

    def _refuse_other_task(self, metadata: dict[str, str], task: Task) -> None:
        """A model that names no task is of the time before there were several."""
        found = metadata.get("task", DISSATISFACTION.name)
        if found != task.name:
            raise ModelError(f"model {self._version}: found a model of task {found:.60}, expected one of {task.name}")

    def _read_list(self, metadata: dict[str, str], key: str) -> list[str]:
        try:
            texts = json.loads(metadata.get(key, "[]"))
        except (ValueError, RecursionError) as error:
            raise ModelError(f"model {self._version}: found {key} that are no JSON, expected a list of them") from error
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise ModelError(f"model {self._version}: found {key} that are no list of texts, expected one")
        return texts

    def _read_intercept(self, metadata: dict[str, str]) -> float:
        try:
            intercept = float(metadata["intercept"])
        except (KeyError, ValueError) as error:
            raise ModelError(f"model {self._version}: found no intercept in its metadata, expected a number") from error
        if not abs(intercept) <= LARGEST_INTERCEPT:
            expected = f"a number from {-LARGEST_INTERCEPT:g} to {LARGEST_INTERCEPT:g}"
            raise ModelError(f"model {self._version}: found the intercept {intercept}, expected {expected}")
        return intercept

    def _refuse_other_outputs(self) -> None:
        """Run it with all values missing and with zeros, so that a wrong graph fails here and not at an event."""
        for value in (np.nan, 0.0):
            try:
                width = len(self._places)
                score = require_numbers(self._run(np.full(width, value, dtype=np.float32)), width=width)
                _require_sum(score)
            except ArithmeticError as error:
                raise ModelError(f"model {self._version}: {error}") from error
            except Exception as error:  # a wrong graph can raise any error
                found = f"model {self._version}: found a graph that does not run"
                raise ModelError(f"{found}, expected features to {', '.join(_OUTPUTS)}") from error


def _require_sum(score: Score) -> None:
    """ArithmeticError unless intercept and contributions add up to the log-odds of the probability."""
    expected = 1 / (1 + exp(-max(-_SATURATED, score.intercept + sum(score.contributions))))
    if abs(score.probability - expected) > _ROUNDING:
        found = f"found the probability {score.probability:.6f} at no input or at zeros"
        raise ArithmeticError(f"{found}, expected the {expected:.6f} that intercept and contributions add up to")


def _options() -> onnxruntime.SessionOptions:
    """One thread, since a row is too small to split; the exported graph as it is: optimised it scores no quicker."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return options
