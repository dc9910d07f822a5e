"""The trained model as a scikit-learn pipeline: basis, standardisation, explained regression with its calibration."""

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from model_export.artefact import LinearModel
from model_export.basis_transformer import BasisTransformer
from model_export.explained_regression import ExplainedRegression


def build_pipeline(model: LinearModel) -> Pipeline:
    """A fitted pipeline from float32 vectors to probabilities; calibration is folded into the weights."""
    owner = {name: at for at, name in enumerate(model.features)}
    regression = ExplainedRegression(
        coefficients=model.calibration.slope * np.array(model.coefficients),
        intercept=model.intercept,
        owners=[owner[term.feature] for term in model.terms],
        width=len(model.features),
    )
    return Pipeline(
        [
            ("basis", BasisTransformer(model.features, model.terms, model.ranges, model.means)),
            ("scaler", _given_scaler(model)),
            ("regression", regression),
        ]
    )


def _given_scaler(model: LinearModel) -> StandardScaler:
    """A scaler that has seen the training set; a term that never varied is not divided, its weight is 0."""
    scaler = StandardScaler()
    scales = np.array(model.scales)
    scaler.mean_ = np.array(model.means)
    scaler.scale_ = np.where(scales == 0, 1.0, scales)
    scaler.var_ = scaler.scale_**2
    scaler.n_features_in_ = len(scales)
    scaler.n_samples_seen_ = model.training.rows
    return scaler
