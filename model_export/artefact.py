"""The artefact of a training, read and checked: the linear model, a sample scored by the trainer, the challenger."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import InconsistentVersionWarning

from model_export.documents import Document, existing, read_document, read_task
from model_export.errors import ArtefactError, ModelRefusedError
from model_export.learnt import Range, Support, read_ranges, read_support
from service_quality.features.basis import OPERATIONS, Term
from service_quality.tasks.declared_tasks import Task

KIND = "logistic_regression"


@dataclass(frozen=True)
class Calibration:
    """log-odds = slope × (raw log-odds) + offset."""

    slope: float
    offset: float


@dataclass(frozen=True)
class Training:
    """The description of the training set; instants ISO 8601. `units` are the different conversations or customers."""

    first: str
    last: str
    rows: int
    units: int
    details: Mapping[str, object]


@dataclass(frozen=True)
class LinearModel:
    """A task's logistic regression over standardised basis terms: one mean, scale and coefficient a term.

    Features are held within `ranges`, None for an unlearnt one. A term with less than the least support has
    scale 0 and coefficient 0.
    """

    task: Task
    features: tuple[str, ...]
    meanings: tuple[str, ...]
    fingerprint: str
    terms: tuple[Term, ...]
    ranges: tuple[Range | None, ...]
    support: Support
    means: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    bias: float
    calibration: Calibration
    threshold: float
    l2: float
    training: Training
    metrics: Mapping[str, object]
    synthetic: bool

    @property
    def intercept(self) -> float:
        """The log-odds to which the contributions are added."""
        return self.calibration.slope * self.bias + self.calibration.offset


@dataclass(frozen=True)
class Sample:
    """Vectors (rows × features, float32, NaN missing) and their probabilities as the trainer computes them."""

    vectors: NDArray[np.float32]
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Challenger:
    """The challenger, with its metrics."""

    kind: str
    classifier: HistGradientBoostingClassifier
    metrics: Mapping[str, object]


@dataclass(frozen=True)
class Artefact:
    """Everything in the folder that `train_model` wrote."""

    model: LinearModel
    sample: Sample
    challenger: Challenger


def read_artefact(folder: Path) -> Artefact:
    """The artefact in a folder; NotThereError for a missing file, ArtefactError for wrong content.

    A challenger is a pickle: read artefacts only from where the own training job writes them.
    """
    model = read_model(read_document(folder / "model.json"))
    return Artefact(
        model, read_sample(existing(folder / "sample.parquet"), len(model.features)), _read_challenger(folder, model)
    )


def read_model(document: Document) -> LinearModel:
    """The linear model, refused when it was trained on other features than those of its task."""
    kind = document.text("kind")
    if kind != KIND:
        raise document.wrong("kind", kind, KIND)
    task = read_task(document)
    features = task.features
    fingerprint = document.text("fingerprint")
    if fingerprint != features.fingerprint:
        raise document.wrong("fingerprint", fingerprint, f"{features.fingerprint}, that of the features in service")
    names = tuple(document.items("features"))
    if names != features.names:
        raise document.wrong("features", names, f"the {len(features.names)} declared features in declared order")
    terms = tuple(_read_term(document, at, features.names) for at in range(len(document.items("terms"))))
    threshold = document.number("threshold")
    if not 0 < threshold < 1:
        raise document.wrong("threshold", threshold, "a probability between 0 and 1")
    support = read_support(document, features=len(names), terms=len(terms))
    scales, coefficients = _per_term(document, "scales", terms), _per_term(document, "coefficients", terms)
    for at, (scale, coefficient) in enumerate(zip(scales, coefficients, strict=True)):
        if scale < 0 or (scale == 0 and coefficient != 0):
            raise document.wrong(f"scales[{at}]", scale, f"a positive scale beside the coefficient {coefficient}")
        if coefficient and support.of(at) < support.least:
            found = f"{coefficient} of a term with support {support.of(at):g}"
            raise document.wrong(f"coefficients[{at}]", found, f"0 below the least support of {support.least:g}")
    return LinearModel(
        task=task,
        features=features.names,
        meanings=tuple(features.meanings.values()),
        fingerprint=fingerprint,
        terms=terms,
        ranges=read_ranges(document, len(names)),
        support=support,
        means=_per_term(document, "means", terms),
        scales=scales,
        coefficients=coefficients,
        bias=document.number("intercept"),
        calibration=_read_calibration(document.part("calibration")),
        threshold=threshold,
        l2=document.number("l2"),
        training=_read_training(document.part("training"), task),
        metrics=document.part("metrics").fields,
        synthetic=document.flag("synthetic"),
    )


def read_sample(path: Path, width: int) -> Sample:
    """The scored sample: columns features (list of float32) and probability."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ArtefactError(f"{path}: found no readable Parquet ({error!s:.120})") from error
    missing = {"features", "probability"} - set(table.column_names)
    if missing or not table.num_rows:
        found = f"{table.num_rows} rows of {', '.join(table.column_names)}"
        raise ArtefactError(f"{path}: found {found}; expected rows of features and probability")
    vectors = _read_vectors(path, table["features"], width)
    probabilities = table["probability"].to_numpy().astype(np.float64)
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ArtefactError(f"{path}: found a probability outside 0 to 1 or none at all, expected one in every row")
    return Sample(vectors, probabilities)


def _read_vectors(path: Path, column: pa.ChunkedArray, width: int) -> NDArray[np.float32]:
    """Rows × features; a null in a list is a missing value like NaN, since some writers exchange them."""
    if not pa.types.is_nested(column.type):
        raise ArtefactError(f"{path}: found features of type {column.type}, expected lists of numbers")
    lengths = set(pc.list_value_length(column).to_pylist())
    if lengths != {width}:
        raise ArtefactError(f"{path}: found vectors of length {lengths}, expected {width}, one value a feature")
    values = pc.list_flatten(column).to_numpy()
    rows: NDArray[np.float32] = values.reshape(-1, width).astype(np.float32)
    return rows


def _read_term(document: Document, at: int, names: tuple[str, ...]) -> Term:
    fields = document.items("terms")[at]
    if not isinstance(fields, dict):
        raise document.wrong(f"terms[{at}]", fields, "an object")
    part = Document(f"{document.name}: terms[{at}]", fields)
    term = Term(part.text("feature"), part.text("operation"), part.number("knot"), part.number("upper"))
    if term.feature not in names:
        raise part.wrong("feature", term.feature, "a declared feature")
    if term.operation not in OPERATIONS:
        raise part.wrong("operation", term.operation, f"one of {', '.join(OPERATIONS)}")
    if term.operation in ("ramp", "log_ramp") and term.upper <= term.knot:
        raise part.wrong("upper", term.upper, f"more than the knot {term.knot:g}")
    return term


def _per_term(document: Document, key: str, terms: tuple[Term, ...]) -> tuple[float, ...]:
    numbers = document.numbers(key)
    if len(numbers) != len(terms):
        raise document.wrong(key, len(numbers), f"{len(terms)} numbers, one a term")
    return numbers


def _read_calibration(part: Document) -> Calibration:
    slope = part.number("slope")
    if slope <= 0:
        raise ModelRefusedError(
            f"calibration: found a slope of {slope:.3g}, expected more than 0: on the latest rows before its cut the "
            "model orders conversations the wrong way round"
        )
    return Calibration(slope, part.number("offset"))


def _read_training(part: Document, task: Task) -> Training:
    first, last, rows = part.text("first"), part.text("last"), part.count("rows")
    return Training(first, last, rows, part.count(f"{task.unit}s"), part.fields)


def _read_challenger(folder: Path, model: LinearModel) -> Challenger:
    path = existing(folder / "challenger.joblib")
    described = read_document(folder / "challenger.json")
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            classifier = joblib.load(path)
        except InconsistentVersionWarning as error:
            raise ArtefactError(f"{path}: found it pickled by another scikit-learn: {error!s:.160}") from error
        except Exception as error:  # a damaged pickle can raise any error
            raise ArtefactError(f"{path}: found no readable model ({type(error).__name__}: {error!s:.120})") from error
    if not isinstance(classifier, HistGradientBoostingClassifier):
        raise ArtefactError(f"{path}: found {type(classifier).__name__}, expected HistGradientBoostingClassifier")
    if classifier.n_features_in_ != len(model.features) or list(classifier.classes_) != [0, 1]:
        found = f"{classifier.n_features_in_} features and classes {list(classifier.classes_)}"
        raise ArtefactError(f"{path}: found {found}, expected {len(model.features)} features and classes [0, 1]")
    if classifier.is_categorical_ is not None:
        raise ArtefactError(f"{path}: found categorical features, expected numbers only: others are not converted")
    return Challenger(described.text("kind"), classifier, described.part("metrics").fields)
