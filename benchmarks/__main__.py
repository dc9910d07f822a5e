"""`make bench`: measure the claims beside their peers; print the tables, write RESULTS.md and results.json.

They are written to build/benchmarks. With --publish what was measured also replaces the published results in
benchmarks/, the figures of README.md and the tables of docs/cost.md.

The exit status is 1 when a figure misses its target.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks import alerts, imports
from benchmarks.claims import CLAIMS, missed
from benchmarks.cost_runs.page import write_page
from benchmarks.errors import BenchmarkError
from benchmarks.machine import describe_machine
from benchmarks.measurement import Section
from benchmarks.published import publish
from benchmarks.results import FOLDER, JSON, MEASURED, PAGE, read_results, render_claims, render_rows, write_results
from cli.endings import run_until_ended
from cli.paths import ROOT
from cli.version import add_version

README = ROOT / "README.md"
SAYS = {
    "windows": "historical features at every event of 1 M and 10 M rows, beside DuckDB, polars and pandas",
    "one_shop": "fold and windows of 10 M events of one shop on two workers of 2 GB",
    "training_set": "1 M and 10 M events of four shops to a training set, on two workers of 2 GB",
    "scoring": "CPU and AWS calls an event, beside a naive function and Feast's online read",
    "consistency": "1 M synthetic events committed over stand-ins, and every feature recomputed by Spark",
    "simulation": "schedules of trouble played against the commit, and mutants of it",
    "cold_start": "spawn to the first answer, beside scikit-learn and bare imports",
    "training": "log loss and time on 1 M and 10 M rows, beside scikit-learn",
    "archive": "1 M archived events into the lake's log, and 10,000 new ones beside them",
    "rebuild": "a shop of 1 M archived events folded again after a release with another fold",
    "reminders": "alerts of turns that wait 20 seconds, calm, in trouble and beside a late backlog",
    "alerts": "alerts on real contacts that CONTACTS, SPLIT and POLICY name; left out where they are not named",
    "imports": "UCI Online Retail, whose file UCI names, into a lake, and suggested mappings; left out without it",
    "cost": "dollars per million events, from measured items and calls at list prices",
}

#: The variables that name what a section measures with, where the project does not hold it.
NEEDED = {"alerts": alerts.INPUTS, "imports": imports.INPUTS}


def main(argv: Sequence[str]) -> int:
    """Measure the named sections and return the exit status."""
    options = read_options(argv)
    try:
        folders = [MEASURED, FOLDER] if options.publish else [MEASURED]
        return run(options.sections or usual_sections(os.environ), options.runs, folders)
    except BenchmarkError as error:
        tell(f"benchmark stopped: {error}")
        return 1


def usual_sections(variables: Mapping[str, str]) -> list[str]:
    """Every section for which there is all that it needs."""
    return [name for name in CLAIMS if all(variables.get(one) for one in NEEDED.get(name, ()))]


def run(sections: Sequence[str], runs: int, folders: Sequence[Path]) -> int:
    """Measure sections in turn, each stored in every folder as soon as it is done."""
    figures: dict[str, dict[str, float]] = {}
    where = " and ".join(str(folder.relative_to(ROOT)) for folder in folders)
    for name in sections:
        started = time.monotonic()
        tell(f"{name}: {SAYS[name]}")
        section: Section = import_module(f"benchmarks.{name}").measure(runs, tell)
        for folder in folders:
            store(section, folder)
        figures[name] = dict(section.figures)
        print(f"{name}\n\n{render_rows(section)}\n{render_claims([section])}", flush=True)
        tell(f"{name}: done in {time.monotonic() - started:.0f} s, stored as {JSON} and {PAGE} in {where}")
    if FOLDER in folders:
        published = read_results()
        publish(README, published.figures())
        write_page(published.sections["cost"])
    for line in missed(figures):
        tell(line)
    return 1 if missed(figures) else 0


def read_options(argv: Sequence[str]) -> argparse.Namespace:
    """The command's arguments."""
    sections = "\n".join(f"  {name:12} {says}" for name, says in SAYS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"sections:\n{sections}\n\nthrough make: make bench ARGS='cold_start --runs 9'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="what to measure (default: all, in this order)")
    parser.add_argument(
        "--runs", type=count, default=5, metavar="N", help="counted runs of everything that is short (%(default)s)"
    )
    parser.add_argument("--publish", action="store_true", help="replace the published results and README's figures")
    options = parser.parse_args(argv)
    unknown = [name for name in options.sections if name not in CLAIMS]
    if unknown:
        parser.error(f"found section {unknown[0]}, expected one of {', '.join(CLAIMS)}")
    return options


def count(word: str) -> int:
    """A number of runs."""
    number = int(word) if word.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {word}, expected a number from 1")
    return number


def store(section: Section, folder: Path) -> None:
    """Put a section among a folder's results of the others, as of today."""
    results = read_results(folder)
    results.put(section, date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    write_results(results, folder)


def tell(line: str) -> None:
    """Progress goes beside the tables, not into them."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_until_ended("benchmarks", lambda: main(sys.argv[1:]), ended="the sections that were done are stored")
