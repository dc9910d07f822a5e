"""Commands about records that were set aside: counted, listed, put back, folded again."""

import argparse
import json
import secrets
import sys
import time
from collections.abc import Sequence
from functools import cache

from cli.arguments import shown
from cli.atomic_write import atomic_file, write_json
from infra.operations import rebuilding
from infra.operations.deployment import NEEDED, Clients, Names, find_names
from infra.operations.errors import ArgumentsError, NotThereError, OperationsError
from infra.operations.lease import Lease
from infra.operations.listing import count_records, list_records
from infra.operations.outbox_batches import OutboxBatches
from infra.operations.outcome import rows, table
from infra.operations.parked_shops import ParkedShop
from infra.operations.put_back import PutBack
from infra.operations.rejected_objects import RejectedObjects
from infra.operations.seen_shops import has_state
from infra.operations.selection import Selection
from infra.operations.shop_logs import ShopLog
from infra.operations.stream_writer import StreamWriter
from service_quality.adapters.state_table import StateReader
from service_quality.events.log_records import PARKED


def put_back(options: argparse.Namespace) -> int:
    """Put the selected records back, and say what was done; the exit code of the first trouble."""
    selection = _selection(options)
    return _go(options, find_names(vars(options), needed=NEEDED), selection)


def rebuild(options: argparse.Namespace) -> int:
    """Fold the logs of shops again, and put back what waited for it; NotThereError for a shop without a state."""
    names = find_names(vars(options), needed=(*NEEDED, *rebuilding.NEEDED))
    if options.shop and not has_state(Clients().dynamodb, names.state_table, options.shop):
        raise NotThereError(f"found no shop {shown(options.shop)}, expected one of which events were folded")
    rebuilding.rebuild_shops(names, shop_id=options.shop, lake=options.lake, master=options.master)
    return _go(options, names, Selection(shop_id=options.shop, reasons=frozenset({PARKED})))


def _go(options: argparse.Namespace, names: Names, selection: Selection) -> int:
    outcome = _run(options, names, selection).go()
    _write_json(options, outcome.document())
    print(outcome.summary(is_dry=options.dry_run))
    return outcome.exit_code


def _run(options: argparse.Namespace, names: Names, selection: Selection) -> PutBack:
    """The run with its clients and stores."""
    clients = Clients()

    @cache
    def read_key() -> bytes:
        return clients.read_secret(names.control_key_secret)

    run = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(4)}"
    objects = RejectedObjects(clients.s3, names.rejected_bucket)
    writer = StreamWriter(clients.kinesis, names.event_stream, read_key)

    def open_log(shop_id: str) -> ShopLog:
        state = StateReader(clients.dynamodb, names.state_table)
        return ShopLog(shop_id, state, options.patience)

    def open_shop(log: ShopLog) -> ParkedShop:
        lease = Lease(clients.dynamodb, names.state_table, log.shop_id, owner=run)
        return ParkedShop(run, objects, writer, log, lease)

    functions = {"dispatch_function": names.dispatch_function, "archive_function": names.archive_function}
    return PutBack(
        selection=selection,
        objects=objects,
        writer=writer,
        outbox=OutboxBatches(objects, lambda: clients.functions, names=functions),
        open_log=open_log,
        open_shop=open_shop,
        generation=names.stream_generation,
        is_dry=options.dry_run,
    )


def count(options: argparse.Namespace) -> int:
    """Print the number of selected records by reason and shop; 1 where an object cannot be read."""
    selection, (objects, generation) = _selection(options), _bucket(options)
    unreadable: list[OperationsError] = []
    counts = count_records(selection, objects, generation=generation, unreadable=unreadable.append)
    _write_json(options, rows(counts))
    print("\n".join(table(counts)))
    return _say_unreadable(options, unreadable)


def list_all(options: argparse.Namespace) -> int:
    """Print the selected records without their content, or write them as JSON lines; 1 as for `count`."""
    selection, (objects, generation) = _selection(options), _bucket(options)
    unreadable: list[OperationsError] = []
    listed = list_records(selection, objects, generation=generation, unreadable=unreadable.append)
    if options.json:
        with atomic_file(options.json) as unfinished, unfinished.open("w", encoding="utf-8") as lines:
            for one in listed:
                lines.write(json.dumps(one._asdict(), ensure_ascii=False) + "\n")
        return _say_unreadable(options, unreadable)
    for one in listed:
        print(one.line())
    return _say_unreadable(options, unreadable)


def _say_unreadable(options: argparse.Namespace, unreadable: Sequence[OperationsError]) -> int:
    """Name the unreadable objects, a line each, after the output."""
    for error in unreadable:
        print(f"{options.command}: {error}", file=sys.stderr)
    return OperationsError.exit_code if unreadable else 0


def _bucket(options: argparse.Namespace) -> tuple[RejectedObjects, int]:
    names = find_names(vars(options), needed=("rejected_bucket",))
    return RejectedObjects(Clients().s3, names.rejected_bucket), names.stream_generation


def _selection(options: argparse.Namespace) -> Selection:
    selection = Selection(
        shop_id=options.shop, reasons=frozenset(options.reason or ()), since=options.since, until=options.until
    )
    if selection.since is not None and selection.until is not None and selection.since >= selection.until:
        raise ArgumentsError("found --since at or after --until, expected it before")
    if options.command == "put-back" and selection.has_span and PARKED in selection.reasons:
        raise ArgumentsError(
            f"found --since or --until with --reason {PARKED}, expected neither: a parked shop goes back whole"
        )
    return selection


def _write_json(options: argparse.Namespace, document: object) -> None:
    if options.json:
        write_json(options.json, document)
