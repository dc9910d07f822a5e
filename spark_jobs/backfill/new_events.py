"""The lake's events that an import has to bring: those that the shop's log and its earlier imports do not hold."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def select_new(lake: DataFrame, log: DataFrame, imported: DataFrame) -> DataFrame:
    """The lake's events (with `content`) that are not held in the content that they have in the lake.

    `log` holds shop_id, event_id and content of every accepted event of the archive, `imported` the same of the
    events of earlier imports, with the import's `number`. Of an id of an import the latest import's content counts; of
    any other id every content on the log counts.
    """
    latest = imported.groupBy("shop_id", "event_id").agg(F.max_by("content", "number").alias("content"))
    by_import = lake.join(latest, ["shop_id", "event_id", "content"], "left_anti")
    from_log = log.join(latest, ["shop_id", "event_id"], "left_anti")
    return by_import.join(from_log, ["shop_id", "event_id", "content"], "left_anti")
