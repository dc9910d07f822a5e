"""The log by an instant, for every job that takes `--as-of`: a prefix of each shop's log, so that it stays whole.

An entry states an arrival that is never later than its own on the log, and the log is in order of arrival. So whatever
follows an entry received at the instant or later was not in the log by then, also where it states an earlier arrival.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def entries_by(entries: DataFrame, as_of: int | None) -> DataFrame:
    """The entries before their shop's first one received at an instant or later; all of them without an instant.

    `entries` are those of the whole log (archive.ENTRY_DDL), `as_of` is in epoch milliseconds. Entries without an
    arrival (rejected records, duplicates, most control records) are kept as far as the prefix reaches.
    """
    return entries if as_of is None else _before_later(entries, entries, as_of, place="position")


def links_by(links: DataFrame, entries: DataFrame, as_of: int | None) -> DataFrame:
    """The links (archive.LINK_DDL) that follow a position of the prefix; all of them without an instant.

    The link in which the prefix ends is the last. `entries` are those of the whole log.
    """
    return links if as_of is None else _before_later(links, entries, as_of, place="follows")


def _before_later(rows: DataFrame, entries: DataFrame, as_of: int, *, place: str) -> DataFrame:
    later = entries.where(F.col("received_at") >= as_of).groupBy("shop_id").agg(F.min("position").alias("later"))
    kept = rows.join(F.broadcast(later), "shop_id", "left").where(
        F.col("later").isNull() | (F.col(place) < F.col("later"))
    )
    return kept.select(*rows.columns)
