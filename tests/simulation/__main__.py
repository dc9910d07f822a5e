"""The long simulation: schedules drawn from a seed, played by as many processes as there are cores.

Hypothesis plays the same moves before the same judges in the short run of the test suite; its engine would take most of
the time of 100,000 schedules, so here a seed draws them. Whatever fails is printed with its seed and number, made
smaller, and ends the command with 1.
"""

import argparse
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.schedules import Schedule, draw_schedule, run_schedule, shrink
from tests.simulation.settings import Setting

_CHUNK = 50
_SHOWN = 3
_REPORT_EVERY = 15.0


@dataclass
class Played:
    """What came of some schedules: what happened how often, and the numbers of those that broke a rule."""

    schedules: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Played") -> None:
        self.schedules += other.schedules
        self.counts.update(other.counts)
        self.violations |= other.violations


def play(seed: int, indexes: range) -> Played:
    """Run the schedules of these numbers."""
    played = Played(len(indexes))
    for index in indexes:
        try:
            played.counts.update(run_schedule(draw_schedule(seed, index)))
        except Exception as violation:
            played.violations[index] = f"{type(violation).__name__}: {violation}"
    return played


def play_all(seed: int, indexes: range, *, workers: int) -> Iterator[Played]:
    """Run the schedules in parts, each as it is done."""
    parts = [indexes[first : first + _CHUNK] for first in range(0, len(indexes), _CHUNK)]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(partial(play, seed), parts)


def explain(seed: int, index: int) -> str:
    """A violation again, made as small as it goes: its setting, its moves, and where it was found."""
    schedule = draw_schedule(seed, index)
    found = _violation(schedule)
    small = shrink(schedule, lambda fewer: _kind(_violation(fewer)) == _kind(found))
    moves = "".join(f"\n    {name!r}, {number}" for name, number in small.moves)
    again = f"python -m tests.simulation --seed {seed} --first {index} --schedules 1"
    return f"{again}\n  {Setting.of(small.setting)}\n  moves:{moves}\n{_violation(small)}"


def _violation(schedule: Schedule) -> str:
    try:
        run_schedule(schedule)
    except Exception:
        return traceback.format_exc(limit=-3)
    return ""


def _kind(violation: str) -> str:
    """The place in the code where it was found: the same for a smaller schedule, whatever ids it names."""
    return "".join(line for line in violation.splitlines() if line.startswith("  File"))


def summary(total: Played) -> str:
    """One line: schedules, violations, and how often each kind of trouble happened."""
    counts = ", ".join(f"{name} {number:,}" for name, number in sorted(total.counts.items()))
    return f"{total.schedules:,} schedules, {len(total.violations):,} violations; {counts}"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000, help="how many (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what the schedules are drawn from (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first schedule (%(default)s)")
    options = parser.parse_args(arguments)
    total, began, reported = Played(), time.monotonic(), time.monotonic()
    indexes = range(options.first, options.first + options.schedules)
    for played in play_all(options.seed, indexes, workers=options.workers):
        total.add(played)
        if time.monotonic() - reported > _REPORT_EVERY or total.schedules == options.schedules:
            reported = time.monotonic()
            pace = total.schedules / (reported - began)
            left = (options.schedules - total.schedules) / pace / 60
            print(
                f"{total.schedules:,} schedules, {len(total.violations)} violations, {pace:.0f} a second, "
                f"{left:.0f} minutes left",
                file=sys.stderr,
            )
    for index in sorted(total.violations)[:_SHOWN]:
        print(f"{total.violations[index]}\n  {explain(options.seed, index)}", file=sys.stderr)
    print(summary(total))
    return 1 if total.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
