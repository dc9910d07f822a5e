"""The challenger: histogram gradient boosting on the raw features, trained beside the champion to be compared."""

import json
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.ensemble import HistGradientBoostingClassifier

from spark_jobs.learning.metrics import compute_metrics

_MOST_ROWS = 1_000_000
_QUANTILE_ERROR = 0.001


def latest_rows(rows: DataFrame, count: int) -> DataFrame:
    """The rows that the challenger may learn from, of so many: the latest million, and a few in a thousand more."""
    if count <= _MOST_ROWS:
        return rows
    share = max(0.0, 1 - _MOST_ROWS / count - _QUANTILE_ERROR)
    (since,) = rows.approxQuantile("at", [share], _QUANTILE_ERROR)
    return rows.where(F.col("at") >= since)


def train_challenger(
    rows: pd.DataFrame, *, judged_from: float, seed: int, horizon: int = 0
) -> tuple[HistGradientBoostingClassifier, dict[str, float | None]]:
    """Fit on the rows whose label had closed by an instant, `horizon` milliseconds after them, and measure on those
    from it on; rows: at, features, label, weight, by time.
    """
    rows = rows if len(rows) <= _MOST_ROWS else rows.iloc[-_MOST_ROWS:]
    vectors = np.array(rows["features"].tolist(), dtype=np.float32)
    vectors[0, np.isnan(vectors).all(axis=0)] = 0.0  # a column without any value cannot be binned
    labels, weights = rows["label"].to_numpy(), rows["weight"].to_numpy()
    fitted, cut = (int((rows["at"] < end).sum()) for end in (judged_from - horizon, judged_from))
    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=120, max_leaf_nodes=15, min_samples_leaf=200, l2_regularization=10.0,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
    model.fit(vectors[:fitted], labels[:fitted], sample_weight=weights[:fitted])
    measured = compute_metrics(labels[cut:], model.predict_proba(vectors[cut:])[:, 1], weights[cut:])
    return model, dict(measured)


def write_challenger(folder: Path, model: HistGradientBoostingClassifier, measured: dict[str, float | None]) -> None:
    """challenger.joblib and challenger.json in the artefact's folder."""
    joblib.dump(model, folder / "challenger.joblib")
    (folder / "challenger.json").write_text(
        json.dumps({"kind": "hist_gradient_boosting", "metrics": measured}, indent=2)
    )
