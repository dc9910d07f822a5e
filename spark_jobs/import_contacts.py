"""Read contact exports into the lake as interaction events.

One row per contact becomes up to three events: the contact was opened, answered, rated. An optional value that cannot
be used is left out and counted by its column. Rows that cannot be read are put into the lake's table of rejected rows,
with file, line and reason. Importing a file again changes nothing.
Where too few rows of a file can be read nothing else is written, and the job ends with exit code 3.
"""

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.events.identifiers import EXPECTED_ID, is_id
from spark_jobs.command_line import job_parser, print_summary, run_job, session_for
from spark_jobs.contacts.export_format import MISSING_COLUMNS, REPEATED_COLUMNS
from spark_jobs.contacts.readable_share import RowCount, explain_unreadable
from spark_jobs.contacts.rows import (
    check_records,
    contact_events,
    count_odd,
    hash_files,
    parse_lines,
    read_lines,
    rejected_rows,
)
from spark_jobs.errors import InputError, MissingSourceError
from spark_jobs.lake.snapshots import Written
from spark_jobs.lake.tables import REJECTED, write_events, write_rejected

NAME = "import_contacts"
PATTERN_SIGNS = re.compile(r"[][{}*?\\]")


def main(arguments: Sequence[str]) -> None:
    """Parse, read, check, write, report."""
    started = time.time()
    options = read_options(arguments)
    spark = session_for(options, NAME)
    lines = read_lines(spark, [as_pattern(path) for path in options.files])
    records = read_files(lines, options.files)
    checked = check_records(records, time_zone=options.time_zone, until=int(started * 1000)).persist()
    counts = count_rows(checked)
    rejected_by_reason = count_by_reason(counts)
    rejected = write_rejected(rejected_rows(checked, hash_files(lines))) if rejected_by_reason else None
    refusal = explain_unreadable(counts, least_share=options.least_share)
    if refusal:
        stored = f"; what was rejected is in {REJECTED}, nothing else was written" if rejected else ""
        raise InputError(f"{refusal}{stored}")
    events = write_events(contact_events(checked, shop_id=options.shop))
    odd = count_odd(checked)
    contacts = sum(count.rows for count in counts if count.reason is None)
    print_summary(
        summary_line(options.shop, contacts, rejected_by_reason, events, odd=odd),
        {
            "job": NAME,
            "shop_id": options.shop,
            "contacts": contacts,
            "rejected": sum(rejected_by_reason.values()),
            "rejected_by_reason": rejected_by_reason,
            "odd_fields": odd,
            "new_events": events.rows,
            "new_rejected": rejected.rows if rejected else 0,
            "events_snapshot": events.snapshot,
            "seconds": round(time.time() - started, 1),
        },
        file=options.json,
    )


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The job's arguments."""
    parser = job_parser(NAME, __doc__ or "")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .csv or .csv.gz; also a pattern, s3a:// or s3://")
    parser.add_argument("--shop", required=True, type=shop_argument, metavar="ID", help="the shop they belong to")
    parser.add_argument(
        "--time-zone", default="UTC", type=zone_argument, metavar="ZONE", help="of the file's times (%(default)s)"
    )
    parser.add_argument(
        "--least-share",
        default=0.5,
        type=share_argument,
        metavar="SHARE",
        help="of each file's rows that must be readable, 0 to 1 (%(default)s)",
    )
    return parser.parse_args(arguments)


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


def read_files(lines: DataFrame, paths: Sequence[str]) -> DataFrame:
    """The records of the lines that `paths` gave; a file that is no contact export is refused as a whole."""
    files = set(lines.inputFiles())
    if not files:
        raise MissingSourceError(f"found no file in {', '.join(paths)}, expected contact exports")
    records = parse_lines(lines).persist()
    refused = records.where(F.col("reason").isin(MISSING_COLUMNS, REPEATED_COLUMNS)).orderBy("file").first()
    if refused is not None:
        raise InputError(f"{refused['file']}: {refused['reason'].replace('_', ' ')}: {refused['field']}")
    if records.select("file").distinct().count() < len(files):
        read = {row["file"] for row in lines.select("file").distinct().collect()}
        empty = {file for file in files if re.sub("^file:/+", "file:/", file) not in read}
        if empty:
            raise InputError(f"found nothing in {', '.join(sorted(empty))}, expected a line with the columns' names")
    return records


def as_pattern(path: str) -> str:
    """The path for a reader of patterns: the name of an existing file is no pattern.

    >>> as_pattern("no such/*.csv")
    'no such/*.csv'
    """
    return PATTERN_SIGNS.sub(r"\\\g<0>", path) if Path(path).is_file() else path


def count_rows(checked: DataFrame) -> list[RowCount]:
    """The number of contacts of each file, and of rejected rows by reason and column."""
    counts = checked.groupBy("file", "reason", "field").count().orderBy("file", "reason", "field")
    return [RowCount(row["file"], row["reason"], row["field"], row["count"]) for row in counts.collect()]


def count_by_reason(counts: Sequence[RowCount]) -> dict[str, int]:
    """The number of rejected rows by reason.

    >>> count_by_reason(
    ...     [RowCount("a", None, None, 2), RowCount("a", "bad_date", "x", 1), RowCount("b", "bad_date", "y", 3)]
    ... )
    {'bad_date': 4}
    """
    rejected: Counter[str] = Counter()
    for count in counts:
        if count.reason is not None:
            rejected[count.reason] += count.rows
    return dict(sorted(rejected.items()))


def summary_line(shop: str, contacts: int, rejected: dict[str, int], events: Written, *, odd: dict[str, int]) -> str:
    """The summary for people."""
    left_out = ", ".join(f"{count} of {column}" for column, count in odd.items())
    stored = ", ".join(f"{count} {reason}" for reason, count in rejected.items())
    return (
        f"{NAME}: {contacts} contacts of {shop} read, {events.rows} events new in the lake, "
        f"{sum(rejected.values())} rows rejected{f' ({stored})' if stored else ''}"
        f"{f'; values left out: {left_out}' if left_out else ''}"
    )


if __name__ == "__main__":
    sys.exit(run_job(main))
