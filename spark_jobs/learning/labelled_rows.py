"""Rows of a training set: features at scored events, with the label that the conversation's last rating gives."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from service_quality.facts.conversation_facts import DISSATISFIED_AT_MOST
from service_quality.instants import DAY

WARM_UP_DAYS = 4
#: The columns of a row before its label; instants in epoch milliseconds.
ROW_COLUMNS = ("event_id", "conversation_id", "shop_id", "kind", "occurred_at", "features")


def without_warm_up(served: DataFrame, days: int) -> DataFrame:
    """Leave out each shop's first days: rates of empty histories teach the model nothing."""
    first = F.min("occurred_at").over(Window.partitionBy("shop_id"))
    return served.withColumn("first", first).where(F.col("occurred_at") >= F.col("first") + days * DAY).drop("first")


def label_conversations(events: DataFrame, order: Column) -> DataFrame:
    """The last rating of each conversation, in this order, as a label: shop_id, conversation_id, label."""
    return (
        events.where("kind = 'rated' and conversation_id is not null")
        .groupBy("shop_id", "conversation_id")
        .agg(F.max_by("rating", order).alias("rating"))
        .select("shop_id", "conversation_id", (F.col("rating") <= DISSATISFIED_AT_MOST).cast("int").alias("label"))
    )


def with_labels(rows: DataFrame, labels: DataFrame) -> DataFrame:
    """Rows of rated conversations (ROW_COLUMNS) as those of the training set; a conversation's share one of weight."""
    conversation = Window.partitionBy("shop_id", "conversation_id")
    return (
        rows.join(labels, ["shop_id", "conversation_id"])
        .withColumn("weight", 1 / F.count(F.lit(1)).over(conversation))
        .withColumn("occurred_at", F.timestamp_millis("occurred_at"))
        .select(*ROW_COLUMNS, "label", "weight")
    )
