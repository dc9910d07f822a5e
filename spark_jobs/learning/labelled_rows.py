"""Rows of a training set: features at scored events, with the label that the last rating of their round gives."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from service_quality.instants import DAY

WARM_UP_DAYS = 4
#: The columns of a row before its label; instants in epoch milliseconds.
ROW_COLUMNS = ("event_id", "conversation_id", "shop_id", "kind", "occurred_at", "round", "features")
#: The columns of a rating: `round` is that which it rates, `label` 1 for a dissatisfied one and null for one that
#: nobody can read, `position` its place on the log, "" for a rating of an import.
RATING_COLUMNS = ("event_id", "conversation_id", "shop_id", "occurred_at", "round", "label", "position")
CONVERSATION, ROUND = ["shop_id", "conversation_id"], ["shop_id", "conversation_id", "round"]


def without_warm_up(served: DataFrame, days: int) -> DataFrame:
    """Leave out each shop's first days: rates of empty histories teach the model nothing."""
    first = served.groupBy("shop_id").agg(F.min("occurred_at").alias("first"))
    lived = F.col("occurred_at") >= F.col("first") + days * DAY
    return served.join(F.broadcast(first), "shop_id").where(lived).select(*served.columns)


def as_first_served(entries: DataFrame) -> DataFrame:
    """Accepted entries of a log, each event once: of one that was corrected, only what was served before that."""
    event = [*CONVERSATION, "event_id"]
    contents = entries.groupBy(*event).agg(F.min("position").alias("first"), F.count(F.lit(1)).alias("contents"))
    corrected = contents.where("contents > 1").drop("contents")
    return entries.join(corrected, event, "left").where("first is null or position = first").drop("first")


def merged_conversations(events: DataFrame) -> DataFrame:
    """The conversations of which an event says that they were merged into another: shop_id, conversation_id."""
    return events.where("merged_into is not null").select(*CONVERSATION).distinct()


def label_rounds(ratings: DataFrame, merged: DataFrame) -> DataFrame:
    """The last rating of each round as its label: shop_id, conversation_id, round, label, rated_at.

    `ratings` (RATING_COLUMNS) are in order of the log, those of imports before it, by instant, then id. A correction
    has the place of the rating that it corrects. A merged conversation has no rounds.
    """
    content = F.max_by(F.struct("round", "label", "occurred_at"), "position").alias("content")
    once = ratings.groupBy(*CONVERSATION, "event_id").agg(F.min("position").alias("place"), content)
    readable = once.where("content.label is not null").join(merged, CONVERSATION, "left_anti")
    order = F.struct("content.occurred_at", "place", "event_id")
    last = readable.groupBy(*CONVERSATION, F.col("content.round").alias("round")).agg(
        F.max_by("content", order).alias("last")
    )
    return last.select(*ROUND, F.col("last.label").alias("label"), F.col("last.occurred_at").alias("rated_at"))


def with_labels(rows: DataFrame, labels: DataFrame) -> DataFrame:
    """Rows of rated rounds (ROW_COLUMNS) as those of the training set; a round's rows share one unit of weight.

    A row behind the rating of its round has no label.
    """
    of_round = Window.partitionBy(*ROUND)
    return (
        rows.join(labels, ROUND)
        .where("rated_at >= occurred_at")
        .withColumn("weight", 1 / F.count(F.lit(1)).over(of_round))
        .withColumn("occurred_at", F.timestamp_millis("occurred_at"))
        .select(*ROW_COLUMNS, "label", "weight")
    )
