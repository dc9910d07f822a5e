"""Features at every scored event of a log by the Spark reader, equal to the served ones."""

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import DataFrame

from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.folding import fold_live
from spark_jobs.reader.counted_spans import CountedSpans
from spark_jobs.reader.feature_columns import ShopColumns

SERVED_DDL = (
    "shop_id string, log_index bigint, clock bigint, event_id string, conversation_id string, kind string, "
    "occurred_at bigint, rating bigint, features array<float>"
)
_SERVED_COLUMNS = ("shop_id", "log_index", "clock", "event_id", "conversation_id", "kind", "occurred_at", "rating")


def compute_served_features(
    log: DataFrame, features: FeatureSet, spans: Mapping[str, CountedSpans] | None = None
) -> DataFrame:
    """Columns of shop_log, with or without those of imports → one row a scored event with its float32 vector
    (SERVED_DDL).

    `spans` are, by shop, those of columns that did not count from the first record on (counted_spans).
    One shuffle by conversation for the fold, one by shop for all windows.
    """
    folded = fold_live(log, features)
    return folded.groupBy("shop_id").applyInArrow(lambda shop: _served(shop, features, spans or {}), SERVED_DDL)


def _served(shop: pa.Table, features: FeatureSet, spans: Mapping[str, CountedSpans]) -> pa.Table:
    columns = ShopColumns(shop, features, spans.get(shop.column("shop_id")[0].as_py()))
    vectors = columns.vectors()
    lists = pa.ListArray.from_arrays(
        pa.array(range(0, vectors.size + 1, max(1, vectors.shape[1])), type=pa.int32()), pa.array(vectors.ravel())
    )
    served = columns.scored.select(_SERVED_COLUMNS).append_column("features", lists)
    return served.cast(_served_schema())


def _served_schema() -> pa.Schema:
    strings = ("shop_id", "event_id", "conversation_id", "kind")
    fields = [(name, pa.string() if name in strings else pa.int64()) for name in _SERVED_COLUMNS]
    return pa.schema([*fields, ("features", pa.list_(pa.float32()))])
