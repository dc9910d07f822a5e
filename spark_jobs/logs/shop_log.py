"""A shop's log as a table: events by log index, with the clocks after each.

Columns of a log: every field of an interaction event (instants as epoch milliseconds), `log_index` (the event's rank in
its shop's log), `clock` and `received_clock` (after it, itself included) and `fold_key` (what folds together).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.events.interaction_event import FIELDS
from service_quality.events.kinds import BEHAVIOUR
from service_quality.facts.entities import SEPARATOR
from service_quality.instants import DAY
from spark_jobs.logs.log_order import locate_in_logs

_INSTANTS = ("occurred_at", "received_at")


def event_columns() -> list[Column]:
    """The event fields of a lake table, instants as epoch milliseconds."""
    return [F.unix_millis(name).alias(name) if name in _INSTANTS else F.col(name) for name in FIELDS]


def fold_key() -> Column:
    """`conversation_key` of the core, as a column."""
    visit_day = F.floor(F.col("occurred_at") / DAY).cast("string")
    contact = F.concat(F.lit("contact" + SEPARATOR), "conversation_id")
    visit = F.concat(F.lit("visit" + SEPARATOR), "customer_id", F.lit(SEPARATOR), visit_day)
    in_conversation = F.col("conversation_id").isNotNull() & ~F.col("kind").isin(*BEHAVIOUR)
    return F.when(in_conversation, contact).otherwise(visit)


def order_by_time(events: DataFrame) -> DataFrame:
    """Give events (columns of `event_columns`) the log indexes and clocks of a replay in order of time.

    Ratings come after everything else of their millisecond, so that a rating known to the day only never comes
    before the events that led to it.
    """
    order = (F.col("occurred_at"), F.col("kind") == "rated", F.col("event_id"))
    return locate_in_logs(events, order).withColumn("fold_key", fold_key())
