"""Imports as rows of a log: each event where the archive ended when its import was made.

Beside the columns of shop_log such a table has `number` (0 for the log itself, else the import's in its shop),
`behind` (the log index after which the row is folded: its own, or the last one that the import's job had read), `turn`
(the order among a conversation's events of an import), `received_until` (the received clock at `behind`) and
`policies_known` (how many of its shop's policies may judge the event: those before it on the log, or up to the one that
the import names). `log_index` and `clock` are those of the import record.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from service_quality.conversations.imported_part import CONTENT
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import FIELDS
from service_quality.instants import DAY
from spark_jobs.logs.shop_log import fold_key, in_log_order
from spark_jobs.logs.time_rows import interaction_events, with_reached

#: The columns of an import's events beside their fields.
OF_IMPORT = ("number", "behind", "received_until", "log_index", "clock", "policies_known")
_COLUMNS = (*FIELDS, "reached", *OF_IMPORT, "received_clock", "fold_key", "turn")
_MISSING = "\x1e"  # no value holds it, nor the separator: both are control characters


def content_hash() -> Column:
    """A hash of an event's content: of every field in which two events of one id can differ.

    Its instant is the one that the source stated, or the day, whatever the arrival made of it.
    """
    stated = F.coalesce("stated_at", "occurred_at")
    instant = F.when(F.col("precision") == "day", stated - F.pmod(stated, F.lit(DAY))).otherwise(stated)
    fields = (instant if name == "occurred_at" else F.col(name) for name in CONTENT)
    texts = (F.coalesce(one.cast("string"), F.lit(_MISSING)) for one in fields)
    return F.substring(F.sha2(F.concat_ws(SEPARATOR, *texts), 256), 1, 32)


def without_imports(log: DataFrame) -> DataFrame:
    """A log with the columns of imports, without any row of an import."""
    return (
        with_reached(_with_policies_known(log))
        .withColumn("number", F.lit(0))
        .withColumn("behind", F.col("log_index"))
        .withColumn("turn", F.lit(0))
        .withColumn("received_until", F.lit(None).cast("long"))
    )


def _with_policies_known(log: DataFrame) -> DataFrame:
    """A log with `policies_known`: 0 for one that is no shop's own log."""
    return log if "policies_known" in log.columns else log.withColumn("policies_known", F.lit(0))


def with_imports(log: DataFrame, rows: DataFrame) -> DataFrame:
    """A log (columns of shop_log) and rows of imports as one table."""
    return without_imports(log).select(*_COLUMNS).unionByName(rows)


def import_rows(log: DataFrame, events: DataFrame) -> DataFrame:
    """The rows of imports (FIELDS and OF_IMPORT).

    An event stays in the conversation that it entered first, where its id is known: a later content of it that names
    another conversation is left out.
    """
    own = Window.partitionBy("shop_id", "number", "fold_key")
    in_time = own.orderBy(*in_log_order())
    rows = (
        with_reached(events)
        .withColumn("fold_key", fold_key())
        .withColumn("received_clock", F.col("occurred_at"))
        .withColumn("turn", F.row_number().over(in_time))
        .select(*_COLUMNS)
    )
    first = _first_conversations(interaction_events(log), rows)
    joined = rows.join(first, ["shop_id", "number", "event_id"], "left")
    return joined.where(F.coalesce("first_key", "fold_key") == F.col("fold_key")).select(*_COLUMNS)


def _first_conversations(log: DataFrame, rows: DataFrame) -> DataFrame:
    """For each import's events that were known when it was made, the `first_key` that they folded under."""
    ids = ("shop_id", "event_id")
    zero = F.lit(0)
    known = (F.col("fold_key").alias("known_key"), F.col("number").alias("of"), F.col("at"))
    on_log = log.withColumn("number", zero).withColumn("at", F.col("log_index")).select(*ids, *known)
    imported = rows.withColumn("at", zero.cast("long")).select(*ids, *known)
    asked = rows.select(*ids, "number", "behind")
    found = asked.join(on_log.unionByName(imported), [*ids])
    earlier = found.where((F.col("of") < F.col("number")) & (F.col("at") <= F.col("behind")))
    return earlier.groupBy(*ids, "number").agg(F.min_by("known_key", F.struct("of", "at")).alias("first_key"))
