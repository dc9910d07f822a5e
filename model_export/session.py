"""The session over exported bytes, as a function runs them."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from model_export.errors import ModelRefusedError
from service_quality.tasks.declared_tasks import DISSATISFACTION

if TYPE_CHECKING:
    from model_export.artefact import LinearModel

INPUT = "features"

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Session:
    """An ONNX session and the metadata of its file."""

    onnx: onnxruntime.InferenceSession
    metadata: dict[str, str]

    def probabilities(self, vectors: Vectors) -> NDArray[np.float32]:
        """One float32 probability a row, all rows in one call."""
        found: NDArray[np.float32] = self.onnx.run(["probability"], {INPUT: vectors})[0]
        return found

    def probabilities_alone(self, vectors: Vectors) -> NDArray[np.float32]:
        """The same, one call a row, as most events are scored."""
        return np.concatenate([self.probabilities(row[np.newaxis]) for row in vectors])

    def contributions(self, vectors: Vectors) -> NDArray[np.float32]:
        """Rows × features, log-odds."""
        found: NDArray[np.float32] = self.onnx.run(["contributions"], {INPUT: vectors})[0]
        return found


def open_session(data: bytes) -> Session:
    """A session over the bytes of a model; one thread, so that sums are added in one order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own for every status
        raise ModelRefusedError(f"found no model that onnxruntime loads ({error!s:.160})") from error
    return Session(session, dict(session.get_modelmeta().custom_metadata_map))


def require_contract(session: Session, model: "LinearModel") -> None:
    """ModelRefusedError unless inputs, outputs, task, names and fingerprint are what the functions expect."""
    width = len(model.features)
    found = [
        (port.name, port.type, port.shape[1:]) for port in (*session.onnx.get_inputs(), *session.onnx.get_outputs())
    ]
    expected = [
        (INPUT, "tensor(float)", [width]),
        ("probability", "tensor(float)", []),
        ("contributions", "tensor(float)", [width]),
    ]
    if found != expected:
        raise ModelRefusedError(f"inputs and outputs: found {found}, expected {expected}")
    for key, value in (
        ("task", model.task.name),
        ("fingerprint", model.fingerprint),
        ("feature_names", json.dumps(model.features)),
        ("feature_meanings", json.dumps(model.meanings)),
        ("intercept", repr(model.intercept)),
    ):
        found_value = session.metadata.get(key, DISSATISFACTION.name if key == "task" else None)
        if found_value != value:
            raise ModelRefusedError(f"metadata {key}: found {found_value!s:.80}, expected {value:.80}")
