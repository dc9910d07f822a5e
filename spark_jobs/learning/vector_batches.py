"""Numpy over the rows of a training set, batch by batch, on the executors."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from spark_jobs.learning.basis_columns import Matrix, Vectors

Expand = Callable[[Vectors], Matrix]
Summarise = Callable[[Vectors, NDArray[np.float64]], pa.RecordBatch]

_ROW_DDL = "shop_id string, unit_id string, at bigint, label double, weight double"


def with_matrix(rows: DataFrame, width: int, expand: Expand) -> DataFrame:
    """Add the column `matrix`: the result of `expand` for vectors of this width (columns of training_rows)."""

    def widen(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            matrix = expand(_vectors(batch, width))
            offsets = pa.array(np.arange(0, matrix.size + 1, max(1, matrix.shape[1]), dtype=np.int32))
            lists = pa.ListArray.from_arrays(offsets, pa.array(matrix.ravel()))
            yield pa.RecordBatch.from_arrays([*batch.columns, lists], names=[*batch.schema.names, "matrix"])

    return rows.mapInArrow(widen, f"{_ROW_DDL}, features array<float>, matrix array<double>")


def summaries(rows: DataFrame, width: int, summarise: Summarise, ddl: str) -> DataFrame:
    """The result of `summarise` for each batch of vectors and their weights, to be added up."""
    read = partial(_vectors, width=width)

    def summarised(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield summarise(read(batch), batch.column("weight").to_numpy())

    return rows.select("features", "weight").mapInArrow(summarised, ddl)


def _vectors(batch: pa.RecordBatch, width: int) -> Vectors:
    flat: Vectors = batch.column("features").flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(-1, width).astype(np.float32)
