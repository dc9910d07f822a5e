"""The arguments of an import: which files, by which mapping, and what no file says."""

import argparse
import re
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cli.arguments import number_up_to_one
from service_quality.events.identifiers import EXPECTED_ID, is_id
from spark_jobs.command_line import job_parser
from spark_jobs.errors import ArgumentError, MissingSourceError
from spark_jobs.sources.cells import Context
from spark_jobs.sources.headers import (
    DELIMITER_NAMES,
    ENCODING_NAMES,
    LINE_END_NAMES,
    Overrides,
    delimiter_named,
    line_end_named,
)
from spark_jobs.sources.mapping import CORRECT, REPORT, Source
from spark_jobs.sources.row_events import given_instant
from spark_jobs.sources.row_values import Given

_CURRENCY = re.compile("[A-Z]{3}")
_MOST_NAMED = 5


def read_options(name: str, description: str, arguments: Sequence[str]) -> argparse.Namespace:
    """The job's arguments."""
    parser = job_parser(name, description)
    parser.add_argument("files", nargs="*", metavar="FILE", help="text, also .gz; also a pattern, s3a:// or s3://")
    parser.add_argument("--list", action="store_true", help="list the mappings that come along, and end")
    parser.add_argument(
        "--suggest", action="store_true", help="print a first mapping of one local file, with its doubts, and end"
    )
    parser.add_argument(
        "--check", action="store_true", help="read the beginning of local files, say what would be read, write nothing"
    )
    parser.add_argument("--mapping", metavar="NAME|FILE", help="what the columns mean")
    parser.add_argument("--shop", type=shop_argument, metavar="ID", help="the shop to which the events belong")
    parser.add_argument(
        "--time-zone", type=zone_argument, metavar="ZONE", help="of times that name none, such as Asia/Shanghai"
    )
    parser.add_argument("--currency", type=currency_argument, metavar="CODE", help="of amounts, such as CNY")
    parser.add_argument(
        "--given",
        action="append",
        default=[],
        type=given_argument,
        metavar="NAME=VALUE",
        help="a value that the mapping asks for and no file holds",
    )
    parser.add_argument(
        "--rejected-at-most", type=share_argument, metavar="SHARE", help="of each file's rows, instead of the mapping's"
    )
    parser.add_argument(
        "--later-export",
        choices=(REPORT, CORRECT),
        help="events that the lake has with other content: count them, or correct them (the mapping says)",
    )
    written = parser.add_argument_group("how the files are written, where it is not as the mapping says")
    written.add_argument("--encoding", choices=ENCODING_NAMES, help="of the text")
    written.add_argument("--delimiter", choices=DELIMITER_NAMES, help="between cells")
    written.add_argument("--header-row", type=int, metavar="LINE", help="the line that names the columns")
    written.add_argument("--line-end", choices=LINE_END_NAMES, help="cr: lines end by a carriage return alone")
    options = parser.parse_args(arguments)
    needed = ("files",) if options.suggest else ("files", "mapping", "shop")
    missing = [name for name in needed if not getattr(options, name)]
    if missing and not options.list:
        words = {"files": "FILE", "mapping": "--mapping", "shop": "--shop"}
        raise ArgumentError(f"found no {', no '.join(words[name] for name in missing)}, expected each (see --help)")
    return options


def shop_argument(text: str) -> str:
    """A shop's id as an event can carry it."""
    if not is_id(text):
        raise argparse.ArgumentTypeError(f"expected an id of {EXPECTED_ID}")
    return text


def share_argument(text: str) -> float:
    """A share from 0 to 1.

    >>> share_argument("0.5")
    0.5
    """
    return number_up_to_one(text, expected="a share from 0 to 1")


def zone_argument(text: str) -> str:
    """The name of a time zone, as in Asia/Shanghai."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"found '{text}', expected a time zone such as Asia/Shanghai") from None
    return text


def currency_argument(text: str) -> str:
    """A code of ISO 4217."""
    if not _CURRENCY.fullmatch(text):
        raise argparse.ArgumentTypeError(f"found '{text}', expected three capital letters such as CNY")
    return text


def given_argument(text: str) -> tuple[str, str]:
    """A name and its value."""
    name, sign, value = text.partition("=")
    if not sign or not value:
        raise argparse.ArgumentTypeError(f"found '{text}', expected NAME=VALUE")
    return name, value


def overridden(source: Source, options: argparse.Namespace) -> Source:
    """The mapping with what the command line says instead."""
    said = Overrides(
        options.encoding,
        options.delimiter and delimiter_named(options.delimiter),
        options.header_row,
        options.line_end and line_end_named(options.line_end),
    )
    share = source.rejected_at_most if options.rejected_at_most is None else options.rejected_at_most
    return source._replace(
        resources=tuple(said.applied(one) for one in source.resources),
        rejected_at_most=share,
        later_export=options.later_export or source.later_export,
    )


def given_by(options: argparse.Namespace, source: Source, *, until: int) -> Given:
    """What the command line says of the files; ArgumentError for what the mapping needs and nobody says."""
    values = dict(options.given)
    missing = [f"--given {name}=VALUE ({says})" for name, says in source.given.items() if name not in values]
    unknown = [name for name in values if name not in source.given]
    context = Context(options.time_zone or source.zone, options.currency or source.currency, until)
    if context.zone is None and source.needs_zone:
        named = ", ".join(source.needs_zone[:_MOST_NAMED])
        missing.append(f"--time-zone ZONE (times of {named} name none)")
    if missing:
        raise ArgumentError(f"found no {'; no '.join(missing)}: the mapping {source.name} needs it")
    if unknown:
        known = ", ".join(source.given) or "none"
        raise ArgumentError(f"found --given {unknown[0]}, expected one of those that {source.name} asks for: {known}")
    if "occurred_at" in values:
        check_instant(values["occurred_at"], context)
    return Given(options.shop, values, context)


def check_instant(text: str, context: Context) -> None:
    """ArgumentError for a given instant that cannot be read."""
    try:
        given_instant(text, context)
    except ValueError:
        raise ArgumentError(
            f"found --given occurred_at={text}, expected YYYY-MM-DD or an ISO 8601 instant that is past"
        ) from None


def local_files(names: Sequence[str]) -> list[Path]:
    """The local files of these names or patterns."""
    named = ([name] if Path(name).is_file() else sorted(glob(name)) for name in names)
    found = [Path(name) for some in named for name in some]
    if not found:
        raise MissingSourceError(f"found no local file in {', '.join(names)}, expected those of an export")
    return found
