"""A promoted model in ONNX: probability and contributions of one vector at a time."""

import json
from math import isfinite

import numpy as np
import onnxruntime

from service_quality.errors import ModelError
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score

_OUTPUTS = ["probability", "contributions"]


class OnnxScorer:
    """Implements `scores.Scorer`. ModelError where the file is no model of the features in service."""

    def __init__(self, data: bytes, version: str, features: FeatureSet = FEATURES) -> None:
        self._version = version
        try:
            self._session = onnxruntime.InferenceSession(data, _options(), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no root of its errors
            raise ModelError(f"model {version}: found a file that does not load, expected ONNX") from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._refuse_other_features(metadata, features)
        try:
            self._intercept = float(metadata["intercept"])
        except (KeyError, ValueError) as error:
            raise ModelError(f"model {version}: found no intercept in its metadata, expected a number") from error
        self._refuse_other_outputs(len(features.names))

    @property
    def version(self) -> str:
        """The version under which the registry keeps it."""
        return self._version

    def score(self, vector: Vector) -> Score:
        """Score a float32 vector in declared order.

        ArithmeticError where the model gives no number: then the event is at fault as much as the model, and is
        kept aside like any that cannot be folded.
        """
        probability, contributions = self._run(np.frombuffer(vector, dtype=np.float32))
        if not isfinite(probability):
            raise ArithmeticError(f"model {self._version}: found {probability}, expected a probability")
        return Score(probability, tuple(contributions), self._intercept, self._version)

    def _run(self, vector: "np.ndarray") -> tuple[float, list[float]]:
        probability, contributions = self._session.run(_OUTPUTS, {"features": vector.reshape(1, -1)})
        return float(probability.reshape(-1)[0]), contributions.reshape(-1).tolist()

    def _refuse_other_features(self, metadata: dict[str, str], features: FeatureSet) -> None:
        fingerprint = metadata.get("fingerprint", "none")
        if fingerprint != features.fingerprint:
            raise ModelError(f"model {self._version}: found fingerprint {fingerprint}, expected {features.fingerprint}")
        names = json.loads(metadata.get("feature_names", "[]"))
        if tuple(names) != features.names:
            raise ModelError(
                f"model {self._version}: found {len(names)} feature names, expected the {len(features.names)} declared"
            )

    def _refuse_other_outputs(self, width: int) -> None:
        """Run it once with nothing known, so that a wrong shape shows here and not at the first event."""
        try:
            probability, contributions = self._run(np.full(width, np.nan, dtype=np.float32))
        except Exception as error:  # whatever a wrong graph raises
            raise ModelError(
                f"model {self._version}: found a graph that does not run, expected features to {', '.join(_OUTPUTS)}"
            ) from error
        if not 0 <= probability <= 1 or len(contributions) != width:
            raise ModelError(
                f"model {self._version}: found probability {probability} and {len(contributions)} contributions, "
                f"expected 0 to 1 and {width}"
            )


def _options() -> onnxruntime.SessionOptions:
    """One thread: a row is too small to share out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options
