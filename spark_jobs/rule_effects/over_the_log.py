"""`backtest_rules RULES`: what rules would have sent on an archived log, beside those in force."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from service_quality.alerts.rules import SEVERITIES
from service_quality.instants import format_instant
from spark_jobs.cards.running import note_step
from spark_jobs.cards.steps import COMPUTE, JUDGE, READ
from spark_jobs.command_line import instant_argument, job_parser, print_summary, session_for
from spark_jobs.entry.rule_files import read_rules_file
from spark_jobs.errors import InputError
from spark_jobs.logs.entry_source import ARCHIVE_HELP, read_entries
from spark_jobs.rule_effects.effects import Period, effects_of, observe, refused
from spark_jobs.rule_effects.shop_messages import Message, messages_of

NAME = "backtest_rules"
_DESCRIPTION = """Folds the log of each shop again by the commit, fold and rules of the functions, with the given rules
from its beginning on and with those in force, and says by given rule: alerts a day (and of the rule in force under the
same name, now), how many reached each severity, how often the later rating was a dissatisfied one (right), which share
of the dissatisfied conversations they found, how many came before the first answer and by how many minutes (middle),
and how many were about somebody whom the rules in force had alerted by then (known).

Time reaches the stages of waits between the records; those that a deployment put on the log are left out. Scores are
those that were served, findings those that were reported; a stage that no deployment reached has no score, so that
rules over it say nothing there. The past that an import brought is not on the log: rules over long windows see it fill
from the log's beginning on.

With --events FILE instead of RULES it prints every message of a small log, without Spark (--events FILE --help)."""
_COLUMNS = ("a day", "now", *SEVERITIES, "right", "found", "before answer", "min ahead", "known")


def main(arguments: Sequence[str]) -> None:
    """Entry point: read rules and log, fold each shop twice, judge, print."""
    options = read_options(arguments)
    document = read_rules_file(options.rules)
    spark = session_for(options, NAME)
    note_step(READ)
    entries = read_entries(spark, options.archive)
    if options.shop:
        entries = entries.where(F.col("shop_id").isin(*options.shop))
    entries = entries.cache()
    period = period_of(entries, options.since, options.until)
    note_step(COMPUTE)
    messages = [Message(*row) for row in messages_of(entries, document, until=period.until).collect()]
    note_step(JUDGE)
    effects = effects_of(messages, observe(entries, messages, period), period)
    lost = refused(messages)
    for line in render(effects):
        print(line, flush=True)
    said = f"{format_instant(period.since)} to {format_instant(period.until)}"
    print_summary(
        f"{NAME}: {sum(one['alerts'] for one in effects.values())} alerts of {len(effects)} rules, {said}"
        + (f"; {sum(lost.values())} records could not be folded again" if lost else ""),
        {"since": period.since, "until": period.until, "rules": effects, "refused": lost},
        file=options.json,
    )


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = job_parser(NAME, _DESCRIPTION)
    parser.add_argument("rules", metavar="RULES", help="the rules, YAML or JSON (docs/rules.md)")
    parser.add_argument("archive", nargs="?", metavar="ARCHIVE", help=ARCHIVE_HELP)
    parser.add_argument(
        "--from",
        dest="since",
        type=instant_argument,
        metavar="DAY",
        help="count alerts from this day or instant on (default: the log's first arrival)",
    )
    parser.add_argument(
        "--to",
        dest="until",
        type=instant_argument,
        metavar="DAY",
        help="fold and count until this day or instant, which is excluded (default: the log's last arrival or finding)",
    )
    parser.add_argument("--shop", nargs="+", metavar="SHOP", help="of these shops alone")
    return parser.parse_args(arguments)


def period_of(entries: DataFrame, since: int | None, until: int | None) -> Period:
    """The period asked for, by default the whole log; InputError for a log without events or a period without time."""
    found_at = F.unix_millis(F.to_timestamp(F.get_json_object("control", "$.as_of")))  # of a finding
    ends = (
        entries.where("rejected is null")
        .agg(F.min("received_at"), F.greatest(F.max("received_at"), F.max(found_at)))
        .first()
    )
    if ends is None or ends[0] is None:
        raise InputError("found no event in the log, expected at least one")
    period = Period(ends[0] if since is None else since, ends[1] + 1 if until is None else until)
    if period.since >= period.until:
        found = f"the period from {format_instant(period.since)} to {format_instant(period.until)}"
        raise InputError(f"found {found}, expected --from before --to")
    return period


def render(effects: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A table for people, a line a rule."""
    rows = [["", *_COLUMNS], *([kind, *_cells(found)] for kind, found in effects.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) if place == 0 else cell.rjust(width) for place, (cell, width) in enumerate(row))
        for row in ([*zip(one, widths, strict=True)] for one in rows)
    ]


def _cells(found: Mapping[str, Any]) -> list[str]:
    shares = [_percent(found[name]) for name in ("precision", "recall", "before_answer")]
    return [
        f"{found['per_day']:,.1f}",
        f"{found['now_per_day']:,.1f}",
        *(f"{found['severities'].get(severity, 0):,}" for severity in SEVERITIES),
        *shares,
        "-" if found["minutes_before_answer"] is None else f"{found['minutes_before_answer']:,.0f}",
        _percent(found["known"]),
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
