"""Read the files of an export into the lake as interaction events, by a mapping that says what its columns mean.

A mapping is a name (`--list` shows those that come along) or a file of your own (docs/sources.md). A cell that cannot
be used is left out and counted by its column; a row of which no event can come is put into the lake's table of rejected
rows, with file, line and reason. Importing a file again changes nothing. Where too few rows of a file can be read, or
its times read in the other order of day and month alone, nothing else is written, and the job ends with exit code 3.
"""

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from functools import reduce
from glob import glob
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from service_quality.events.identifiers import EXPECTED_ID, is_id
from spark_jobs.cards.running import note_file, note_summary, warn
from spark_jobs.command_line import job_parser, print_summary, run_job, session_for
from spark_jobs.errors import ArgumentError, InputError, MissingSourceError
from spark_jobs.lake.known_events import Change, content_of, write_later
from spark_jobs.lake.tables import REJECTED, REJECTED_KEY, REJECTED_SCHEMA, with_timestamps, write_rejected
from spark_jobs.sources.beginnings import describe, read_beginning
from spark_jobs.sources.cells import Context
from spark_jobs.sources.cleaning import Cleaning, merged
from spark_jobs.sources.headers import (
    DELIMITER_NAMES,
    ENCODING_NAMES,
    HEAD_LINES,
    LINE_END_NAMES,
    PARQUET,
    Header,
    Overrides,
    delimiter_named,
    find_header,
    find_header_of,
    line_end_named,
)
from spark_jobs.sources.import_figures import heaviest_keys, import_figures
from spark_jobs.sources.mapping import CORRECT, REPORT, Source
from spark_jobs.sources.mapping_file import load_mapping, shipped_mappings
from spark_jobs.sources.row_events import Given, given_instant
from spark_jobs.sources.suggestions import as_yaml, suggest
from spark_jobs.sources.tables import (
    DIGEST,
    Files,
    counters_in,
    events_in,
    plain_address,
    read_head,
    read_lines,
    read_outcomes,
    read_parquet,
    read_rows,
    rejected_in,
)

NAME = "import_events"
PATTERN_SIGNS = re.compile(r"[][{}*?\\]")
_CURRENCY = re.compile("[A-Z]{3}")
_MOST_NAMED = 5
#: The rows of each file that `--check` reads.
CHECKED_ROWS = 5_000


class Repeats(NamedTuple):
    """Events of one id within the files: those that say the same, and those that say something else."""

    same: int
    other: int


def main(arguments: Sequence[str]) -> None:
    """Read the arguments, the mapping and the files; check, write, report."""
    started = time.time()
    options = read_options(arguments)
    if options.list:
        print("\n".join(f"{name:24} {load_mapping(name).title['en']}" for name in shipped_mappings()))
        return
    if options.suggest:
        (path,) = local_files(options.files)[:1]
        print(as_yaml(suggest(path), path.name), end="")
        return
    source = overridden(load_mapping(options.mapping), options)
    given = given_by(options, source, until=int(started * 1000))
    if options.check:
        print("\n".join(describe(read_beginning(local_files(options.files), source, given, most=CHECKED_ROWS), source)))
        return
    spark = session_for(options, NAME)
    addresses = find_files(spark, options.files)
    headers = find_headers(spark, addresses, source)
    say_columns(headers, source)
    files = Files(source, headers, given)
    rows = read_all(spark, addresses, files).persist(StorageLevel.MEMORY_AND_DISK)
    outcomes = read_outcomes(rows, files).persist(StorageLevel.MEMORY_AND_DISK)
    met = merged(counters_in(outcomes))
    rejected = write_rejected(rejected_rows(outcomes, rows, source.name)) if met.rejected else None
    figures = import_figures(source, headers, met, rows=count_rows(rows), heaviest=heaviest_keys(events_in(outcomes)))
    refusal = explain_refusal(met, headers, source)
    if refusal:
        note_summary({"cleaning": figures})
        stored = f"; what was rejected is in {REJECTED}, nothing else was written" if rejected else ""
        raise InputError(f"{refusal}{stored}")
    events, repeats = each_once(events_in(outcomes))
    change = write_later(events, corrects=source.later_export == CORRECT)
    print_summary(
        summary_line(options.shop, source, met, change, repeats),
        {
            "job": NAME,
            "mapping": source.name,
            "shop_id": options.shop,
            "files": {file_name(file): header.resource for file, header in headers.items()},
            "rows": figures["rows"],
            "rows_taken": sum(met.taken.values()),
            "rejected": sum(met.rejected_by_reason.values()),
            "rejected_by_reason": met.rejected_by_reason,
            "left_out": dict(sorted(met.left_out.items())),
            "odd_cells": dict(sorted(met.odd.items())),
            "missing_columns": missing_columns(headers, source),
            "unread_columns": {file_name(file): len(one.unread) for file, one in headers.items() if one.unread},
            "events_by_kind": dict(sorted(met.kinds.items())),
            "repeated_events": repeats.same,
            "conflicting_events": repeats.other,
            "new_events": change.new,
            "differing_events": change.differing,
            "corrected_events": change.corrected,
            "new_rejected": rejected.rows if rejected else 0,
            "cleaning": figures,
            "events_snapshot": change.snapshot,
            "seconds": round(time.time() - started, 1),
        },
        file=options.json,
    )


def count_rows(rows: DataFrame) -> dict[str, int]:
    """The number of rows of each file, by its address."""
    counts = rows.where(F.col("resource") != DIGEST).groupBy("file").count().collect()
    return {row["file"]: row["count"] for row in counts}


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The job's arguments."""
    parser = job_parser(NAME, __doc__ or "")
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
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"found '{text}', expected a share from 0 to 1")
    return share


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


def say_columns(headers: Mapping[str, Header], source: Source) -> None:
    """Note the files on the run's card, and say which columns they lack."""
    for address in headers:
        note_file(file_name(address))
    for file, columns in missing_columns(headers, source).items():
        warn(NAME, f"{file} lacks {', '.join(columns)}: found nothing to read of them")


def find_files(spark: SparkSession, paths: Sequence[str]) -> list[str]:
    """The addresses of the files that `paths` name."""
    found = sorted(read_lines(spark, [as_pattern(path) for path in paths]).inputFiles())
    if not found:
        raise MissingSourceError(f"found no file in {', '.join(paths)}, expected those of an export")
    return found


def find_headers(spark: SparkSession, addresses: Sequence[str], source: Source) -> dict[str, Header]:
    """The resource of each file, by its address; InputError for a file that belongs to none."""
    headers: dict[str, Header] = {}
    for address in addresses:
        path, name = as_pattern(unquote(address)), file_name(address)
        if name.endswith(PARQUET):
            headers[plain_address(address)] = find_header_of(spark.read.parquet(path).columns, source, name)
        else:
            headers[plain_address(address)] = find_header(read_head(spark, path, HEAD_LINES), source, name)
    return headers


def read_all(spark: SparkSession, addresses: Sequence[str], files: Files) -> DataFrame:
    """The rows of all files, of text and of Parquet."""
    packed = [address for address in addresses if file_name(address).endswith(PARQUET)]
    texts = [as_pattern(unquote(address)) for address in addresses if address not in packed]
    tables = [read_rows(read_lines(spark, texts), files)] if texts else []
    tables += [read_parquet(spark, as_pattern(unquote(address)), address, files) for address in packed]
    return reduce(DataFrame.unionByName, tables)


def as_pattern(path: str) -> str:
    """The path for a reader of patterns: the name of an existing file is no pattern.

    >>> as_pattern("no such/*.csv")
    'no such/*.csv'
    """
    plain = re.sub("^file:/+", "/", path)
    return PATTERN_SIGNS.sub(r"\\\g<0>", plain) if Path(plain).is_file() else path


def file_name(address: str) -> str:
    """The file's own name, of an address in which signs are escaped."""
    return unquote(address).rpartition("/")[2]


def explain_refusal(met: Cleaning, headers: Mapping[str, Header], source: Source) -> str:
    """Why the files cannot be imported; "" where they can."""
    for file, column, count in met.other_order:
        if count:
            return (
                f"{file_name(file)}: found {count} times in {column} that read in the other order of day and month "
                "alone, and none that reads in the declared one alone; expected the mapping's order: say the right one"
                " in its `format`"
            )
    rows = {plain_address(file): count for file, count in met.rows.items()}
    if not any(rows.values()):
        return "found no row below the columns' names, expected at least one"
    for file, (rejected, most) in sorted(met.most_rejected.items()):
        total = rows[plain_address(file)]
        if rejected > source.rejected_at_most * total or rejected == total == sum(rows.values()):
            return (
                f"{file_name(file)}: found {rejected} of {total} rows rejected, most of them as {most}; "
                f"expected at most {source.rejected_at_most:.0%}"
            )
    unread = [file_name(file) for file in headers if file not in rows]
    if unread and not met.kinds:
        return f"found no row in {', '.join(unread)}, expected at least one"
    return ""


def each_once(events: DataFrame) -> tuple[DataFrame, Repeats]:
    """The events as the lake holds them, of several with one id the first in their files; and how many repeat it."""
    by_place = Window.partitionBy("event_id").orderBy("from_file", "from_line")
    ranked = events.withColumn("rank", F.row_number().over(by_place)).withColumn(
        "first_content", F.first(content_of()).over(by_place)
    )
    ranked = ranked.persist(StorageLevel.MEMORY_AND_DISK)
    others = ranked.where("rank > 1")
    counted = others.select((content_of() == F.col("first_content")).alias("same")).groupBy("same").count().collect()
    counts = {row["same"]: row["count"] for row in counted}
    first = with_timestamps(ranked.where("rank = 1"))
    return first, Repeats(counts.get(True, 0), counts.get(False, 0))


def rejected_rows(outcomes: DataFrame, rows: DataFrame, mapping: str) -> DataFrame:
    """The rejected rows as the lake stores them (REJECTED_SCHEMA); of files of the same content the first's."""
    digests = rows.where(F.col("resource") == DIGEST).select("file", F.col("raw").alias("file_hash"))
    first = Window.partitionBy(*REJECTED_KEY).orderBy("file")
    found = rejected_in(outcomes).select(
        F.col("from_file").alias("file"), F.col("from_line").alias("line"), "reason", "field", "raw"
    )
    name = F.udf(lambda address: f"{mapping}:{file_name(address)}", "string")
    return (
        found.join(F.broadcast(digests), "file")
        .withColumn("source", name("file"))
        .withColumn("rank", F.row_number().over(first))
        .where("rank = 1")
        .select(*REJECTED_SCHEMA.fieldNames())
    )


def missing_columns(headers: Mapping[str, Header], source: Source) -> dict[str, list[str]]:
    """The columns of the mapping that files do not have, by file."""
    lacking = {file_name(file): list(one.missing(source.resource(one.resource))) for file, one in headers.items()}
    return {file: columns for file, columns in lacking.items() if columns}


def summary_line(shop: str, source: Source, met: Cleaning, change: Change, repeats: Repeats) -> str:
    """The summary for people."""
    rejected = ", ".join(f"{count} {reason}" for reason, count in met.rejected_by_reason.items())
    parts = [
        f"{NAME}: {sum(met.taken.values())} of {sum(met.rows.values())} rows of {shop} taken by {source.name}, "
        f"{change.new} events new in the lake",
        f"{sum(met.rejected_by_reason.values())} rows rejected{f' ({rejected})' if rejected else ''}",
    ]
    if met.left_out:
        parts.append("left out: " + ", ".join(f"{count} {why}" for why, count in sorted(met.left_out.items())))
    if met.odd:
        parts.append("cells left out: " + ", ".join(f"{count} of {name}" for name, count in sorted(met.odd.items())))
    if repeats.same or repeats.other:
        parts.append(f"{repeats.same} events repeat one, {repeats.other} contradict one")
    if change.differing:
        left = "left as they were (--later-export correct puts them in their place)"
        done = "corrected" if change.corrected else left
        parts.append(f"{change.differing} events differ from the lake's, {done}")
    return "; ".join(parts)


if __name__ == "__main__":
    sys.exit(run_job(main))
