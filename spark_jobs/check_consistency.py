"""Recompute every feature of every scored event of the log, and compare it bit for bit."""

import sys
from collections.abc import Sequence
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.features.feature_set import FEATURES
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COMPUTE, COUNT, READ
from spark_jobs.command_line import add_as_of, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError, JobError
from spark_jobs.logs.archive import broken_chains, to_log
from spark_jobs.logs.declared_features import find_places
from spark_jobs.logs.entry_source import ARCHIVE_HELP, read_entries, read_links
from spark_jobs.logs.log_prefix import entries_by, links_by
from spark_jobs.logs.policies import PoliciesByShop
from spark_jobs.logs.settings import read_settings
from spark_jobs.reader.comparison import compare_served
from spark_jobs.reader.counted_spans import counted_spans
from spark_jobs.reader.recorded_imports import join_imports
from spark_jobs.reader.served_features import compute_served_features

_DESCRIPTION = """Recomputes from the log, with the Spark reader, every feature of every event that was
scored, and compares it with what the functions served; says whether each shop's chain of archive rows is whole. What
imports brought is read from the lake as it was when each was made, each event where it first entered.

What another version of the fold served is counted (of_other_folds) and not compared: that version's code does it.

Exit code 1 when a value differs, is missing or superfluous, or a chain is broken."""

Row = dict[str, Any]


def recompute(entries: DataFrame, log: DataFrame, policies: PoliciesByShop) -> DataFrame:
    """Features of the log with its imports, as they were to be served (served_features.SERVED_DDL)."""
    spans = counted_spans(entries, log, FEATURES.plan)
    whole = join_imports(log)
    if "number" in whole.columns:
        whole = whole.persist(StorageLevel.DISK_ONLY)  # of imports, counted, then folded
    return compute_served_features(whole, FEATURES, spans, policies)


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the log, recompute, compare, report the differences."""
    parser = job_parser("check_consistency", _DESCRIPTION)
    parser.add_argument("archive", nargs="?", metavar="ARCHIVE", help=ARCHIVE_HELP)
    add_as_of(parser)
    options = parser.parse_args(arguments)
    spark = session_for(options, "check_consistency")
    note_step(READ)
    whole = read_entries(spark, options.archive).cache()
    entries = entries_by(whole, options.as_of)
    places = find_places(entries, FEATURES)
    links = links_by(read_links(spark, options.archive), whole, options.as_of)
    faults = broken_chains([row.asDict() for row in links.collect()])
    note_step(COMPUTE)
    policies = read_settings(entries).policies
    log = to_log(entries, policies)
    recomputed = recompute(entries, log, policies)
    own = log.where(F.col("import_id").isNull() & (F.col("fold_version") == FOLD_VERSION))
    recomputed = recomputed.join(own.select("shop_id", "log_index"), ["shop_id", "log_index"], "left_semi")
    counts = compare_served(own, recomputed, places, features=len(FEATURES.features))
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
    note_step(COUNT)
    unscored = entries.where("score_failed is not null").count()
    of_others = log.where((F.col("fold_version") != FOLD_VERSION) & F.col("served_vector").isNotNull()).count()
    summary = {
        **totals,
        "unscored": unscored,
        "of_other_folds": of_others,
        "chain": "broken" if faults else "whole",
        "faults": faults,
        "differing": differing,
    }
    line = ", ".join(f"{count} {name}" for name, count in {**totals, "unscored": unscored}.items())
    print_summary(f"check_consistency: {line}; chain {summary['chain']}", summary, file=options.json)
    if faults or differing:
        named = "; ".join([*(f"{name} {found}" for name, found in list(differing.items())[:5]), *faults[:5]])
        raise JobError(f"served and recomputed differ: {named}")
    if not totals["compared"]:
        raise InputError("found no scored event in the log, expected at least one")


if __name__ == "__main__":
    sys.exit(run_job(main))
