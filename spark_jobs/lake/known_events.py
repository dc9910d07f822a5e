"""Events that the lake has already: which of new ones say something else, and their corrections."""

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from service_quality.events.interaction_event import ANNOTATIONS
from spark_jobs.lake.snapshots import Written, only_writer, snapshot_of, table_exists
from spark_jobs.lake.tables import EVENTS, EVENTS_KEY, EVENTS_SCHEMA, write_events

#: Columns that are no content: the arrival, annotations, and the file.
_NO_CONTENT = ("received_at", "stated_at", *ANNOTATIONS, "source")
#: The places that are named of events that differ.
MOST_PLACES = 3
_CONTENT = tuple(name for name in EVENTS_SCHEMA.fieldNames() if name not in _NO_CONTENT)


class Change(NamedTuple):
    """Events written: new ones, and those that the lake had with other content, corrected or left as they were.

    Of these the `fields` that differ, most frequent first, and the first `places`, of file and line.
    """

    new: int
    differing: int
    corrected: int
    snapshot: int | None
    fields: tuple[str, ...] = ()
    places: tuple[tuple[str, int], ...] = ()


def content_of(prefix: str = "") -> Column:
    """A hash of what an event says, of columns with this prefix."""
    return F.xxhash64(*(F.coalesce(F.col(f"{prefix}{name}").cast("string"), F.lit("\0")) for name in _CONTENT))


def write_later(events: DataFrame, *, corrects: bool) -> Change:
    """Add the events (EVENTS_SCHEMA, each key once) that the lake lacks; of others those with new content are counted.

    With `corrects` they take the place of what the lake has. `events` also have the file and line they come from
    (from_file, from_line).
    """
    spark = events.sparkSession
    differing = _differing(events)
    count = 0 if differing is None else differing.count()
    fields: tuple[str, ...] = ()
    places: tuple[tuple[str, int], ...] = ()
    corrected = 0
    if count and differing is not None:
        fields, places = _described(differing)
        corrected = _correct(differing.select(*EVENTS_SCHEMA.fieldNames())) if corrects else 0
    written: Written = write_events(events.select(*EVENTS_SCHEMA.fieldNames()))
    return Change(written.rows, count, corrected, snapshot_of(spark, EVENTS), fields, places)


def _described(differing: DataFrame) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """The fields in which events differ from the lake's, most frequent first, and the first places."""
    counts = differing.agg(*(F.sum(F.array_contains("changed", name).cast("int")).alias(name) for name in _CONTENT))
    by_field = counts.first().asDict()  # type: ignore[union-attr]  # of a count above 0
    fields = sorted((name for name, count in by_field.items() if count), key=lambda name: (-by_field[name], name))
    places = differing.select("from_file", "from_line").distinct()
    first = places.orderBy("from_file", "from_line").head(MOST_PLACES)
    return tuple(fields), tuple((row["from_file"], row["from_line"]) for row in first)


def _differing(events: DataFrame) -> DataFrame | None:
    """The events of which the lake has another content; None without a table."""
    spark = events.sparkSession
    if not table_exists(spark, EVENTS):
        return None
    shops = [row["shop_id"] for row in events.select("shop_id").distinct().collect()]
    known = spark.table(EVENTS).where(F.col("shop_id").isin(shops))
    has = [F.col(name) if name in known.columns else F.lit(None).cast("string").alias(name) for name in _CONTENT]
    theirs = [F.col(name).alias(f"known_{name}") for name in _CONTENT if name not in EVENTS_KEY]
    known = known.select(*has).select(*EVENTS_KEY, *theirs, content_of().alias("known_content"))
    changed = [
        F.when(~F.col(name).eqNullSafe(F.col(f"known_{name}")), F.lit(name))
        for name in _CONTENT
        if name not in EVENTS_KEY
    ]
    return (
        events.withColumn("content", content_of())
        .join(known, list(EVENTS_KEY))
        .where("content <> known_content")
        .select(*events.columns, F.array_compact(F.array(*changed)).alias("changed"))
        .persist()
    )


def _correct(differing: DataFrame) -> int:
    """Put events in the place of those that the lake has under their ids; the number of them."""
    spark = differing.sparkSession
    # its rows as they are: a merge takes none that are numbered while they are read
    corrections = differing.localCheckpoint()
    corrections.createOrReplaceTempView("corrections")
    same = " and ".join(f"known.{name} = corrected.{name}" for name in EVENTS_KEY)
    others = [name for name in EVENTS_SCHEMA.fieldNames() if name not in EVENTS_KEY]
    changes = ", ".join(f"known.{name} = corrected.{name}" for name in others)
    merge = f"MERGE INTO {EVENTS} known USING corrections corrected ON {same}"
    with only_writer(spark, EVENTS):
        spark.sql(f"{merge} WHEN MATCHED THEN UPDATE SET {changes}")
    spark.catalog.refreshTable(EVENTS)
    return corrections.count()
