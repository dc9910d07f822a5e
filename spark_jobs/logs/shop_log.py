"""A shop's log as a table: events by log index, with the clocks after each.

Columns of a log: every field of an interaction event (instants as epoch milliseconds), `log_index` (the event's rank in
its shop's log), `clock` and `received_clock` (after it, itself included) and `fold_key` (what folds together). A log
with reached stages has them as rows between, with a column `reached` (time_rows).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.conversations.conversation import CONTACT, COUNT, DIGEST_LENGTH, VISIT
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import FIELDS, WORDS
from service_quality.events.kinds import OF_DAYS, QUESTIONS, RATED, STOCK
from service_quality.instants import DAY
from spark_jobs.lake.tables import INSTANTS
from spark_jobs.logs.log_order import locate_in_logs


def event_columns() -> list[Column]:
    """The event fields of a lake table, instants as epoch milliseconds."""
    return [F.unix_millis(name).alias(name) if name in INSTANTS else F.col(name) for name in FIELDS]


def without_words(log: DataFrame) -> DataFrame:
    """A log or events with `text_digest`, all that a fold reads of an event's words, in their place."""
    if not set(WORDS) <= set(log.columns):
        return log
    words = F.concat_ws(SEPARATOR, "event_id", *(F.coalesce(name, F.lit("")) for name in WORDS))
    digest = F.substring(F.sha2(words, 256), 1, DIGEST_LENGTH)
    has_words = F.coalesce(*WORDS).isNotNull()
    return log.withColumn("text_digest", F.when(has_words, digest)).drop(*WORDS)


def fold_key() -> Column:
    """`conversation_key` of the core, as a column."""
    day = F.floor(F.col("occurred_at") / DAY).cast("string")
    contact = F.concat(F.lit(CONTACT + SEPARATOR), "conversation_id")
    visit = F.concat(F.lit(VISIT + SEPARATOR), "customer_id", F.lit(SEPARATOR), day)
    count = F.concat(F.lit(COUNT + SEPARATOR), "sku", F.lit(SEPARATOR), day)
    in_conversation = F.col("conversation_id").isNotNull() & ~F.col("kind").isin(*OF_DAYS)
    return F.when(in_conversation, contact).when(F.col("kind").isin(*STOCK), count).otherwise(visit)


def in_log_order() -> tuple[Column, ...]:
    """`log_order` of the core, as columns to sort by; the last is unique in a shop."""
    kind = F.col("kind")
    rank = F.when(kind.isin(*QUESTIONS), 0).when(kind == "resolved", 2).when(kind == RATED, 3).otherwise(1)
    return F.col("occurred_at"), rank, F.coalesce("sequence", F.lit(-1)), F.col("event_id")


def order_by_time(events: DataFrame) -> DataFrame:
    """Give events (columns of `event_columns`) the log indexes and clocks of a replay in the order of `log_order`."""
    return locate_in_logs(events, in_log_order()).withColumn("fold_key", fold_key())
