"""Bring shops' pasts into the functions' state, by one import record on each shop's log."""

import hashlib
import sys
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.events.control_records import HistoryFilled, HistoryImported
from service_quality.events.positions import START
from service_quality.facts.conversation_fold import CODE_VERSION
from service_quality.features.feature_set import FEATURES
from service_quality.instants import format_instant
from spark_jobs.backfill.import_items import build_items, fold_new
from spark_jobs.backfill.known_past import KnownPast, locate_new, read_past
from spark_jobs.backfill.lacking_columns import build_lacking_items, filled_record, find_lacks
from spark_jobs.backfill.packs import KINDS, build_packs, choose_buckets, count_items
from spark_jobs.backfill.timer_rows import write_new_timers
from spark_jobs.backfill.writing import put_control_records, read_control_key, seal_imports, unsealed, write_packs
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COUNT, READ, WRITE
from spark_jobs.command_line import instant_argument, job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError, JobError, OvertakenError
from spark_jobs.lake.tables import IMPORTED_EVENTS_SCHEMA, IMPORTS_SCHEMA, record_imported_events, record_imports
from spark_jobs.logs.policies import number_of
from spark_jobs.reader.counted_spans import shop_countings

_DESCRIPTION = """Writes what the lake knows of each shop's past, up to an instant, and neither the shop's log nor an
earlier import knows, as immutable import items beside the functions' state, then puts one history_imported event on
the shop's log: from that position on it counts, once, whatever the stream has already written. Where nothing is new
there is no import, so running it again changes nothing. An import record that the archive does not show yet is put on
the log again; the functions take it for a duplicate.

Where a customer still waits by what an import brings, a timer is set: people are reminded though no event comes.

What a new feature lacks of a shop's past is filled in, too: its facts up to the position of the log where a deployment
began to count them, by one history_filled record.

With --policy the shop's policies up to that revision judge the import's events, each from its valid_from on; without it
the defaults do. The archive must show the policy. An event that is known already keeps what judges it."""

_RECORD_FIELDS = ("shop_id", "import_id", "clock", "buckets", *KINDS)
_MOST_ATTEMPTS = 3

Row = dict[str, Any]


def describe_imports(
    new: DataFrame, past: KnownPast, policies_known: Mapping[str, int], options: Namespace
) -> list[Row]:
    """A row of the lake's imports for each shop with new events, without the fields that depend on its items.

    The id is a hash of everything that an import depends on, its events in whatever order.
    """
    event = F.xxhash64("event_id", "content"), F.xxhash64("content", "event_id")
    found = new.groupBy("shop_id").agg(
        F.count("*").alias("events"),
        F.max("occurred_at").alias("clock"),
        F.bit_xor(event[0]).alias("hash"),
        F.sum(event[1].cast("decimal(38,0)")).cast("string").alias("sum"),
    )
    return [
        {
            "import_id": _import_id(
                options.state_table,
                row["shop_id"],
                past.until.get(row["shop_id"], START),
                *(row[name] for name in ("events", "hash", "sum")),
                policies_known.get(row["shop_id"], 0),
            ),
            "state_table": options.state_table,
            "shop_id": row["shop_id"],
            "number": 1 + sum(one["shop_id"] == row["shop_id"] for one in past.imports),
            "events_snapshot": past.snapshot,
            "as_of": options.as_of,
            "log_until": past.until.get(row["shop_id"], START),
            "policies_known": policies_known.get(row["shop_id"], 0),
            "clock": row["clock"],
        }
        for row in sorted(found.collect(), key=lambda row: str(row["shop_id"]))
    ]


def _import_id(*made_of: object) -> str:
    named = "|".join(map(str, (*made_of, CODE_VERSION, FEATURES.plan.digest)))
    return hashlib.sha256(named.encode()).hexdigest()[:20]


def find_policies(past: KnownPast, named: Sequence[tuple[str, str]]) -> dict[str, int]:
    """By shop the number of its policies up to the revision named for it; InputError for an unknown one."""
    return {shop_id: number_of(past.settings.policies, shop_id, revision) for shop_id, revision in named}


class Tables(NamedTuple):
    """The names of the functions' tables."""

    state: str
    alerts: str


def write_imports(new: DataFrame, imports: list[Row], past: KnownPast, tables: Tables) -> tuple[list[Row], Row]:
    """Write packs and timers of the described imports, then note them in the lake; their whole rows, and counts.

    A timer that rings before its import counts is asked again by the sweep.

    OvertakenError when another import was noted meanwhile: then no reader ever reads these packs.
    """
    spark = new.sparkSession
    folded = fold_new(locate_new(new, imports, past), past, FEATURES).cache()
    ids = spark.createDataFrame(
        [(one["shop_id"], one["import_id"]) for one in imports], "shop_id string, import_id string"
    )
    items = build_items(folded, FEATURES).join(F.broadcast(ids), "shop_id").cache()
    counts, buckets, packs = _write_items(items, [one["import_id"] for one in imports], tables.state)
    whole = [one | counts[one["import_id"]] | {"buckets": buckets[one["import_id"]]} for one in imports]
    seal_imports([_import_record(one) for one in whole], tables.state)
    timers = write_new_timers(folded, tables.alerts, now=time.time_ns() // 1_000_000)
    record_imported_events(new.join(F.broadcast(ids), "shop_id").select(*IMPORTED_EVENTS_SCHEMA.fieldNames()))
    record_imports(spark.createDataFrame(whole, IMPORTS_SCHEMA), past.base)
    left_out = folded.agg(F.sum("left_out")).collect()[0][0]
    return whole, {"packs": packs, "left_out": left_out or 0, "timers": timers}


def _write_items(items: DataFrame, import_ids: list[str], table: str) -> tuple[dict[str, Row], dict[str, int], int]:
    """Write items in packs; by import the counts of its items and the number of its packs, and the packs written."""
    counts = count_items(items, import_ids)
    buckets = choose_buckets(items, counts)
    return counts, buckets, write_packs(build_packs(items, buckets), table)


def _import_record(one: Row) -> HistoryImported:
    return HistoryImported(**{name: one[name] for name in _RECORD_FIELDS}, columns=FEATURES.plan.columns)


def fill_lacks(past: KnownPast, table: str) -> list[HistoryFilled]:
    """Write what columns lack that began later than their shop; the records that let it count."""
    lacks = find_lacks(shop_countings(past.entries, past.log), FEATURES, table=table)
    if not lacks:
        return []
    items = build_lacking_items(past, lacks, FEATURES).cache()
    counts, buckets, _ = _write_items(items, [one.import_id for one in lacks], table)
    return [
        filled_record(one, buckets=buckets[one.import_id], histories=counts[one.import_id]["histories"])
        for one in lacks
    ]


def materialize(spark: SparkSession, options: Namespace) -> Row:
    """One attempt; the summary. OvertakenError when another run noted imports meanwhile."""
    note_step(READ)
    past = read_past(spark, archive=options.archive, state_table=options.state_table)
    waiting = [_import_record(one) for one in past.imports if one["import_id"] not in past.recorded]
    lost = unsealed(waiting, options.state_table)
    if lost:
        raise InputError(
            f"found no packs of imports {', '.join(lost)} in {options.state_table}, expected them: "
            "a lake belongs to the tables that it was materialized into"
        )
    new = past.new_events(options.as_of).cache()
    imports = describe_imports(new, past, find_policies(past, options.policy), options)
    if not imports and not past.imports and past.is_empty_before(options.as_of):
        raise InputError(f"found no event before {format_instant(options.as_of)}, expected at least one")
    key = read_control_key(options.control_key_secret)  # before anything is written
    written: list[Row] = []
    counts = {"packs": 0, "left_out": 0, "timers": 0}
    note_step(WRITE)
    if imports:
        written, counts = write_imports(new, imports, past, Tables(options.state_table, options.alerts_table))
    filled = fill_lacks(past, options.state_table)
    put_control_records(options.event_stream, [*waiting, *map(_import_record, written), *filled], key)
    note_step(COUNT)
    return {
        "shops": len(written),
        "events": new.count(),
        "items": sum(one[kind] for one in written for kind in KINDS),
        **counts,
        "marked_again": len(waiting),
        "filled": {one.shop_id: len(one.columns) for one in filled},
        "events_snapshot": past.snapshot,
        "imports": {one["shop_id"]: one["import_id"] for one in written},
    }


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("materialize_histories", _DESCRIPTION)
    parser.add_argument("--as-of", type=instant_argument, required=True, metavar="DAY", help="where the past ends")
    parser.add_argument(
        "--archive",
        required=True,
        metavar="PATH",
        help="folder, s3a:// or s3:// of the functions' archive; where nothing lies, nothing is archived yet",
    )
    parser.add_argument("--state-table", required=True, metavar="NAME", help="the functions' state table")
    parser.add_argument("--alerts-table", required=True, metavar="NAME", help="the table of alerts and of timers")
    parser.add_argument("--event-stream", required=True, metavar="NAME", help="the stream of the shops' logs")
    parser.add_argument(
        "--policy",
        action="append",
        nargs=2,
        default=[],
        metavar=("SHOP", "REVISION"),
        help="the policy of a shop's past, by its revision on the shop's log; for several shops several times",
    )
    parser.add_argument("--control-key-secret", required=True, metavar="ARN", help="the key that signs import records")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Entry point: find new events, write their packs, note the imports, put an import record on each log."""
    options = read_options(arguments)
    spark = session_for(options, "materialize_histories")
    for _ in range(_MOST_ATTEMPTS):
        try:
            summary = materialize(spark, options)
            break
        except OvertakenError:
            spark.catalog.clearCache()
    else:
        raise JobError(f"found other runs of this job in each of {_MOST_ATTEMPTS} attempts, expected a pause")
    print_summary(
        f"materialize_histories: {summary['items']} items of {summary['events']} new events of {summary['shops']} shops"
        f" in {summary['packs']} packs as of {format_instant(options.as_of)}",
        summary,
        file=options.json,
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
