"""The comparison of two engines' answers at every row and in every column; one column in memory at a time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyarrow import dataset

from benchmarks.windows_runs.question import answers


def unequal_values(answer: Path, other: Path) -> int:
    """The number of values in which two answers differ; ValueError when their rows are not the same."""
    order, other_order = _order(answer), _order(other)
    if len(order) != len(other_order):
        raise ValueError(f"{other}: found {len(other_order)} rows, expected every log index once: {len(order)}")
    differing = 0
    for one in answers():
        values, others = _column(answer, one.name)[order], _column(other, one.name)[other_order]
        differing += int(np.count_nonzero(values != others))
    return differing


def _order(answer: Path) -> NDArray[np.int64]:
    """The row of the answer at each log index, which runs from 0 on without a gap."""
    log_index = _column(answer, "log_index")
    order = np.argsort(log_index)
    if not np.array_equal(log_index[order], np.arange(len(log_index))):
        raise ValueError(f"{answer}: found {len(log_index)} rows of other log indexes, expected every log index once")
    return order


def _column(answer: Path, name: str) -> NDArray[np.int64]:
    table = dataset.dataset(answer, format="parquet").to_table(columns=[name])
    column: NDArray[np.int64] = table.column(name).to_numpy()
    if column.dtype != np.int64:
        raise ValueError(f"{answer}: found {name} as {column.dtype}, expected int64 without nulls")
    return column
