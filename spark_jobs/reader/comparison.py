"""Served against recomputed, feature by feature and bit by bit."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

COUNTS_DDL = "feature int, compared bigint, mismatched bigint, missing bigint, extra bigint"
_CLOCK = -1  # the shop's clock is compared as if it were one more feature


def compare_served(served: DataFrame, recomputed: DataFrame, *, features: int) -> DataFrame:
    """Counts by feature number (COUNTS_DDL), −1 for the clock.

    served: shop_id, log_index, served_clock, served_vector (null where no vector was served), score_failed (null but
    where the archive says why); recomputed: SERVED_DDL.
    `missing` counts values that should have been served and were not, `extra` those served that should not have been.
    An event whose missing features the archive explains is neither.
    """
    pairs = (
        served.where("served_vector is not null or score_failed is not null")
        .select("shop_id", "log_index", "served_clock", "served_vector", "score_failed")
        .join(recomputed.select("shop_id", "log_index", F.col("clock"), "features"), ["shop_id", "log_index"], "full")
        .where("served_vector is not null or score_failed is null")
        .drop("score_failed")
    )

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _count(batch, features)

    counts = pairs.mapInArrow(compare, COUNTS_DDL)
    names = ("compared", "mismatched", "missing", "extra")
    return counts.groupBy("feature").agg(*(F.sum(name).alias(name) for name in names)).orderBy("feature")


def _count(batch: pa.RecordBatch, features: int) -> pa.RecordBatch:
    was_served = _present(batch, "served_vector")
    was_computed = _present(batch, "features")
    both = was_served & was_computed
    served = _grid(batch, "served_vector", both, features)
    computed = _grid(batch, "features", both, features)
    numbers = np.arange(-1, features, dtype=np.int32)
    clocks = batch.column("served_clock").to_numpy(zero_copy_only=False)[both]
    same_clock = clocks == batch.column("clock").to_numpy(zero_copy_only=False)[both]
    mismatched = np.concatenate(([np.sum(~same_clock)], np.sum(_bits(served) != _bits(computed), axis=0)))
    return pa.RecordBatch.from_pydict(
        {
            "feature": numbers,
            "compared": np.full(features + 1, both.sum()),
            "mismatched": mismatched.astype(np.int64),
            "missing": np.full(features + 1, (was_computed & ~was_served).sum()),
            "extra": np.full(features + 1, (was_served & ~was_computed).sum()),
        }
    )


def _present(batch: pa.RecordBatch, name: str) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    return present


def _grid(batch: pa.RecordBatch, name: str, chosen: NDArray[np.bool_], width: int) -> NDArray[np.float32]:
    flat = batch.column(name).filter(pa.array(chosen)).flatten().to_numpy(zero_copy_only=False)
    grid: NDArray[np.float32] = flat.astype(np.float32).reshape(-1, width)
    return grid


def _bits(grid: NDArray[np.float32]) -> NDArray[np.int32]:
    """The bit patterns, all kinds of NaN made one."""
    return np.where(np.isnan(grid), np.float32("nan"), grid).astype(np.float32).view(np.int32)
