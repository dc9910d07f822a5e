"""Fold the archive: bring new objects of the functions' archive into the lake's log, each archive row exactly once."""

import sys
import time
from collections.abc import Sequence

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from service_quality.instants import DAY, format_instant
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import UPKEEP, WRITE
from spark_jobs.command_line import job_parser, positive_argument, print_summary, run_job, session_for
from spark_jobs.lake.maintenance import compact, expire_snapshots
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.logs.archive_fold import Folded, archived_objects, fold_objects, in_pieces, new_objects, note_folded
from spark_jobs.logs.log_table import (
    FOLDED_OBJECTS,
    LOG,
    SORT_ORDER,
    create_log,
)

_DESCRIPTION = """Reads the archive's objects that were not folded yet, and adds their entries to the lake's table
`log`: events as folded, features as served, scores by model version, rejected records, declared plans and control
records, by the day received and the bucket of the shop, in log order. Second copies of archive rows are left out.

The job may be killed at any moment and run again, and two may run at once: no row is lost or doubled. Then small
files are joined into large ones, and snapshots older than --keep-days leave."""

KEEP_DAYS = 30
_ROWS_A_BATCH = 200  # handed to Python at once; an archive row has up to 350 KB


def fold_new(spark: SparkSession, archive: str) -> tuple[int, Folded]:
    """Fold every new object, piece by piece; returns how many there were, and their rows."""
    archived = archived_objects(spark, archive)  # before anything is written: nothing may lie there
    create_log(spark)
    objects = new_objects(spark, archived)
    folded = Folded(0, 0)
    for piece in in_pieces(objects):
        done = fold_objects(spark, archive, piece)
        note_folded(spark, piece)
        folded = Folded(folded.rows + done.rows, folded.second_copies + done.second_copies)
    return len(objects), folded


def keep_up(spark: SparkSession, *, before: int) -> tuple[int, int]:
    """Compact both tables and drop their snapshots made before an instant; returns the counts for the log."""
    compact(spark, FOLDED_OBJECTS, order="object")
    expire_snapshots(spark, FOLDED_OBJECTS, before=before)
    return compact(spark, LOG, order=SORT_ORDER), expire_snapshots(spark, LOG, before=before)


def received_until(spark: SparkSession) -> str | None:
    """The latest arrival of an event in the log; None for an empty one."""
    latest = spark.table(LOG).agg(F.unix_millis(F.max("received_at"))).collect()[0][0]
    return None if latest is None else format_instant(latest)


def main(arguments: Sequence[str]) -> None:
    """Entry point: fold what is new, then compact and expire."""
    parser = job_parser("fold_archive", _DESCRIPTION)
    parser.add_argument("archive", metavar="ARCHIVE", help="folder, s3a:// or s3:// of the functions' archive")
    keep_help = "days for which snapshots of the log can still be read (%(default)s)"
    parser.add_argument("--keep-days", type=positive_argument, default=KEEP_DAYS, metavar="N", help=keep_help)
    options = parser.parse_args(arguments)
    spark = session_for(options, "fold_archive")
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _ROWS_A_BATCH)
    note_step(WRITE)
    objects, folded = fold_new(spark, options.archive)
    note_step(UPKEEP)
    compacted, expired = keep_up(spark, before=int(time.time() * 1000) - options.keep_days * DAY)
    summary = {
        "objects": objects,
        **folded._asdict(),
        "compacted_files": compacted,
        "expired_snapshots": expired,
        "log_snapshot": snapshot_of(spark, LOG),
        "received_until": received_until(spark),
    }
    print_summary(
        f"fold_archive: {folded.rows} archive rows of {objects} new objects, {folded.second_copies} second copies"
        f" left out; {compacted} files compacted, {expired} snapshots expired",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
