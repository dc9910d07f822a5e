"""Backfills: what a shop's past, up to an instant, adds to its conversations and histories."""

import hashlib

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.features.declarations import FeatureSet
from spark_jobs.logs.folding import fold_past
from spark_jobs.logs.shop_log import event_columns, order_by_time


def past_log(events: DataFrame, as_of: Column) -> DataFrame:
    """The log that a replay in order of time would have made of the lake's events before an instant (a timestamp)."""
    return order_by_time(events.where(F.col("occurred_at") < as_of).select(*event_columns()))


def fold_backfill(events: DataFrame, as_of: Column, features: FeatureSet) -> DataFrame:
    """Every conversation of the past as it ended, and its facts (folding.PAST_SCHEMA)."""
    return fold_past(past_log(events, as_of), features)


def import_id(*, shop_id: str, snapshot: int, as_of: str, plan_digest: str) -> str:
    """The same past gives the same import, so materializing it again changes nothing."""
    named = "|".join((shop_id, str(snapshot), as_of, plan_digest))
    return hashlib.sha256(named.encode()).hexdigest()[:20]
