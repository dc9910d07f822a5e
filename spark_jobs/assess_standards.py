"""Say how each shop does by the platform standards, and how many rounds in time it needs."""

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from service_quality.policies.local_days import format_day
from service_quality.policies.platform_standards import (
    Assessment,
    DayCount,
    PlatformStandard,
    StandardState,
    assess,
    load_standards,
    platform_day,
    project,
)
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COMPUTE, READ
from spark_jobs.command_line import job_parser, print_summary, run_job, session_for
from spark_jobs.errors import InputError
from spark_jobs.logs.archive import to_log
from spark_jobs.logs.entry_source import ARCHIVE_HELP, read_entries
from spark_jobs.logs.settings import read_settings
from spark_jobs.reader.platform_days import count_by_day, log_ends
from spark_jobs.reader.recorded_imports import join_imports

_DESCRIPTION = """Reads the log, and counts by the platform's own rules (limit, hours, time zone, window) the waits of
the rounds that the functions fold. A wait that still runs counts once it is beyond the limit. Waits that are known to
the day only are left out.

Each line says the rate in the window that ends with the log's last day, whether it meets the platform's target, how
many rounds in time one after another reach it, and the rate in the next window if each day is like the latest seven.

The presets are written down from secondary sources: check with your platform (docs/policies.md)."""

Row = dict[str, Any]


def main(arguments: Sequence[str]) -> None:
    """Entry point: read the log, count by day, assess, print."""
    options = read_options(arguments)
    spark = session_for(options, "assess_standards")
    note_step(READ)
    entries = read_entries(spark, options.archive).cache()
    policies = read_settings(entries).policies
    log = to_log(entries, policies)
    ends = log_ends(log)
    if not ends:
        raise InputError("found no event in the log, expected at least one")
    note_step(COMPUTE)
    standards = [load_standards()[name] for name in options.standard]
    counts = count_by_day(join_imports(log), policies, standards, ends)
    assessed = [
        assess_shop(shop_id, standard, counts.get((shop_id, standard.name), []), ends=ends[shop_id])
        for shop_id in sorted(ends)
        for standard in standards
    ]
    for one in assessed:
        print(line_of(one), flush=True)
    print_summary(f"assess_standards: {len(ends)} shops", {"assessed": assessed}, file=options.json)


def read_options(arguments: Sequence[str]) -> Namespace:
    """The options of the command line."""
    parser = job_parser("assess_standards", _DESCRIPTION)
    parser.add_argument("archive", nargs="?", metavar="ARCHIVE", help=ARCHIVE_HELP)
    known = ", ".join(load_standards())
    parser.add_argument(
        "--standard",
        nargs="+",
        type=standard_argument,
        default=list(load_standards()),
        metavar="NAME",
        help=f"of {known} (default: all)",
    )
    return parser.parse_args(arguments)


def standard_argument(text: str) -> str:
    """The name of a preset."""
    if text not in load_standards():
        raise ArgumentTypeError(f"found '{text}', expected one of {', '.join(load_standards())}")
    return text


def assess_shop(shop_id: str, standard: PlatformStandard, days: Sequence[DayCount], *, ends: int) -> Row:
    """How a shop does by a standard at the end of its log, in plain values; rates are per mille, rounded down."""
    today = platform_day(standard, ends)
    found: Assessment = assess(standard, days, today=today)
    return {
        "shop_id": shop_id,
        "standard": standard.name,
        "until": format_day(today),
        "days": [{"day": format_day(one.day), "rounds": one.rounds, "on_time": one.on_time} for one in days],
        "rounds": found.rounds,
        "on_time": found.on_time,
        "permille": found.permille,
        "target_permille": standard.target_permille,
        "state": found.state.value,
        "rounds_to_target": found.rounds_to_target,
        "next_window_permille": project(standard, days, today=today, ends_on=today + standard.window_days),
        "as_of": format_day(standard.as_of),
    }


def line_of(one: Row) -> str:
    """An assessment for people."""
    rate = "no round" if one["permille"] is None else f"{one['permille'] / 10:.1f} % of {one['rounds']} rounds in time"
    return f"{one['shop_id']}: {one['standard']} until {one['until']}: {rate}: {'; '.join(_says(one))}"


def _says(one: Row) -> Iterator[str]:
    target = "" if one["target_permille"] is None else f" the target of {one['target_permille'] / 10:g} %"
    match one["state"]:
        case StandardState.MET:
            yield f"meets{target}"
        case StandardState.MISSED:
            yield f"misses{target}"
        case StandardState.NO_TARGET:
            yield "sources name no common target"
        case _:
            yield "not assessed: too few rounds"
    if one["rounds_to_target"]:
        yield f"{one['rounds_to_target']} rounds in time, one after another, reach it"
    if one["next_window_permille"] is not None:
        yield f"{one['next_window_permille'] / 10:.1f} % in the next window, if it goes on like this"


if __name__ == "__main__":
    sys.exit(run_job(main))
