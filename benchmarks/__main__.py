"""`make bench`: measure the claims beside their peers; print the tables, write RESULTS.md and results.json.

The exit status is 1 when a figure misses its target.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.claims import CLAIMS, missed
from benchmarks.errors import BenchmarkError
from benchmarks.machine import describe_machine
from benchmarks.measurement import Section
from benchmarks.results import FOLDER, JSON, PAGE, read_results, render_claims, render_rows, write_results

SAYS = {
    "windows": "historical features at every event of 1 M and 10 M rows, beside DuckDB, polars and pandas",
    "scoring": "CPU and AWS calls an event, beside a naive function and Feast's online read",
    "simulation": "schedules of trouble played against the commit, and mutants of it",
    "cold_start": "spawn to the first answer, beside scikit-learn and bare imports",
    "training": "log loss and time on 1 M and 10 M rows, beside scikit-learn",
    "cost": "dollars per million events, from measured items and calls at list prices",
}


def main(argv: Sequence[str]) -> int:
    """Measure the named sections and return the exit status."""
    options = read_options(argv)
    try:
        return run(options.sections or list(CLAIMS), options.runs)
    except BenchmarkError as error:
        tell(f"benchmark stopped: {error}")
        return 1
    except KeyboardInterrupt:
        tell("benchmark interrupted; the sections that were done are kept")
        return 130


def run(sections: Sequence[str], runs: int) -> int:
    """Measure sections in turn, each stored as soon as it is done."""
    figures: dict[str, dict[str, float]] = {}
    for name in sections:
        started = time.monotonic()
        tell(f"{name}: {SAYS[name]}")
        section: Section = import_module(f"benchmarks.{name}").measure(runs, tell)
        keep(section)
        figures[name] = dict(section.figures)
        print(f"{name}\n\n{render_rows(section)}\n{render_claims([section])}", flush=True)
        tell(f"{name}: done in {time.monotonic() - started:.0f} s, kept in {FOLDER.name}/{JSON} and {PAGE}")
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
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="what to measure (default: all, in this order)")
    parser.add_argument(
        "--runs", type=count, default=5, metavar="N", help="counted runs of everything that is short (%(default)s)"
    )
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


def keep(section: Section) -> None:
    """Put a section among the results of the others, as of today."""
    results = read_results()
    results.put(section, date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    write_results(results)


def tell(line: str) -> None:
    """Progress goes beside the tables, not into them."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
