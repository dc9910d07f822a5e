"""Rebuild state: fold shops' logs again by this version of the fold, where another version left their state."""

import hashlib
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import boto3
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from service_quality.adapters.archive_ledger import ArchiveLedger
from service_quality.adapters.state_table import StateTable
from service_quality.alerts.rules import CONVERSATION
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.archived_ranges import find_gaps
from service_quality.commit.shop_item import ShopItem
from service_quality.events.control_records import PendingImport, StateRebuilt
from service_quality.events.positions import START, sequence_of
from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.features.feature_set import FEATURES
from spark_jobs.backfill.packs import build_packs, choose_buckets, count_items
from spark_jobs.backfill.rebuilt_items import (
    ShopToRebuild,
    build_rebuilt_items,
    pending_parts,
    shop_ends,
    write_rebuilt_items,
)
from spark_jobs.backfill.timer_rows import write_timers
from spark_jobs.backfill.writing import put_control_records, read_control_key, write_packs
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COMPUTE, WAIT, WRITE
from spark_jobs.command_line import job_parser, positive_argument, print_summary, run_job, session_for
from spark_jobs.errors import InputError, JobError
from spark_jobs.logs.archive import read_entries, to_log
from spark_jobs.logs.findings import read_found
from spark_jobs.logs.folding import fold_states
from spark_jobs.logs.settings import read_settings
from spark_jobs.reader.recorded_imports import join_imports

_DESCRIPTION = f"""Folds the archived logs of shops again, by this code's version of the fold ({FOLD_VERSION}), and puts
what that leaves in the place of the state that another version left. Deploy that version first: from then on it sets
the records of such a shop aside, and this job finds the log standing still. It writes the shop's items beside those of
before, and the rows of their timers, then one state_rebuilt record on the shop's log: from that position on they are
the shop's. What was set aside comes back by `python -m infra.operations put-back`, which `python -m infra.operations
rebuild` runs by itself.

Killed at any moment and run again, it begins again: nothing of it counts before its record. Back to the version before
by the job of that version."""

_LOOK_SECONDS = 1.0
#: What was served says nothing of the state.
_SERVED = ("served_clock", "served_vector", "served_score", "score_failed", "model_version", "fingerprint")

Row = dict[str, Any]


def find_shops(state: StateTable, ledger: ArchiveLedger, named: Sequence[str]) -> list[ShopToRebuild]:
    """The shops whose state another version of the fold left; of `named` ones, if any, whatever left it.

    InputError for a named shop that has no state.
    """
    found = []
    for shop_id in sorted(named) or [one.shop_id for one in ledger.read_shops(after="")]:
        shop = state.read_shop(shop_id)
        if shop is None and named:
            raise InputError(f"found no state of shop {shop_id}, expected one")
        if shop is not None and (named or shop.fold_version != FOLD_VERSION):
            found.append(_to_rebuild(shop_id, shop, state.state_table))
    return found


def _to_rebuild(shop_id: str, shop: ShopItem, table: str) -> ShopToRebuild:
    made_of = (table, shop_id, shop.generation, shop.folded_until, FOLD_VERSION, FEATURES.plan.digest)
    rebuild_id = hashlib.sha256("|".join(made_of).encode()).hexdigest()[:20]
    return ShopToRebuild(shop_id, shop.folded_until, shop.generation, rebuild_id)


def await_archive(ledger: ArchiveLedger, shops: Sequence[ShopToRebuild], *, seconds: int) -> None:
    """Wait until the archive holds every shop's log as far as it is folded; InputError when it does not come to it."""
    ends = time.monotonic() + seconds
    missing = {one.shop_id: one.follows for one in shops}
    while missing:
        for one in ledger.read_shops(after=""):
            if find_gaps(one.ranges)[0].after >= missing.get(one.shop_id, "~"):
                del missing[one.shop_id]
        if missing and time.monotonic() > ends:
            raise InputError(
                f"found no whole archive of shops {', '.join(sorted(missing))} within {seconds} s, expected their logs "
                "as far as they are folded: see the alarms on archive_outbox"
            )
        time.sleep(_LOOK_SECONDS if missing else 0)


def read_folded(entries: DataFrame, shops: Sequence[ShopToRebuild]) -> DataFrame:
    """The entries of shops as far as their logs are folded."""
    ends = [(one.shop_id, one.follows) for one in shops]
    wanted = entries.sparkSession.createDataFrame(ends, "shop_id string, follows string")
    return entries.join(F.broadcast(wanted), "shop_id").where(F.col("position") <= F.col("follows")).drop("follows")


def rebuild(spark: SparkSession, options: Namespace, shops: Sequence[ShopToRebuild]) -> tuple[list[StateRebuilt], Row]:
    """Write the items of rebuilt shops, which all have a log; the records that let them count, and counts."""
    note_step(COMPUTE)
    entries = read_entries(spark, options.archive).drop(*_SERVED).cache()
    policies, stages, rule_subjects = read_settings(entries)
    folded = read_folded(entries, shops)
    log = to_log(folded, policies).cache()
    subjects = ({rule.subject for rule in shipped_rules()} | rule_subjects) - {CONVERSATION}
    states = fold_states(join_imports(log), FEATURES, subjects, policies, stages).cache()
    ends = shop_ends(spark, log, shops).cache()
    items = build_rebuilt_items(states, read_found(folded), ends, FEATURES)
    note_step(WRITE)
    written = write_rebuilt_items(items, options.state_table, FEATURES.plan)
    timers = write_timers(items, options.alerts_table)
    pending = write_pending(states, ends, options.state_table)
    clocks = {row["shop_id"]: row for row in ends.collect()}
    records = [
        make_record(
            one,
            clock=clocks[one.shop_id]["ended"],
            received_clock=clocks[one.shop_id]["received_until"],
            pending=tuple(each for each in pending if each.import_id.startswith(one.rebuild_id)),
        )
        for one in shops
    ]
    return records, {"items": sum(written.values()), "timers": timers, "events": log.count()}


def make_record(
    shop: ShopToRebuild, *, clock: int = 0, received_clock: int = 0, pending: tuple[PendingImport, ...] = ()
) -> StateRebuilt:
    """The record that lets a rebuild count; without clocks for a shop of which nothing is folded."""
    return StateRebuilt(
        shop_id=shop.shop_id,
        rebuild_id=shop.rebuild_id,
        fold_version=FOLD_VERSION,
        follows=shop.follows,
        clock=clock,
        received_clock=received_clock,
        columns=FEATURES.plan.columns,
        pending=pending,
    )


def write_pending(states: DataFrame, ends: DataFrame, table: str) -> list[PendingImport]:
    """Write the packs of what conversations have not absorbed of imports; the imports to list."""
    parts = pending_parts(states, ends).cache()
    import_ids = [row["import_id"] for row in parts.select("import_id").distinct().orderBy("import_id").collect()]
    if not import_ids:
        return []
    counts = count_items(parts, import_ids)
    buckets = choose_buckets(parts, counts)
    write_packs(build_packs(parts, buckets), table)
    return [PendingImport(one, buckets[one], counts[one]["conversations"]) for one in import_ids]


def await_taken(state: StateTable, record: StateRebuilt, number: int, *, seconds: int) -> None:
    """Wait until a shop's log has come to its record; JobError when it rejects the record, or does not come to it."""
    ends = time.monotonic() + seconds
    while True:
        shop = state.read_shop(record.shop_id) or ShopItem()
        if shop.generation == record.rebuild_id:
            return
        if sequence_of(shop.last_position) >= number:
            raise JobError(
                f"shop {record.shop_id}: found its rebuild rejected, expected functions of version {FOLD_VERSION} of "
                "the fold and a log that stood still: deploy that version, then run again"
            )
        if time.monotonic() > ends:
            raise JobError(
                f"shop {record.shop_id}: found its log unmoved for {seconds} s, expected it to come to its rebuild: "
                "see the alarms on score_interactions"
            )
        time.sleep(_LOOK_SECONDS)


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("rebuild_state", _DESCRIPTION)
    parser.add_argument("--archive", required=True, metavar="PATH", help="folder, s3a:// or s3:// of the archive")
    parser.add_argument("--state-table", required=True, metavar="NAME", help="the functions' state table")
    parser.add_argument("--alerts-table", required=True, metavar="NAME", help="the table of alerts and of the archive")
    parser.add_argument("--event-stream", required=True, metavar="NAME", help="the stream of the shops' logs")
    parser.add_argument("--control-key-secret", required=True, metavar="ARN", help="the key that signs its records")
    parser.add_argument(
        "--shop", action="append", default=[], metavar="ID", help="a shop, whatever version left its state (default: "
        "every shop whose state another version left)"
    )  # fmt: skip
    parser.add_argument(
        "--patience", type=positive_argument, default=300, metavar="SECONDS",
        help="longest wait for the archive, and for the log of a shop (%(default)s)",
    )  # fmt: skip
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Entry point: find the shops, fold their logs, write their items, put a record on each log, wait for it."""
    options = read_options(arguments)
    dynamodb = boto3.client("dynamodb")
    state = StateTable(dynamodb, options.state_table, options.alerts_table, rejected=lambda _: None)
    ledger = ArchiveLedger(dynamodb, options.alerts_table)
    shops = find_shops(state, ledger, options.shop)
    counts: Row = {"items": 0, "timers": 0, "events": 0}
    if shops:
        key = read_control_key(options.control_key_secret)  # before anything is written
        folded = [one for one in shops if one.follows != START]
        records = [make_record(one) for one in shops if one.follows == START]
        if folded:
            await_archive(ledger, folded, seconds=options.patience)
            made, counts = rebuild(session_for(options, "rebuild_state"), options, folded)
            records += made
        note_step(WAIT)
        numbers = put_control_records(options.event_stream, records, key)
        for record, number in zip(records, numbers, strict=True):
            await_taken(state, record, number, seconds=options.patience)
    line = f"rebuild_state: {counts['items']} items of {counts['events']} events of {len(shops)} shops"
    summary = {**counts, "shops": [one.shop_id for one in shops], "fold_version": FOLD_VERSION}
    print_summary(f"{line}, by version {FOLD_VERSION} of the fold", summary, file=options.json)


if __name__ == "__main__":
    sys.exit(run_job(main))
