"""Schedules of trouble played against the commit and judged, and mutants of it that the judges must find.

This claims no speed. It stands among the benchmarks because its figures are claims, too, and take as long to measure.
"""

from collections.abc import Callable

from benchmarks.measurement import Row, Section
from tests.simulation.mutants import MUTANTS
from tests.simulation.runs import Played, in_processes, play_all
from tests.simulation.schedules import draw_schedule, run_schedule

SCHEDULES, SEED, WORKERS = 100_000, 3, 2
MUTANT_SEED, MOST_SCHEDULES = 2, 1_000
_TOLD_EVERY = 5_000


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """One run of all schedules, then of every mutant until it is caught; `runs` is for what is short."""
    played = Played()
    for part in play_all(SEED, range(SCHEDULES), workers=WORKERS):
        played.add(part)
        for index, violation in sorted(part.violations.items()):
            progress(f"schedule {index}: {violation}")
        if played.schedules % _TOLD_EVERY == 0:
            progress(f"{played.schedules:,} schedules, {len(played.violations)} violations")
    progress("mutants")
    after = dict(in_processes(caught_after, list(MUTANTS), workers=WORKERS))
    caught = {name: after[name] for name in MUTANTS}
    missed = [name for name, count in caught.items() if count is None]
    for name in missed:
        progress(f"not caught: {name}")
    counts = [
        Row(name, "times", (float(count),), digits=6) for name, count in sorted(played.counts.items()) if count > 0
    ]
    found = [Row(f"mutant: {name}", "schedules", (float(count),)) for name, count in caught.items() if count]
    figures = {
        "schedules": float(played.schedules),
        "violations": float(len(played.violations)),
        "mutants": float(len(MUTANTS)),
        "caught": float(len(MUTANTS) - len(missed)),
        "missed": float(len(missed)),
    }
    return Section("simulation", (*counts, *found), figures)


def caught_after(name: str) -> int | None:
    """How many schedules it takes until the judges find a mutant; None where they do not."""
    for index in range(MOST_SCHEDULES):
        try:
            run_schedule(draw_schedule(MUTANT_SEED, index), MUTANTS[name])
        except AssertionError:
            return index + 1
    return None
