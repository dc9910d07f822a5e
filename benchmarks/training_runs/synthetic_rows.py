"""Synthetic rows of a training set with the columns of the lake's: features as the product declares them, and labels.

Labels follow a linear model over the product's own basis, drawn once and true to the declared directions; so there is
something to learn, and a fit within the directions loses nothing by it.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from service_quality.features.basis import basis_of
from service_quality.features.declarations import EventValue, Feature, Mean, Rate, TimeSince, WindowRatio
from service_quality.features.expectations import Direction, direction_of
from service_quality.features.feature_set import FEATURES
from service_quality.instants import HOUR, MINUTE
from spark_jobs.learning.basis_columns import basis_columns

TERMS = basis_of(FEATURES)
WIDE = [(-1e12, 1e12)] * len(FEATURES.names)
_RISES = {feature.name for feature in FEATURES.features if direction_of(feature) is Direction.RISES}
_DIRECTED = np.array([term.feature in _RISES and term.operation != "missing" for term in TERMS])
_ROWS_A_PIECE = 250_000
_START = 1_767_600_000_000
_EFFECT, _USUAL_LOG_ODDS, _MOST_DEVIATIONS = 0.15, -1.7, 4.0
_SCHEMA = pa.schema(
    [
        ("shop_id", pa.string()),
        ("conversation_id", pa.string()),
        ("occurred_at", pa.timestamp("ms", tz="UTC")),
        ("features", pa.list_(pa.float32())),
        ("label", pa.int32()),
        ("weight", pa.float64()),
    ]
)


def write_rows(file: Path, *, rows: int, seed: int = 1) -> None:
    """Write a training set of so many rows."""
    chance = np.random.default_rng(seed)
    drawn = chance.normal(0, _EFFECT, len(TERMS))
    effects = np.where(_DIRECTED, np.maximum(np.abs(drawn), _EFFECT), drawn)
    with parquet.ParquetWriter(file, _SCHEMA, compression="snappy") as writer:
        for first in range(0, rows, _ROWS_A_PIECE):
            number = np.arange(first, min(rows, first + _ROWS_A_PIECE))
            vectors = np.column_stack([_values(feature, len(number), chance) for feature in FEATURES.features])
            chances = 1 / (1 + np.exp(-_log_odds(vectors, effects)))
            offsets = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
            columns = [
                pa.array(["shop"] * len(number)),
                pa.array(number).cast(pa.string()),
                pa.array(_START + number * MINUTE, type=_SCHEMA.field("occurred_at").type),
                pa.ListArray.from_arrays(offsets, pa.array(vectors.ravel())),
                pa.array((chance.random(len(number)) < chances).astype(np.int32)),
                pa.array(1.0 / chance.integers(1, 5, len(number))),
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))


def _log_odds(vectors: NDArray[np.float32], effects: NDArray[np.float64]) -> NDArray[np.float64]:
    basis = np.nan_to_num(basis_columns(vectors, FEATURES.names, TERMS, WIDE))
    spread = basis.std(axis=0)
    standard = (basis - basis.mean(axis=0)) / np.where(spread > 0, spread, 1)
    log_odds: NDArray[np.float64] = _USUAL_LOG_ODDS + np.clip(standard, -_MOST_DEVIATIONS, _MOST_DEVIATIONS) @ effects
    return log_odds


def _values(feature: Feature, rows: int, chance: np.random.Generator) -> NDArray[np.float32]:
    """Numbers such as the feature has: rates, shares, counts, times that may be missing."""
    match feature:
        case Rate():
            values = chance.beta(2, 8, rows)
        case WindowRatio():
            values = chance.random(rows)
        case TimeSince() | Mean():
            values = _with_missing(chance.lognormal(np.log(10 * MINUTE), 1.5, rows), 0.4, chance)
        case EventValue("answered"):
            values = (chance.random(rows) < 0.7).astype(np.float64)
        case EventValue("opened_hour"):
            values = chance.integers(0, 24 * HOUR, rows) / HOUR
        case EventValue(value) if value.endswith("_ms"):
            values = _with_missing(np.floor(chance.lognormal(np.log(10 * MINUTE), 3, rows)), 0.3, chance)
        case EventValue("price_minor"):
            values = _with_missing(np.floor(chance.lognormal(np.log(50_000), 1, rows)), 0.1, chance)
        case _:
            values = chance.poisson(chance.gamma(0.7, 4, rows)).astype(np.float64)
    return values.astype(np.float32)


def _with_missing(values: NDArray[np.float64], share: float, chance: np.random.Generator) -> NDArray[np.float64]:
    return np.where(chance.random(len(values)) < share, np.nan, values)
