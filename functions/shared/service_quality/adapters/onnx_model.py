"""A promoted model in ONNX: probability and contributions of one vector at a time."""

import json
from math import exp

import numpy as np
import onnxruntime

from service_quality.errors import ModelError
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score, require_numbers

#: Log-odds: a rate of one in half a billion. No data support more, and beyond it no feature would change the score.
LARGEST_INTERCEPT = 20.0

_OUTPUTS = ["probability", "contributions"]
_ROUNDING = 1e-4  # of float32 sums over all features, far above what export allows
_SATURATED = 700.0  # log-odds that double can still raise e to


class OnnxScorer:
    """Implements `scores.Scorer`. ModelError for a file that is no model of the features in service."""

    def __init__(self, data: bytes, version: str, features: FeatureSet = FEATURES) -> None:
        self._version = version
        self._width = len(features.names)
        try:
            self._session = onnxruntime.InferenceSession(data, _options(), providers=["CPUExecutionProvider"])
            metadata = self._session.get_modelmeta().custom_metadata_map
        except Exception as error:  # onnxruntime has no root of its errors
            raise ModelError(f"model {version}: found a file that does not load, expected ONNX") from error
        self._refuse_other_features(metadata, features)
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
        return require_numbers(self._run(np.frombuffer(vector, dtype=np.float32)), width=self._width)

    def _run(self, vector: "np.ndarray") -> Score:
        probability, contributions = self._session.run(_OUTPUTS, {"features": vector.reshape(1, -1)})
        return Score(
            float(probability.item()), tuple(contributions.reshape(-1).tolist()), self._intercept, self._version
        )

    def _refuse_other_features(self, metadata: dict[str, str], features: FeatureSet) -> None:
        fingerprint = metadata.get("fingerprint", "none")
        if fingerprint != features.fingerprint:
            raise ModelError(f"model {self._version}: found fingerprint {fingerprint}, expected {features.fingerprint}")
        try:
            names = json.loads(metadata.get("feature_names", "[]"))
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"model {self._version}: found feature names that are no JSON, expected a list of them"
            ) from error
        if not isinstance(names, list) or tuple(names) != features.names:
            found = f"{len(names)} other feature names" if isinstance(names, list) else f"a {type(names).__name__}"
            raise ModelError(f"model {self._version}: found {found}, expected the {self._width} declared feature names")

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
                score = require_numbers(self._run(np.full(self._width, value, dtype=np.float32)), width=self._width)
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
    """One thread: a row is too small to split."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
