"""Recompute every feature of every scored event of the log, and compare it bit for bit."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.features.feature_set import FEATURES
from service_quality.tasks.declared_tasks import CHURN, Task
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COMPUTE, COUNT, READ
from spark_jobs.command_line import add_as_of, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError, JobError
from spark_jobs.logs.archive import broken_chains, to_log
from spark_jobs.logs.declared_features import Places, find_places
from spark_jobs.logs.entry_source import ARCHIVE_HELP, read_entries, read_links
from spark_jobs.logs.log_prefix import entries_by, links_by
from spark_jobs.logs.settings import read_settings
from spark_jobs.reader.behind_events import LogToRead, compute_at_and_behind
from spark_jobs.reader.comparison import compare_served
from spark_jobs.reader.counted_spans import counted_spans
from spark_jobs.reader.recorded_imports import join_imports
from spark_jobs.reader.served_features import compute_served_features
from spark_jobs.reader.served_tasks import read_served

_DESCRIPTION = """Recomputes from the log, with the Spark reader, every feature of every event that was
scored, and compares it with what the functions served; says whether each shop's chain of archive rows is whole. What
imports brought is read from the lake as it was when each was made, each event where it first entered.

So it does with what was served of customers to the model of churn, wherever the log has it: that model may come later
than a shop, so an event without it misses nothing.

What another version of the fold served, or of other features of such a task, is counted (of_other_folds,
of_other_features) and not compared: that version's code does it.

Exit code 1 when a value differs, is missing or superfluous, or a chain is broken."""

Row = dict[str, Any]
_FAULTS = ("mismatched", "missing", "extra")


def read_log(entries: DataFrame) -> LogToRead:
    """A log as features are recomputed from it, of all its entries."""
    policies = read_settings(entries).policies
    log = to_log(entries, policies)
    whole = join_imports(log)
    if "number" in whole.columns:
        whole = whole.persist(StorageLevel.DISK_ONLY)  # of imports, counted, then folded
    return LogToRead(log, whole, counted_spans(entries, log, FEATURES.plan), policies)


def own_entries(log: LogToRead) -> DataFrame:
    """The entries that this version of the fold made."""
    return log.accepted.where(F.col("import_id").isNull() & (F.col("fold_version") == FOLD_VERSION))


class Served(NamedTuple):
    """What was served of a task's entities (served_tasks.SERVED_TASK_DDL) by today's features; how often by others."""

    rows: DataFrame
    times: int
    of_other_features: int

    @classmethod
    def of(cls, own: DataFrame, task: Task) -> "Served":
        """What own entries of a log hold."""
        served = read_served(own, task).persist(StorageLevel.DISK_ONLY)
        present = served.where(F.col("fingerprint") == task.features.fingerprint)
        times = present.count()
        return cls(present, times, served.count() - times)


def compare(log: LogToRead, places: Places, served: Served) -> dict[str, Row]:
    """The counts of each feature of scored events and of the clock; of churn, wherever the log has it, too."""
    own, counts_by_name = own_entries(log), dict[str, Row]()
    if served.times:
        events, entities = compute_at_and_behind(log, FEATURES, CHURN)
        entities = entities.join(served.rows.select("shop_id", "log_index"), ["shop_id", "log_index"], "left_semi")
        counts = compare_served(served.rows, entities, {}, features=len(CHURN.features.features))
        names = [f"{CHURN.name}: {name}" for name in CHURN.features.names]
        counts_by_name = _by_name(counts, names, f"{CHURN.name}: clock")
    else:
        events = compute_served_features(log.whole, FEATURES, log.spans, log.policies)
    events = events.join(own.select("shop_id", "log_index"), ["shop_id", "log_index"], "left_semi")
    counts = compare_served(own, events, places, features=len(FEATURES.features))
    return _by_name(counts, FEATURES.names) | counts_by_name


def _by_name(counts: DataFrame, names: Sequence[str], clock: str = "clock") -> dict[str, Row]:
    return {(clock if row["feature"] < 0 else names[row["feature"]]): row.asDict() for row in counts.collect()}


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the log, recompute, compare, report the differences."""
    parser = job_parser("check_consistency", _DESCRIPTION)
    parser.add_argument("archive", nargs="?", metavar="ARCHIVE", help=ARCHIVE_HELP)
    add_as_of(parser)
    shop_help = "check the log of this shop alone; several times for several shops (default: all)"
    parser.add_argument("--shop", action="append", metavar="ID", help=shop_help)
    options = parser.parse_args(arguments)
    spark = session_for(options, "check_consistency")
    note_step(READ)
    chosen = F.col("shop_id").isin(options.shop) if options.shop else F.lit(True)
    whole = read_entries(spark, options.archive).where(chosen).cache()
    entries = entries_by(whole, options.as_of)
    places = find_places(entries, FEATURES)
    links = links_by(read_links(spark, options.archive).where(chosen), whole, options.as_of)
    faults = broken_chains([row.asDict() for row in links.collect()])
    note_step(COMPUTE)
    log = read_log(entries)
    served = Served.of(own_entries(log), CHURN)
    by_feature = compare(log, places, served)
    totals = {name: sum(row[name] for row in by_feature.values()) for name in ("compared", *_FAULTS)}
    differing = {
        name: {kind: row[kind] for kind in _FAULTS}
        for name, row in by_feature.items()
        if any(row[kind] for kind in _FAULTS)
    }
    note_step(COUNT)
    unscored = entries.where("score_failed is not null").count()
    of_others = log.accepted.where((F.col("fold_version") != FOLD_VERSION) & F.col("served_vector").isNotNull()).count()
    summary = {
        **totals,
        "unscored": unscored,
        "of_other_folds": of_others,
        "entities": {CHURN.name: served.times},
        "of_other_features": served.of_other_features,
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
