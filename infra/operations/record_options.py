"""The options of the commands about records, their help, and the exit codes of every command."""

import argparse
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.operations import record_commands
from infra.operations.argument_types import instant_argument, reason_argument, seconds_argument, shop_argument
from infra.operations.selection import GIVEN_UP, MENDABLE, UNSENT
from service_quality.events.log_records import PARKED

EXIT_CODES = """exit codes:
  0  done
  1  anything else, such as AWS that does not answer, or an object that cannot be read: it is named and left, and
     everything else is done
  2  wrong arguments, or a file of another form
  3  records of a shop or rows of the outbox failed again, records that were put back are rejected again, or records
     that --reason names are still rejected: their trouble is not mended, and all of them stay stored; or a policy that
     the log rejected
  4  a stack, bucket, table, stream, secret, shop, alert or file that does not exist or may not be used
  5  what was put back, or a policy, is on the stream, and the shop's log has not come to it yet: run again later
  6  another run puts the same shop's records back

Each may be run again at any time, also after it was killed: nothing is lost, and no event is folded twice.
AWS is found as usual (AWS_PROFILE, AWS_REGION, …); AWS_ENDPOINT_URL points it elsewhere."""

_PUT_BACK = f"""Puts back on the event stream what was set aside: batches that an event source gave up on, rejected
records whose cause is mended, and the records of parked shops, in their order, until each shop goes on. What
did not leave the outbox goes to its function again. Records keep their ids and,
of a log and for a week, their first arrival.

Mend the cause first, and run it from the release that is deployed: what that release still rejects is left where it
lies (exit code 3 where --reason names it, else 0). Without --reason it looks at {PARKED}, {GIVEN_UP}, {UNSENT} and
the reasons that a mended release changes, and counts the others as not looked at:
{textwrap.fill(", ".join(sorted(MENDABLE)), 110)}.

It waits until each shop's log has come to the rejected records that it put back; those that the functions reject again
are stored again, counted, and end it with 3. It does not wait for records of batches that an event source gave up on:
`count` shows which of them are rejected later."""

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


def add_record_commands(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the commands to those of the command line."""
    _command(commands, "count", "count the records of the rejected bucket by reason and shop", record_commands.count)
    _command(
        commands, "list", "list the records of the rejected bucket, without their content", record_commands.list_all
    )
    back = _command(
        commands, "put-back", "put back what was set aside, once its cause is mended", record_commands.put_back
    )
    back.description = _PUT_BACK
    back.add_argument("--dry-run", action="store_true", help="say what would go back, and change nothing")
    rebuilt = _command(
        commands, "rebuild", "fold shops' logs again after a release with another fold", record_commands.rebuild
    )
    rebuilt.description = _REBUILD
    rebuilt.add_argument("--lake", metavar="PATH", help="the lake that shops were imported from (default: build/lake)")
    rebuilt.add_argument("--master", metavar="URL", help="where Spark runs (default: here)")
    rebuilt.set_defaults(dry_run=False)
    for command in (back, rebuilt):
        _add_run_options(command)
    for option, what in (
        ("--alerts-table", "name of the table of alerts"),
        ("--archive-bucket", "name of the archive"),
    ):
        rebuilt.add_argument(option, help=f"{what} (default: from --stack)")


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--patience",
        type=seconds_argument,
        default=900,
        metavar="SECONDS",
        help="seconds without progress of a shop's log after which to stop waiting (%(default)s)",
    )
    for option, what in _NAMES:
        command.add_argument(option, help=f"{what} (default: from --stack)")


def _command(
    commands: "argparse._SubParsersAction[Any]", name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    command.add_argument("--stack", help="stack whose outputs name everything")
    command.add_argument("--rejected-bucket", help="name of the rejected bucket (default: from --stack)")
    command.add_argument(
        "--stream-generation", type=int, help="generation of the stream (default: from --stack, else 1)"
    )
    command.add_argument("--shop", type=shop_argument, help="one shop (default: all)")
    command.add_argument(
        "--reason",
        type=reason_argument,
        action="append",
        help=f"a reason, {PARKED}, {GIVEN_UP} or {UNSENT}; may be given several times",
    )
    command.add_argument(
        "--since", type=instant_argument, metavar="TIME", help="first arrived at or after this day or instant"
    )
    command.add_argument(
        "--until", type=instant_argument, metavar="TIME", help="first arrived before this day or instant"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write what came out as JSON (list: JSON lines)")
    return command
