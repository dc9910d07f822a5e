"""Check consistency: recompute every feature of every scored event from the archive and compare it bit for bit."""

import sys
from collections.abc import Sequence
from functools import reduce
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.features.feature_set import FEATURES
from spark_jobs.backfill.shop_past import fold_backfill
from spark_jobs.command_line import job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError, JobError
from spark_jobs.lake.tables import IMPORTS, read_events, read_table
from spark_jobs.logs.archive import broken_chains, read_entries, read_links, to_log
from spark_jobs.reader.comparison import compare_served
from spark_jobs.reader.served_features import compute_served_features

_DESCRIPTION = """Recomputes from the archived log, with the Spark reader, every feature of every event that was
scored, and compares it with what the functions served; says whether each shop's chain of archive rows is whole.

Exit code 1 when anything differs, is missing or too much, or a chain is broken."""

Row = dict[str, Any]


def find_imports(log: DataFrame, spark: SparkSession) -> list[Row]:
    """The marks of backfills on the log, with the snapshot and instant that each was made from."""
    marks = log.where("import_id is not null").select("shop_id", "import_id", "place", F.col("clock"))
    rows = [row.asDict() for row in marks.collect()]
    if not rows:
        return []
    known = {
        row["import_id"]: row.asDict() for row in read_table(spark, IMPORTS, made_by="materialize_histories").collect()
    }
    unknown = sorted({row["import_id"] for row in rows} - known.keys())
    if unknown:
        raise InputError(f"found imports {', '.join(unknown)} in the archive, expected them in {IMPORTS}")
    first: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: row["place"]):
        first.setdefault(
            (row["shop_id"], row["import_id"]),
            row | known[row["import_id"]] | {"place": row["place"], "clock": row["clock"]},
        )
    return list(first.values())


def recompute(spark: SparkSession, log: DataFrame) -> DataFrame:
    """Served features of the log (served_features.SERVED_DDL), what backfills brought included."""
    live = log.where("import_id is null")
    imports = find_imports(log, spark)
    if not imports:
        return compute_served_features(live, FEATURES)
    folded = reduce(DataFrame.unionByName, [_fold_import(spark, one) for one in imports]).cache()
    marks = spark.createDataFrame(
        [(one["shop_id"], one["import_id"], one["place"], one["clock"]) for one in imports],
        "shop_id string, import_id string, place long, clock long",
    )
    conversations = folded.join(F.broadcast(marks), ["shop_id", "import_id"]).select(
        "shop_id", "fold_key", "place", "conversation"
    )
    facts = (
        folded.join(F.broadcast(marks), ["shop_id", "import_id"])
        .select("shop_id", "place", "clock", F.explode("facts").alias("fact"))
        .select("shop_id", "place", "clock", "fact.*")
    )
    return compute_served_features(live, FEATURES, imports=conversations, past=facts)


def _fold_import(spark: SparkSession, one: Row) -> DataFrame:
    events = read_events(spark, snapshot=int(one["events_snapshot"])).where(F.col("shop_id") == one["shop_id"])
    as_of = F.timestamp_millis(F.lit(one["as_of"]))
    return fold_backfill(events, as_of, FEATURES).withColumn("import_id", F.lit(one["import_id"]))


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the archive, recompute, compare, say what differs."""
    parser = job_parser("check_consistency", _DESCRIPTION)
    parser.add_argument("archive", metavar="ARCHIVE", help="folder, s3a:// or s3:// of the functions' archive")
    options = parser.parse_args(arguments)
    spark = session_for(options, "check_consistency")
    entries = read_entries(spark, options.archive).cache()
    _refuse_other_fingerprints(entries)
    faults = broken_chains([row.asDict() for row in read_links(spark, options.archive).collect()])
    log = to_log(entries)
    counts = compare_served(log.where("import_id is null"), recompute(spark, log), features=len(FEATURES.features))
    by_feature = {
        ("clock" if row["feature"] < 0 else FEATURES.names[row["feature"]]): row.asDict() for row in counts.collect()
    }
    totals = {
        name: sum(row[name] for row in by_feature.values()) for name in ("compared", "mismatched", "missing", "extra")
    }
    differing = {
        name: {kind: row[kind] for kind in ("mismatched", "missing", "extra")}
        for name, row in by_feature.items()
        if row["mismatched"] or row["missing"] or row["extra"]
    }
    summary = {**totals, "chain": "broken" if faults else "whole", "faults": faults, "differing": differing}
    line = ", ".join(f"{count} {name}" for name, count in totals.items())
    print_summary(f"check_consistency: {line}; chain {summary['chain']}", summary, file=options.json)
    if faults or differing:
        named = "; ".join([*(f"{name} {found}" for name, found in list(differing.items())[:5]), *faults[:5]])
        raise JobError(f"served and recomputed differ: {named}")
    if not totals["compared"]:
        raise InputError("found no scored event in the archive, expected at least one")


def _refuse_other_fingerprints(entries: DataFrame) -> None:
    found = {row["fingerprint"] for row in entries.select("fingerprint").distinct().collect()}
    if found - {FEATURES.fingerprint}:
        raise InputError(f"found archive rows of features {', '.join(sorted(found))}, expected {FEATURES.fingerprint}")


if __name__ == "__main__":
    sys.exit(run_job(main))
