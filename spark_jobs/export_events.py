"""Write the events from a given day on as JSON lines, in the order of a log, ready to be replayed."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from cli.atomic_write import atomic_file
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.instants import format_instant
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COUNT, WRITE
from spark_jobs.command_line import instant_argument, job_parser, print_summary, run_job, session_for
from spark_jobs.entry.policy_files import add_policies, read_policies_of
from spark_jobs.errors import InputError
from spark_jobs.lake.tables import read_events
from spark_jobs.logs.policies import PoliciesByShop, given_policies, knowing_all
from spark_jobs.logs.shop_log import event_columns, in_log_order, order_by_time
from spark_jobs.logs.time_rows import with_reached
from spark_jobs.logs.virtual_timers import with_virtual_timers

_DESCRIPTION = """Writes the events that occurred at or after an instant as canonical JSON lines, in the order in which
a replay puts them on the log: by time; of one millisecond questions first, ratings last.

With --timers the stages that time would have reached between them stand there, too (time_reached): before the first
event of their shop that came later than the due instant and the grace. A replay signs them when it puts them."""


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("export_events", _DESCRIPTION)
    parser.add_argument("--since", type=instant_argument, required=True, metavar="DAY", help="the first day to export")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE.jsonl", help="where the lines go")
    parser.add_argument("--timers", action="store_true", help="write the stages that time would have reached, too")
    add_policies(parser, "a policy that judges a shop's events, and so says when their stages are due")
    options = parser.parse_args(arguments)
    if options.policy and not options.timers:
        parser.error("found --policy without --timers, expected it where stages are written")
    return options


def in_order(events: DataFrame, since: int) -> DataFrame:
    """The events from an instant on (event_columns, and `reached`), in the order of a replay."""
    return with_reached(events.where(F.col("occurred_at") >= since)).orderBy(*in_log_order(), "shop_id")


def with_timers(events: DataFrame, since: int, policies: PoliciesByShop) -> DataFrame:
    """The events from an instant on and the stages that are reached between them, in the order of a replay.

    Stages of waits that began earlier stand there as well, where an event from that instant on lets them ring.
    """
    timed = with_virtual_timers(knowing_all(order_by_time(events), policies), stages_of(shipped_rules()), policies)
    is_past = F.col("reached").isNull() & (F.col("occurred_at") < since)
    past = timed.groupBy("shop_id").agg(F.max(F.when(is_past, F.col("log_index"))).alias("past"))
    later = timed.join(F.broadcast(past), "shop_id").where("past is null or log_index > past")
    return later.orderBy("clock", "shop_id", "log_index")


def to_line(row: Row) -> bytes:
    """A row as the line that a replay reads."""
    if row["reached"] is not None:
        return str(row["reached"]).encode()
    return event_to_json(InteractionEvent(**{name: row[name] for name in FIELDS}))


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the lake, order, write one file that appears whole or not at all."""
    options = read_options(arguments)
    policies = given_policies(read_policies_of(options.policy))
    spark = session_for(options, "export_events")
    note_step(WRITE)
    all_events = read_events(spark)
    events = all_events.select(*event_columns())
    ordered = with_timers(events, options.since, policies) if options.timers else in_order(events, options.since)
    written = timers = 0
    with atomic_file(options.output) as unfinished:
        with unfinished.open("wb") as lines:
            for row in ordered.toLocalIterator(prefetchPartitions=True):
                lines.write(to_line(row) + b"\n")
                timers += row["reached"] is not None
                written += 1
        if written == timers:
            last = all_events.agg(F.date_format(F.max("occurred_at"), "yyyy-MM-dd")).collect()[0][0]
            since = format_instant(options.since)
            raise InputError(f"found no event from {since} on (the last is of {last}), expected at least one")
    note_step(COUNT)
    counted = all_events.agg(
        F.count("*").alias("events"),
        F.count_distinct("shop_id", "conversation_id").alias("conversations"),
        F.max(F.col("source").startswith("synthetic:")).alias("synthetic"),
    ).first()
    assert counted is not None
    summary = {"exported": written - timers, "timers": timers, **counted.asDict()}
    reached = f" and {timers} reached stages" if options.timers else ""
    print_summary(
        f"export_events: {written - timers} of {counted['events']} events{reached} -> {options.output}",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
