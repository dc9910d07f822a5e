"""Runs of many seeded schedules in several processes, and what they come to."""

import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

from tests.simulation.schedules import Schedule, draw_schedule, run_schedule, shrink
from tests.simulation.settings import Setting

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

_CHUNK = 50
Given = TypeVar("Given")
Result = TypeVar("Result")


@dataclass
class Played:
    """The outcome of some schedules: the counts of what happened, and the numbers of those that broke a rule."""

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
    for _, played in in_processes(partial(play, seed), parts, workers=workers):
        yield played


def in_processes(
    work: Callable[[Given], Result], inputs: Sequence[Given], *, workers: int
) -> Iterator[tuple[Given, Result]]:
    """Each input with its result, as it is done, by processes that keep to one core each."""
    context = get_context("spawn")
    number = context.Value("i", 0)
    with ProcessPoolExecutor(workers, context, initializer=_keep_to_one_core, initargs=(number,)) as pool:
        running = {pool.submit(work, one): one for one in inputs}
        for done in as_completed(running):
            yield running[done], done.result()


def _keep_to_one_core(number: "Synchronized[int]") -> None:
    """A schedule goes to and fro between threads of which one runs: across cores that takes a quarter longer."""
    if hasattr(os, "sched_setaffinity"):  # not everywhere
        cores = sorted(os.sched_getaffinity(0))
        with number.get_lock():
            os.sched_setaffinity(0, {cores[number.value % len(cores)]})
            number.value += 1


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
    """The place in the code where it was found: the same for a smaller schedule with other ids."""
    return "".join(line for line in violation.splitlines() if line.startswith("  File"))


def summary(total: Played) -> str:
    """One line: schedules, violations, and how often each kind of trouble happened."""
    counts = ", ".join(f"{name} {number:,}" for name, number in sorted(total.counts.items()))
    return f"{total.schedules:,} schedules, {len(total.violations):,} violations; {counts}"
