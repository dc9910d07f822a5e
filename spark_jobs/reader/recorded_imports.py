"""The imports whose records are on a log: what each brought, read from the lake as it was when it was made."""

from functools import reduce
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.interaction_event import FIELDS
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import IMPORTS, read_table
from spark_jobs.logs.import_rows import OF_IMPORT, import_rows, with_imports
from spark_jobs.logs.imported_log import lake_events, locate_imports
from spark_jobs.reader.entered_events import events_by_import

Row = dict[str, Any]


def imported_rows(log: DataFrame) -> DataFrame | None:
    """The rows of a log's imports (import_rows; `log` as of archive.to_log); None for a log without any."""
    imports = _find_imports(log)
    if not imports:
        return None
    live = log.where("import_id is null")
    return import_rows(live, events_by_import(_offered_events(log, imports), live))


def join_imports(log: DataFrame) -> DataFrame:
    """The events of a log (archive.to_log), with those of its imports where it has any (import_rows)."""
    live, imported = log.where("import_id is null"), imported_rows(log)
    return live if imported is None else with_imports(live, imported)


def _find_imports(log: DataFrame) -> list[Row]:
    """The lake's rows of the imports whose records are on the log, and of those that they take account of."""
    recorded = {row["import_id"] for row in log.where("import_id is not null").select("import_id").distinct().collect()}
    if not recorded:
        return []
    noted = read_table(log.sparkSession, IMPORTS, made_by="materialize_histories").collect()
    rows = {row["import_id"]: row.asDict() for row in noted}
    unknown = sorted(recorded - rows.keys())
    if unknown:
        raise InputError(f"found imports {', '.join(unknown)} in the archive, expected them in {IMPORTS}")
    latest: dict[tuple[str, str], int] = {}
    for one in (rows[import_id] for import_id in recorded):
        target = one["state_table"], one["shop_id"]
        latest[target] = max(one["number"], latest.get(target, 0))
    return [one for one in rows.values() if one["number"] <= latest.get((one["state_table"], one["shop_id"]), 0)]


def _offered_events(log: DataFrame, imports: list[Row]) -> DataFrame:
    """The lake's events when each import was made (entered_events.events_by_import)."""
    spark = log.sparkSession
    ends = spark.createDataFrame([(one["import_id"], one["as_of"]) for one in imports], "import_id string, as_of long")
    located = locate_imports(log, imports).join(ends, "import_id")
    runs = {one["events_snapshot"] for one in imports}
    offers = [
        lake_events(spark, snapshot)
        .join(F.broadcast(located.where(F.col("events_snapshot") == snapshot)), "shop_id")
        .where(F.col("occurred_at") < F.col("as_of"))
        .select(*FIELDS, "content", *OF_IMPORT)
        for snapshot in sorted(runs)
    ]
    return reduce(DataFrame.unionByName, offers)
