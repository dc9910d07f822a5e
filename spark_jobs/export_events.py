"""Write the events from a given day on as JSON lines, in the order of a log, ready to be replayed."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import functions as F

from cli.atomic_write import atomic_file
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.instants import format_instant
from spark_jobs.command_line import instant_argument, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import read_events
from spark_jobs.logs.shop_log import event_columns, in_log_order

_DESCRIPTION = """Writes the events that occurred at or after an instant as canonical JSON lines, in the order in which
a replay puts them on the log: by time; of one millisecond questions first, ratings last."""


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the lake, order, write one file that appears whole or not at all."""
    parser = job_parser("export_events", _DESCRIPTION)
    parser.add_argument("--since", type=instant_argument, required=True, metavar="DAY", help="the first day to export")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jsonl", help="where the lines go")
    options = parser.parse_args(arguments)
    spark = session_for(options, "export_events")
    all_events = read_events(spark)
    later = all_events.where(F.col("occurred_at") >= F.timestamp_millis(F.lit(options.since))).select(*event_columns())
    ordered = later.orderBy(*in_log_order(), "shop_id")
    written = 0
    with atomic_file(options.output) as unfinished:
        with unfinished.open("wb") as lines:
            for row in ordered.toLocalIterator(prefetchPartitions=True):
                lines.write(event_to_json(InteractionEvent(**{name: row[name] for name in FIELDS})) + b"\n")
                written += 1
        if not written:
            last = all_events.agg(F.date_format(F.max("occurred_at"), "yyyy-MM-dd")).collect()[0][0]
            since = format_instant(options.since)
            raise InputError(f"found no event from {since} on (the last is of {last}), expected at least one")
    counted = all_events.agg(
        F.count("*").alias("events"),
        F.count_distinct("shop_id", "conversation_id").alias("conversations"),
        F.max(F.col("source").startswith("synthetic:")).alias("synthetic"),
    ).first()
    assert counted is not None
    summary = {"exported": written, **counted.asDict()}
    print_summary(
        f"export_events: {written} of {counted['events']} events -> {options.output}", summary, file=options.json
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
