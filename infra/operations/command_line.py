"""The command line: python -m infra.operations COMMAND."""

import argparse
import json
import math
import secrets
import sys
import textwrap
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from cli.atomic_write import atomic_file, write_json
from cli.aws_region import NO_REGION
from cli.endings import one_line
from cli.version import add_version
from infra.operations import rebuilding
from infra.operations.alert_commands import add_alert_commands
from infra.operations.deployment import NEEDED, Clients, Names, find_names, latest_call
from infra.operations.errors import ArgumentsError, NotThereError, OperationsError
from infra.operations.lease import Lease
from infra.operations.listing import count_records, list_records
from infra.operations.outbox_batches import OutboxBatches
from infra.operations.outcome import rows, table
from infra.operations.parked_shops import ParkedShop
from infra.operations.put_back import PutBack
from infra.operations.rejected_objects import RejectedObjects
from infra.operations.selection import GIVEN_UP, KNOWN, MENDABLE, UNSENT, Selection
from infra.operations.shop_logs import ShopLog
from infra.operations.stream_writer import StreamWriter
from service_quality.adapters.state_table import StateReader
from service_quality.aws_errors import failure_of
from service_quality.errors import DeploymentError, ServiceQualityError
from service_quality.events.log_records import PARKED
from service_quality.instants import parse_instant

EXIT_CODES = """exit codes:
  0  done
  1  anything else, such as AWS that does not answer, or an object that cannot be read: it is named and left, and
     everything else is done
  2  wrong arguments
  3  records of a shop or rows of the outbox failed again, or records that --reason names are still rejected: their
     trouble is not mended, and all of them stay stored
  4  a stack, bucket, table, stream or secret that does not exist or may not be used
  5  what was put back is on the stream, and the shop's log has not come to it yet: run again later
  6  another run puts the same shop's records back

Each may be run again at any time, also after it was killed: nothing is lost, and no event is folded twice.
AWS is found as usual (AWS_PROFILE, AWS_REGION, …); AWS_ENDPOINT_URL points it elsewhere."""

_PUT_BACK = f"""Puts back on the event stream what was set aside: batches that an event source gave up on, rejected
records whose cause is mended, and the records of parked shops, in their order, until each shop goes on. What
did not leave the outbox goes to its function again. Records keep their ids and,
of a log and for a week, their first arrival.

Mend the cause first, and run it from the release that is deployed: what that release still rejects is left where it
lies (exit code 3 where --reason names it, else 0). Without --reason it looks at {PARKED}, {GIVEN_UP}, {UNSENT} and
the reasons that a mended release changes:
{textwrap.fill(", ".join(sorted(MENDABLE)), 110)}."""


_REBUILD = """Runs the Spark job rebuild_state for every shop whose state another version of the fold left (or for
--shop, whatever left it), then puts the records back that waited for it. Deploy the release first, and run this from
it. Killed and run again, it goes on."""

_NAMES = (
    ("--event-stream", "name of the event stream"),
    ("--state-table", "name of the table of states"),
    ("--control-key-secret", "ARN of the secret that signs control records"),
    ("--dispatch-function", "name of the function dispatch_outbox"),
    ("--archive-function", "name of the function archive_outbox"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its result on stdout, an error as one line on stderr."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except NoRegionError:
        failure: ServiceQualityError = OperationsError(NO_REGION)
    except (BotoCoreError, ClientError) as error:
        failure = failure_of(error, getattr(error, "operation_name", latest_call()))
    except ServiceQualityError as error:
        failure = error
    except OSError as error:
        failure = OperationsError(str(error))
    if isinstance(failure, DeploymentError):
        failure = NotThereError(str(failure))
    print(f"{options.command}: {one_line(failure)}", file=sys.stderr)
    return failure.exit_code if isinstance(failure, OperationsError) else 1


def _put_back(options: argparse.Namespace) -> int:
    selection = _selection(options)
    outcome = _run(options, find_names(vars(options), needed=NEEDED), selection).go()
    _write_json(options, outcome.document())
    print(outcome.summary(is_dry=options.dry_run))
    return outcome.exit_code


def _rebuild(options: argparse.Namespace) -> int:
    names = find_names(vars(options), needed=(*NEEDED, *rebuilding.NEEDED))
    rebuilding.rebuild_shops(names, shop_id=options.shop, lake=options.lake, master=options.master)
    outcome = _run(options, names, Selection(shop_id=options.shop, reasons=frozenset({PARKED}))).go()
    _write_json(options, outcome.document())
    print(outcome.summary(is_dry=False))
    return outcome.exit_code


def _run(options: argparse.Namespace, names: Names, selection: Selection) -> PutBack:
    """The run with its clients and stores."""
    clients = Clients()

    @cache
    def read_key() -> bytes:
        return clients.read_key(names.control_key_secret)

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


def _count(options: argparse.Namespace) -> int:
    selection, (objects, generation) = _selection(options), _bucket(options)
    unreadable: list[OperationsError] = []
    counts = count_records(selection, objects, generation=generation, unreadable=unreadable.append)
    _write_json(options, rows(counts))
    print("\n".join(table(counts)))
    return _say_unreadable(options, unreadable)


def _list(options: argparse.Namespace) -> int:
    selection, (objects, generation) = _selection(options), _bucket(options)
    unreadable: list[OperationsError] = []
    listed = list_records(selection, objects, generation=generation, unreadable=unreadable.append)
    if options.json:
        with atomic_file(options.json) as unfinished, unfinished.open("w", encoding="utf-8") as lines:
            for one in listed:
                lines.write(json.dumps(one._asdict(), ensure_ascii=False) + "\n")
        return _say_unreadable(options, unreadable)
    for one in listed:
        print("  ".join(one))
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


def _instant(text: str) -> int:
    """Epoch milliseconds of a day or an instant with a zone."""
    try:
        return parse_instant(f"{text}T00:00:00Z" if len(text) == len("YYYY-MM-DD") else text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found '{text}', expected a day such as 2026-11-20 or an instant such as 2026-11-20T08:00:00Z"
        ) from None


def _reason(text: str) -> str:
    """A word that selects; a mistyped one is refused, since it would select nothing."""
    if text not in KNOWN:
        raise argparse.ArgumentTypeError(f"found '{text}', expected one of {', '.join(sorted(KNOWN))}")
    return text


def _seconds(text: str) -> float:
    """A time to wait in seconds, finite and above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"found '{text}', expected a finite number of seconds above 0")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.operations",
        description="Operators' commands: records that were set aside, settings of shops, open alerts, subscribers.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    count = _command(commands, "count", "count the records of the rejected bucket by reason and shop")
    count.set_defaults(run=_count)
    listing = _command(commands, "list", "list the records of the rejected bucket, without their content")
    listing.set_defaults(run=_list)
    back = _command(commands, "put-back", "put back what was set aside, once its cause is mended", _PUT_BACK)
    back.add_argument("--dry-run", action="store_true", help="say what would go back, and change nothing")
    back.set_defaults(run=_put_back)
    rebuilt = _command(commands, "rebuild", "fold shops' logs again after a release with another fold", _REBUILD)
    rebuilt.add_argument("--lake", metavar="PATH", help="the lake that shops were imported from (default: build/lake)")
    rebuilt.add_argument("--master", metavar="URL", help="where Spark runs (default: here)")
    rebuilt.set_defaults(run=_rebuild, dry_run=False)
    for command in (back, rebuilt):
        command.add_argument(
            "--patience",
            type=_seconds,
            default=900,
            metavar="SECONDS",
            help="seconds without progress of a shop's log after which to stop waiting (%(default)s)",
        )
        for option, what in _NAMES:
            command.add_argument(option, help=f"{what} (default: from --stack)")
    for option, what in (
        ("--alerts-table", "name of the table of alerts"),
        ("--archive-bucket", "name of the archive"),
    ):
        rebuilt.add_argument(option, help=f"{what} (default: from --stack)")
    add_alert_commands(commands)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str, description: str = ""
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=text,
        description=description or f"{text[0].upper()}{text[1:]}.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--stack", help="stack whose outputs name everything")
    command.add_argument("--rejected-bucket", help="name of the rejected bucket (default: from --stack)")
    command.add_argument(
        "--stream-generation", type=int, help="generation of the stream (default: from --stack, else 1)"
    )
    command.add_argument("--shop", help="one shop (default: all)")
    command.add_argument(
        "--reason",
        type=_reason,
        action="append",
        help=f"a reason, {PARKED}, {GIVEN_UP} or {UNSENT}; may be given several times",
    )
    command.add_argument("--since", type=_instant, metavar="TIME", help="first arrived at or after this day or instant")
    command.add_argument("--until", type=_instant, metavar="TIME", help="first arrived before this day or instant")
    command.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON (list: JSON lines)")
    return command
