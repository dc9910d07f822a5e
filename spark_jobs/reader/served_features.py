"""Features at every scored event of a log, by the Spark reader: as they would have been, or were, served."""

import pyarrow as pa
from pyspark.sql import DataFrame

from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.folding import fold_live
from spark_jobs.reader.feature_columns import ShopColumns

SERVED_DDL = (
    "shop_id string, place bigint, clock bigint, event_id string, conversation_id string, kind string, "
    "occurred_at bigint, rating bigint, features array<float>"
)
_SERVED_COLUMNS = ("shop_id", "place", "clock", "event_id", "conversation_id", "kind", "occurred_at", "rating")
_PAST_FACTS = ("attributes", "at", "name", "value", "place", "clock")


def compute_served_features(
    log: DataFrame, features: FeatureSet, *, imports: DataFrame | None = None, past: DataFrame | None = None
) -> DataFrame:
    """Columns of shop_log → one row a scored event with its float32 vector (SERVED_DDL).

    `imports` are the conversations and `past` the facts (shop_id and _PAST_FACTS) that backfills brought, with the
    place and clock of their marks. One shuffle by conversation for the fold, one by shop for all windows.
    """
    folded = fold_live(log, features, imports)
    if past is None:
        by_shop = folded.groupBy("shop_id")
        return by_shop.applyInArrow(lambda shop: _served(shop, features, None), SERVED_DDL)
    return (
        folded.groupBy("shop_id")
        .cogroup(past.select("shop_id", *_PAST_FACTS).groupBy("shop_id"))
        .applyInArrow(lambda shop, facts: _served(shop, features, facts), SERVED_DDL)
    )


def _served(shop: pa.Table, features: FeatureSet, past: pa.Table | None) -> pa.Table:
    if not shop.num_rows:
        return pa.table({name: [] for name in (*_SERVED_COLUMNS, "features")}, schema=_served_schema())
    columns = ShopColumns(shop, features, past)
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
