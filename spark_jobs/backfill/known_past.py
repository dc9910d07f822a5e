"""The known past of shops before an import is made: the archive as read, the imports so far, the lake."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.events.interaction_event import FIELDS
from service_quality.events.positions import START
from spark_jobs.backfill.new_events import select_new
from spark_jobs.errors import InputError
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import EVENTS, read_events, read_imports
from spark_jobs.logs.archive import ENTRY_DDL, has_archive, read_entries, read_links, to_log, whole_until
from spark_jobs.logs.import_rows import OF_IMPORT, content_hash
from spark_jobs.logs.imported_log import NOT_YET, lake_events, locate_imports, noted_events, read_contents
from spark_jobs.logs.settings import LogSettings, read_brought, settings_of
from spark_jobs.logs.time_rows import interaction_events

Row = dict[str, Any]


@dataclass(frozen=True)
class KnownPast:
    """`log` is each shop's log up to the first gap of the archive, `entries` all archived up to there, `settings` those
    that it brought up to there, `until` its last position there.

    `accepted` are all events of the archive (shop_id, event_id, content), `recorded` the imports whose records it has,
    both also behind a gap. `imports` are the lake's rows of earlier imports, in their order, as of its snapshot
    `base`, and `imported` their events (import_rows.OF_IMPORT beside FIELDS, import_id and content).
    """

    entries: DataFrame
    settings: LogSettings
    log: DataFrame
    until: dict[str, str]
    accepted: DataFrame
    recorded: set[str]
    imports: list[Row]
    base: int | None
    imported: DataFrame
    snapshot: int | None

    def new_events(self, as_of: int) -> DataFrame:
        """The lake's events before an instant that neither the log nor an import holds (FIELDS and content)."""
        imported = self.imported.select("shop_id", "event_id", "content", "number")
        return select_new(self._lake(as_of), self.accepted, imported)

    def is_empty_before(self, as_of: int) -> bool:
        """Whether the lake holds no event before an instant."""
        return bool(self._lake(as_of).isEmpty())

    def _lake(self, as_of: int) -> DataFrame:
        return lake_events(self.log.sparkSession, self.snapshot).where(F.col("occurred_at") < as_of)


def read_past(spark: SparkSession, *, archive: str, state_table: str) -> KnownPast:
    """Read the archive and the lake's imports into a state table; without an archive the log is empty."""
    read_events(spark)  # MissingSourceError for a missing lake, before anything is written
    snapshot = snapshot_of(spark, EVENTS)
    noted, base = read_imports(spark)
    imports = [row.asDict() for row in noted.where(F.col("state_table") == state_table).collect()]
    imports.sort(key=lambda one: (one["shop_id"], one["number"]))
    archived = has_archive(spark, archive)
    entries = read_entries(spark, archive).cache() if archived else spark.createDataFrame([], ENTRY_DDL)
    until = whole_until([row.asDict() for row in read_links(spark, archive).collect()]) if archived else {}
    _refuse_shorter(imports, until)
    brought = read_brought(entries)
    everything = to_log(entries, settings_of(brought).policies)
    log = _as_far_as_whole(everything, until).cache()
    return KnownPast(
        entries=_as_far_as_whole(entries, until),
        settings=settings_of(one for one in brought if one.position <= until.get(one.shop_id, START)),
        log=log,
        until=until,
        accepted=interaction_events(everything.where("import_id is null")).select(
            "shop_id", "event_id", content_hash().alias("content")
        ),
        recorded={row["import_id"] for row in everything.where("import_id is not null").select("import_id").collect()},
        imports=imports,
        base=base,
        imported=_read_imported(spark, log, imports),
        snapshot=snapshot,
    )


def _refuse_shorter(imports: list[Row], until: dict[str, str]) -> None:
    for one in imports:
        if one["log_until"] > until.get(one["shop_id"], START):
            raise InputError(
                f"found an archive that ends before import {one['import_id']} of shop {one['shop_id']} was made, "
                "expected the archive of the same functions, whole up to there"
            )


def _as_far_as_whole(log: DataFrame, until: dict[str, str]) -> DataFrame:
    ends = log.sparkSession.createDataFrame(list(until.items()), "shop_id string, ends string")
    return log.join(F.broadcast(ends), "shop_id").where(F.col("position") <= F.col("ends")).drop("ends")


def _read_imported(spark: SparkSession, log: DataFrame, imports: list[Row]) -> DataFrame:
    if not imports:
        nothing = spark.createDataFrame([], ENTRY_DDL).select(*FIELDS, "import_id", F.lit("").alias("content"))
        return nothing.select("*", *(F.lit(0).cast("long").alias(name) for name in OF_IMPORT))
    contents = read_contents(spark, noted_events(spark, [one["import_id"] for one in imports]), imports)
    located = locate_imports(log, imports).select("import_id", *OF_IMPORT)
    return contents.join(F.broadcast(located), "import_id").select(*FIELDS, "import_id", "content", *OF_IMPORT).cache()


def locate_new(new: DataFrame, imports: Sequence[Row], past: KnownPast) -> DataFrame:
    """New events as those of each shop's next import, made at the end of the log as read (FIELDS and OF_IMPORT).

    `imports` are the rows of these imports: shop_id, number, policies_known.
    """
    spark = new.sparkSession
    names = ("shop_id", "number", "policies_known")
    of_shop = spark.createDataFrame(
        [tuple(one[name] for name in names) for one in imports], "shop_id string, number int, policies_known int"
    )
    ends = past.log.groupBy("shop_id").agg(
        F.max("log_index").alias("behind"), F.max("received_clock").alias("received_until")
    )
    zero = F.lit(0)
    return (
        new.join(F.broadcast(ends), "shop_id", "left")
        .join(F.broadcast(of_shop), "shop_id")
        .withColumn("behind", F.coalesce("behind", zero))
        .withColumn("received_until", F.coalesce("received_until", zero))
        .withColumn("log_index", F.lit(NOT_YET))
        .withColumn("clock", F.lit(NOT_YET))
        .select(*FIELDS, *OF_IMPORT)
    )
