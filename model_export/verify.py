"""Proves an exported model by running the engines on the same rows: trainer, scikit-learn, ONNX in batch and alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from model_export.artefact import Artefact, LinearModel
from model_export.edge_rows import edge_rows
from model_export.parity import Answers, Parity, flipped, spread
from model_export.session import Session, Vectors, open_session, require_contract

ROWS_ALONE = 200


def verify_model(data: bytes, pipeline: Pipeline, artefact: Artefact) -> Parity:
    """The champion against the trainer's own probabilities and the pipeline; ModelRefusedError with the figures."""
    session = open_session(data)
    require_contract(session, artefact.model)
    parity = measure_model(session, pipeline, artefact)
    parity.require("model")
    return parity


def verify_challenger(data: bytes, artefact: Artefact) -> Parity:
    """The challenger against scikit-learn, on the same rows; ModelRefusedError with the figures."""
    session, classifier = open_session(data), artefact.challenger.classifier
    sample, edges = artefact.sample.vectors, edge_rows(artefact.model, artefact.sample.vectors)
    answers = [
        _answers(session, classifier, sample),
        _answers_alone(session, classifier, sample[:ROWS_ALONE]),
        _answers_alone(session, classifier, edges),
    ]
    parity = Parity(
        rows=len(sample),
        edge_rows=len(edges),
        rows_alone=len(sample[:ROWS_ALONE]) + len(edges),
        max_abs_diff=max_spread(answers),
        flipped=sum(flipped(found, artefact.model.threshold) for found in answers),
    )
    parity.require("challenger")
    return parity


def measure_model(session: Session, pipeline: Pipeline, artefact: Artefact) -> Parity:
    """The figures, without a judgement; the trainer's probabilities exist on the sample only."""
    model, sample = artefact.model, artefact.sample
    edges = edge_rows(model, sample.vectors)
    alone = sample.vectors[:ROWS_ALONE]
    answers = [
        {"trainer": sample.probabilities, **_answers(session, pipeline, sample.vectors)},
        {"trainer": sample.probabilities[:ROWS_ALONE], **_answers_alone(session, pipeline, alone)},
        _answers_alone(session, pipeline, edges),
    ]
    differences, sizes = _contribution_differences(session, pipeline, model, np.concatenate([sample.vectors, edges]))
    return Parity(
        rows=len(sample.vectors),
        edge_rows=len(edges),
        rows_alone=len(alone) + len(edges),
        max_abs_diff=max_spread(answers),
        flipped=sum(flipped(found, model.threshold) for found in answers),
        contributions_max_abs_diff=float(differences[: len(sample.vectors)].max()),
        contributions_max_relative_diff=float((differences / np.maximum(1, sizes)).max()),
    )


def max_spread(answers: Sequence[Answers]) -> float:
    """The widest spread; NaN if any is NaN."""
    return float(np.max([spread(found) for found in answers]))


def _answers(
    session: Session, pipeline: Pipeline | HistGradientBoostingClassifier, vectors: Vectors
) -> dict[str, NDArray[np.floating]]:
    return {"scikit-learn": pipeline.predict_proba(vectors)[:, 1], "onnx": session.probabilities(vectors)}


def _answers_alone(
    session: Session, pipeline: Pipeline | HistGradientBoostingClassifier, vectors: Vectors
) -> dict[str, NDArray[np.floating]]:
    return {**_answers(session, pipeline, vectors), "onnx alone": session.probabilities_alone(vectors)}


def _contribution_differences(
    session: Session, pipeline: Pipeline, model: LinearModel, vectors: Vectors
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By row: the larger of what the sum misses of the log-odds and what any contribution misses of the pipeline's;
    and the sum of absolute contributions."""
    columns = pipeline[:-1].transform(vectors)
    regression = pipeline[-1]
    given = session.contributions(vectors).astype(np.float64)
    by_sum = np.abs(given.sum(axis=1) + model.intercept - regression.decision_function(columns))
    by_feature = np.abs(given - regression.contributions(columns)).max(axis=1)
    return np.maximum(by_sum, by_feature), np.abs(given).sum(axis=1)
