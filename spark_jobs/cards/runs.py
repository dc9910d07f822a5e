"""Runs of the jobs, as their cards say: list them, open one, compare two."""

import argparse
import json
import sys
import time
import webbrowser
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from spark_jobs.cards.card import PAGE, Card, figures_of, read_cards, runs_folder
from spark_jobs.entry.arguments import JobParser, empty_parser
from spark_jobs.entry.endings import run_job
from spark_jobs.errors import InputError, MissingSourceError

NAME = "runs"
_MOST_LISTED, _LONGEST = 20, 100
#: The arguments that say what a run was about.
_ABOUT = ("shop", "mapping")


def main(arguments: Sequence[str]) -> None:
    """List, open or compare."""
    options = read_options(arguments)
    cards = read_cards(runs_folder(), now=time.time())
    if options.what == "list":
        shown = [card for card in cards if options.job in (None, card.job)][: options.most]
        print(json.dumps([asdict(card) for card in shown], indent=2) if options.json else table(shown), flush=True)
    elif options.what == "open":
        path = (runs_folder() / find(cards, options.run).id / PAGE).resolve()
        print(path, flush=True)
        if not options.print:
            webbrowser.open(path.as_uri())
    else:
        print("\n".join(compared(find(cards, options.first), find(cards, options.second))), flush=True)


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """What to do with which runs."""
    parser = empty_parser(NAME, __doc__ or "")
    actions = parser.add_subparsers(dest="what", required=True, metavar="list | open | compare", parser_class=JobParser)
    listed = actions.add_parser("list", help="the latest runs, the newest first")
    listed.add_argument("--job", metavar="JOB", help="of this job alone")
    listed.add_argument("--most", type=int, default=_MOST_LISTED, metavar="N", help="at most so many (%(default)s)")
    listed.add_argument("--json", action="store_true", help="whole cards as JSON")
    opened = actions.add_parser("open", help="show a run's card in the browser, and print its path")
    opened.add_argument("run", nargs="?", default="", metavar="RUN", help="the beginning of its id, or of a job's name")
    opened.add_argument("--print", action="store_true", help="print the path alone")
    both = actions.add_parser("compare", help="the figures of two runs side by side")
    both.add_argument("first", metavar="RUN", help="the beginning of its id, or of a job's name")
    both.add_argument("second", metavar="RUN", help="another one")
    return parser.parse_args(arguments)


def find(cards: Sequence[Card], name: str) -> Card:
    """The newest run whose id begins so or holds so; MissingSourceError for none."""
    found = [card for card in cards if card.id.startswith(name) or name in card.id]
    if not found:
        known = ", ".join(card.id for card in cards[:3]) or "none yet"
        raise MissingSourceError(f"found no run {name} in {runs_folder()}, expected one of {known}")
    return found[0]


def table(cards: Sequence[Card]) -> str:
    """One line a run: id, state, seconds, and what it says of itself."""
    rows = [(card.id, card.state, f"{card.seconds:.1f} s", headline(card)) for card in cards]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(3)]
    aligned = [[cell.ljust(width) for cell, width in zip(row, widths, strict=False)] for row in rows]
    lines = ["  ".join([*cells, row[3]]) for cells, row in zip(aligned, rows, strict=True)]
    return "\n".join(lines) if lines else "no run yet"


def headline(card: Card) -> str:
    """What a run was about (its shop, its mapping), then its failure or its first figures."""
    about = " ".join(str(card.arguments[name]) for name in _ABOUT if card.arguments.get(name))
    if card.error is not None:
        said = str(card.error["message"]).splitlines()[0]
    else:
        numbers = [(name, value) for name, value in card.counts.items() if isinstance(value, int | float)]
        said = ", ".join(f"{name} {value:,}" for name, value in numbers if name != "seconds")
    return ": ".join(part for part in (about, said) if part)[:_LONGEST]


def compared(first: Card, second: Card) -> list[str]:
    """Arguments and figures that two runs of a job do not share, side by side; InputError for two jobs."""
    if first.job != second.job:
        raise InputError(f"found a run of {first.job} and one of {second.job}, expected two of one job")
    lines = [f"{'':40}{first.id:>32}{second.id:>32}"]
    lines += _different(first.arguments, second.arguments)
    lines += _different(dict(figures_of(first)), dict(figures_of(second)))
    return lines if len(lines) > 1 else [*lines, "no difference"]


def _different(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    return [f"{name:40}{_shown(first.get(name)):>32}{_shown(second.get(name)):>32}" for name in names]


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(run_job(main))
