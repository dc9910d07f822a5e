"""Read points of entities that no event of a folded log is: rows that are scored and bring no fact."""

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from spark_jobs.logs.folding import LIVE_DDL, whole_attributes
from spark_jobs.reader.window_sums import Integers


def as_scored(points: DataFrame, part: str, clock: str, *, values: int = 0) -> DataFrame:
    """Read points as rows of a folded log (folding.LIVE_SCHEMA).

    `points` have shop_id, log_index, the entity's name in the column `part`, and the clock in the column `clock`.
    `values` is the number of values of the conversation that are read, which are all missing.
    """
    known = {
        "shop_id": F.col("shop_id"),
        "log_index": F.col("log_index"),
        "clock": F.col(clock),
        "occurred_at": F.col(clock),
        "scored": F.lit(True),
        "attributes": whole_attributes(part, F.col(part)),
        "values": F.array_repeat(F.lit(float("nan")), values),
        "facts": F.array(),
    }
    fields = StructType.fromDDL(LIVE_DDL)
    assert isinstance(fields, StructType)  # of columns
    return points.select(*(known.get(one.name, F.lit(None)).cast(one.dataType).alias(one.name) for one in fields))


def without_read_points(folded: pa.RecordBatch, log_index: Integers) -> pa.RecordBatch:
    """Folded events (folding.LIVE_SCHEMA) at other log indexes; none of them is scored or rated."""
    rows = folded.num_rows
    return _replaced(
        folded,
        log_index=pa.array(log_index, pa.int64()),
        scored=pa.array(np.zeros(rows, dtype=np.bool_)),
        label=pa.nulls(rows, pa.int64()),
    )


def at_log_indexes(folded: pa.RecordBatch, log_index: Integers) -> pa.RecordBatch:
    """Folded events (folding.LIVE_SCHEMA) at other log indexes."""
    return _replaced(folded, log_index=pa.array(log_index, pa.int64()))


def at_places(folded: pa.RecordBatch, log_index: Integers, clock: Integers) -> pa.RecordBatch:
    """Folded events (folding.LIVE_SCHEMA) at other log indexes, with other clocks."""
    return _replaced(folded, log_index=pa.array(log_index, pa.int64()), clock=pa.array(clock, pa.int64()))


def _replaced(folded: pa.RecordBatch, **changed: pa.Array) -> pa.RecordBatch:
    columns = [changed.get(field.name, folded.column(field.name)) for field in folded.schema]
    return pa.RecordBatch.from_arrays(columns, schema=folded.schema)
