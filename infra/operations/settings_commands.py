"""What the commands about policies and rules share: both are settings that a file brings and a shop's log takes."""

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from infra.operations.argument_types import seconds_argument
from infra.operations.deployment import Clients, Names
from infra.operations.errors import ArgumentsError, NotThereError
from infra.operations.shop_logs import ShopLog
from infra.operations.stream_writer import StreamWriter
from service_quality.adapters.state_table import StateReader
from service_quality.commit.shop_item import ShopItem
from service_quality.events.control_records import SettingsChanged

#: What a command needs that puts settings on a log.
NEEDED_TO_SET = ("event_stream", "state_table", "control_key_secret")


def add_command(
    commands: "argparse._SubParsersAction[Any]", name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Add a command that its text describes."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=sentence(text))
    command.set_defaults(run=run)
    return command


def sentence(text: str) -> str:
    """A help text as a sentence.

    >>> sentence("show a shop's rules")
    "Show a shop's rules."
    """
    return f"{text[0].upper()}{text[1:]}."


def add_set_arguments(command: argparse.ArgumentParser) -> None:
    """Add the arguments of a command that puts settings on a log and waits for it."""
    command.add_argument("--event-stream", help="name of the event stream (default: from --stack)")
    command.add_argument("--control-key-secret", help="ARN of the secret that signs control records")
    command.add_argument(
        "--patience",
        type=seconds_argument,
        default=120,
        metavar="SECONDS",
        help="seconds without progress of the shop's log after which to stop waiting (%(default)s)",
    )


class _TakeFile(argparse.Action):
    """Takes the file where it is named first, by its place or by --file; twice is an error."""

    by_place: argparse.Action

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error("found FILE and --file, expected one of them")
        self.by_place.required = False
        setattr(namespace, self.dest, values)


def add_file_argument(command: argparse.ArgumentParser, metavar: str, text: str) -> None:
    """Add the file of a command: FILE by its place, or --file FILE."""
    by_place = command.add_argument("file", type=Path, action=_TakeFile, metavar=metavar, help=f"{text}; or --file")
    by_name = command.add_argument(
        "--file", dest="file", type=Path, action=_TakeFile, metavar=metavar, help="the same file, named"
    )
    for action in (by_place, by_name):
        assert isinstance(action, _TakeFile)
        action.by_place = by_place


def put_settings(
    record: SettingsChanged, names: Names, clients: Clients, state: StateReader, *, patience: float
) -> ShopItem:
    """Put settings on their shop's log, and wait until it has come to them; the shop as it is then."""
    writer = StreamWriter(clients.kinesis, names.event_stream, lambda: clients.read_secret(names.control_key_secret))
    number = writer.put_control(record)
    log = ShopLog(record.shop_id, state, patience)
    log.wait_for(number)
    return log.read()


def read_known_shop(state: StateReader, shop_id: str) -> ShopItem:
    """The shop's item; NotThereError where no record of the shop was folded."""
    shop = state.read_shop(shop_id)
    if shop is None:
        raise NotThereError(f"found no shop {shop_id}, expected one of which a record was folded")
    return shop


def refuse(what: str, path: Path, mistakes: Iterable[object]) -> int:
    """Print every mistake of a file, a line each; the exit code of a file of another form."""
    found = [*mistakes]
    print(
        f"{what}: {path}: found {len(found)} {'mistake' if len(found) == 1 else 'mistakes'}, expected none",
        file=sys.stderr,
    )
    for mistake in found:
        print(mistake, file=sys.stderr)
    return ArgumentsError.exit_code


def warn(what: str, texts: Iterable[str]) -> None:
    """Print warnings of a command, a line each."""
    for text in texts:
        print(f"{what}: warning: {text}", file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of an answer."""
    for line in lines:
        print(line)
