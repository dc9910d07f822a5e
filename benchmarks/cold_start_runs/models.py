"""The models of both tasks exported to ONNX as in the registry, the first also as a plain scikit-learn pipeline."""

from dataclasses import dataclass
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_export.export import export_model
from service_quality.adapters.model_registry import pointer_key
from service_quality.tasks.declared_tasks import CHURN, DISSATISFACTION
from tests.parity.model_export.artefacts import write_artefact

ROWS = 400


@dataclass(frozen=True)
class Models:
    """The bytes of each task's model, by the name of its pointer, and the file of the first one's peer."""

    onnx: dict[str, bytes]
    joblib: Path


def write_models(folder: Path) -> Models:
    """A made-up artefact through the real export, and a pipeline fitted on its vectors."""
    made_up = write_artefact(folder / "artefact", rows=ROWS)
    churn = write_artefact(folder / "churn_artefact", rows=ROWS, task=CHURN)
    exported = {
        pointer_key(task)["sk"]["S"]: export_model(artefact.folder, folder / task.name)
        for task, artefact in ((DISSATISFACTION, made_up), (CHURN, churn))
    }
    pipeline = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=500)
    )
    pipeline.fit(made_up.vectors, np.arange(ROWS) % 2)
    file = folder / "pipeline.joblib"
    joblib.dump(pipeline, file)
    return Models({name: one.path("model.onnx").read_bytes() for name, one in exported.items()}, file)
