"""One model twice: exported to ONNX as in the registry, and pickled as a plain scikit-learn pipeline."""

from dataclasses import dataclass
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_export.export import export_model
from tests.parity.model_export.artefacts import write_artefact

ROWS = 400


@dataclass(frozen=True)
class Models:
    """The model's bytes, and the file of its peer."""

    onnx: bytes
    joblib: Path


def write_models(folder: Path) -> Models:
    """A made-up artefact through the real export, and a pipeline fitted on its vectors."""
    made_up = write_artefact(folder / "artefact", rows=ROWS)
    exported = export_model(made_up.folder, folder / "exported")
    pipeline = make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(max_iter=500)
    )
    pipeline.fit(made_up.vectors, np.arange(ROWS) % 2)
    file = folder / "pipeline.joblib"
    joblib.dump(pipeline, file)
    return Models(exported.path("model.onnx").read_bytes(), file)
