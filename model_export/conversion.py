"""The conversion from scikit-learn to ONNX bytes, with the metadata that a function checks."""

import json

import onnx
from onnx import helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.pipeline import Pipeline

from model_export.artefact import KIND, Challenger, LinearModel
from model_export.basis_transformer import register_basis
from model_export.boosting_converter import register_boosting
from model_export.explained_regression import register_explained_regression
from model_export.session import INPUT

#: Old enough for every onnxruntime from 1.17 on.
OPSET = {"": 18, "ai.onnx.ml": 3}


def convert_pipeline(pipeline: Pipeline, model: LinearModel) -> bytes:
    """The champion: `probability` [n] and `contributions` [n, features], both float32.

    The same artefact gives the same bytes, so that a version can be named by them.
    """
    register_basis()
    register_explained_regression()
    converted = convert_sklearn(
        pipeline,
        name="service_quality",
        initial_types=[(INPUT, FloatTensorType([None, len(model.features)]))],
        target_opset=OPSET,
    )
    _describe(converted, model, {"kind": KIND, "intercept": repr(model.intercept)})
    return _checked_bytes(converted)


def convert_challenger(challenger: Challenger, model: LinearModel) -> bytes:
    """The challenger on raw vectors: `probability` [n] float32 and no contributions."""
    register_boosting()
    converted = convert_sklearn(
        challenger.classifier,
        name="service_quality_challenger",
        initial_types=[(INPUT, FloatTensorType([None, len(model.features)]))],
        target_opset=OPSET,
    )
    _describe(converted, model, {"kind": challenger.kind})
    return _checked_bytes(converted)


def _describe(converted: onnx.ModelProto, model: LinearModel, more: dict[str, str]) -> None:
    helper.set_model_props(
        converted,
        {
            "task": model.task.name,
            "feature_names": json.dumps(model.features),
            "feature_meanings": json.dumps(model.meanings),
            "fingerprint": model.fingerprint,
            "threshold": repr(model.threshold),
            "training": json.dumps(model.training.details, sort_keys=True),
            "synthetic": json.dumps(model.synthetic),
            **more,
        },
    )


def _checked_bytes(converted: onnx.ModelProto) -> bytes:
    onnx.checker.check_model(converted, full_check=True)
    data: bytes = converted.SerializeToString(deterministic=True)
    return data
