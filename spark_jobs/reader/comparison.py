"""Served against recomputed, feature by feature and bit by bit."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.logs.declared_features import Places

COUNTS_DDL = "feature int, compared bigint, mismatched bigint, missing bigint, extra bigint"
_CLOCK = -1  # the shop's clock is compared as if it were one more feature


def compare_served(served: DataFrame, recomputed: DataFrame, places: Places, *, features: int) -> DataFrame:
    """Counts by feature number (COUNTS_DDL), −1 for the clock.

    served: shop_id, log_index, served_clock, served_vector (null where no vector was served), fingerprint, score_failed
    (null but where the archive says why); recomputed: SERVED_DDL.
    `missing` counts values that should have been served and were not, `extra` those served that should not have been.
    An event whose missing features the archive explains is neither.
    """
    pairs = (
        served.where("served_vector is not null or score_failed is not null")
        .select("shop_id", "log_index", "served_clock", "served_vector", "fingerprint", "score_failed")
        .join(recomputed.select("shop_id", "log_index", F.col("clock"), "features"), ["shop_id", "log_index"], "full")
        .where("served_vector is not null or score_failed is null")
        .drop("score_failed")
    )

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            fingerprints = batch.column("fingerprint").fill_null("")  # an event without an entry misses all of today's
            for fingerprint in fingerprints.unique().to_pylist():
                own = places.get(fingerprint, range(features))
                yield _count(batch.filter(pa.compute.equal(fingerprints, fingerprint)), own)

    counts = pairs.mapInArrow(compare, COUNTS_DDL)
    names = ("compared", "mismatched", "missing", "extra")
    return counts.groupBy("feature").agg(*(F.sum(name).alias(name) for name in names)).orderBy("feature")


def _count(batch: pa.RecordBatch, places: Sequence[int]) -> pa.RecordBatch:
    """The counts of a batch whose vectors were all served by one declaration; 0 for a feature that it has not."""
    there = np.array([place >= 0 for place in places], dtype=np.bool_)
    was_served = _present(batch, "served_vector")
    was_computed = _present(batch, "features")
    both = was_served & was_computed
    served = (
        _grid(batch, "served_vector", both)[:, np.array(places)[there]] if both.any() else np.empty((0, there.sum()))
    )
    computed = _grid(batch, "features", both)[:, there] if both.any() else served
    differing = np.zeros(len(places), dtype=np.int64)
    differing[there] = np.sum(_bits(served) != _bits(computed), axis=0)
    clocks = batch.column("served_clock").to_numpy(zero_copy_only=False)[both]
    same_clock = clocks == batch.column("clock").to_numpy(zero_copy_only=False)[both]
    counted = np.concatenate(([True], there))
    return pa.RecordBatch.from_pydict(
        {
            "feature": np.arange(_CLOCK, len(places), dtype=np.int32),
            "compared": counted * both.sum(),
            "mismatched": np.concatenate(([np.sum(~same_clock)], differing)),
            "missing": counted * (was_computed & ~was_served).sum(),
            "extra": counted * (was_served & ~was_computed).sum(),
        }
    )


def _present(batch: pa.RecordBatch, name: str) -> NDArray[np.bool_]:
    present: NDArray[np.bool_] = batch.column(name).is_valid().to_numpy(zero_copy_only=False)
    return present


def _grid(batch: pa.RecordBatch, name: str, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    flat = batch.column(name).filter(pa.array(chosen)).flatten().to_numpy(zero_copy_only=False)
    grid: NDArray[np.float32] = flat.astype(np.float32).reshape(chosen.sum(), -1)
    return grid


def _bits(grid: NDArray[np.float32]) -> NDArray[np.int32]:
    """The bit patterns, all kinds of NaN made one."""
    return np.where(np.isnan(grid), np.float32("nan"), grid).astype(np.float32).view(np.int32)
