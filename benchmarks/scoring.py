"""CPU time and AWS calls an event of the scoring function, beside the same function written naively and a store's read.

Each function is a process of its own under the same invocations, among the project's own tables on the embedded AWS.
CPU is that of the function's process alone, with everything in it: parsing, fold, features, model, reasons, rules,
serialising and signing. Not in it: what the tables do, and the runtime's own work.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.feast_read import feast_cpu_microseconds
from benchmarks.measurement import Row, Section
from benchmarks.scoring_runs.growth import measure_growth
from benchmarks.scoring_runs.measured import Measured
from benchmarks.scoring_runs.quiet_shops import events_per_second
from benchmarks.scoring_runs.surroundings import Surroundings, surroundings

OUR_EVENTS, NAIVE_EVENTS = 3_000, 300
SAME_SCORE = 1e-6
SHOPS_AT_ONCE = 64  # as functions/score_interactions/stack.yaml says


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """Ours and the naive one in turn, so that a machine whose speed drifts is fair to both."""
    ours, ten_shops, naive = [], [], []
    with TemporaryDirectory() as folder, surroundings(Path(folder)) as around:
        for number in range(1, runs + 1):
            progress(f"run {number} of {runs}")
            ours.append(run_function(around, "ours", 1, OUR_EVENTS, f"one-{number}"))
            naive.append(run_function(around, "naive", 1, NAIVE_EVENTS, f"one-{number}", *around.pipelines))
            ten_shops.append(run_function(around, "ours", 10, OUR_EVENTS, f"ten-{number}"))
            require_same_scores(ours[-1], naive[-1])
    progress("Feast's online read")
    feast = feast_cpu_microseconds(runs)
    progress("quiet shops")
    at_once = tuple(events_per_second(shops_at_once=SHOPS_AT_ONCE) for _ in range(runs))
    quiet = Row("1,000 quiet shops, calls of 20 ms", "events a second", at_once, f"{SHOPS_AT_ONCE} shops at once")
    one_by_one = tuple(events_per_second(shops_at_once=1, shops=100) for _ in range(min(runs, 2)))
    progress("growth")
    ratios = tuple(other.cpu_microseconds / mine.cpu_microseconds for mine, other in zip(ours, naive, strict=True))
    naive_over_ours = Row("naive over ours, pair by pair", "times", ratios)
    rows = (
        _cpu("ours, 100 events of one shop", ours),
        _cpu("ours, 100 events of ten shops", ten_shops),
        _cpu("naive, the same events of one shop", naive),
        naive_over_ours,
        Row("Feast, online read of the same histories alone", "µs CPU an event", feast, "no fold, no score, no write"),
        _calls("ours, one shop, outbox and archive included", ours),
        _calls("ours, ten shops, outbox and archive included", ten_shops),
        _calls("naive, without outbox and archive", naive),
        Row("ours, peak memory", "MB", tuple(run.peak_mb for run in ours + ten_shops)),
        Row("naive, peak memory", "MB", tuple(run.peak_mb for run in naive)),
        *measure_growth(runs),
        quiet,
        Row("the same, one shop after the other", "events a second", one_by_one),
    )
    figures = {
        "naive_over_ours": naive_over_ours.median,
        "aws_calls_per_event": max(run.calls_per_event for run in ours),
        "aws_calls_per_event_ten_shops": max(run.calls_per_event for run in ten_shops),
        "quiet_shops_events_per_second": quiet.median,
        "peak_mb": max(run.peak_mb for run in ours + ten_shops),
    }
    return Section("scoring", rows, figures)


def run_function(around: Surroundings, function: str, *arguments: object) -> Measured:
    """Run "ours" or "naive" in its own process, by the arguments of its main."""
    command = [sys.executable, "-m", f"benchmarks.scoring_runs.{function}", *map(str, arguments)]
    done = subprocess.run(command, env=around.environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{function} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    return Measured.read(done.stdout)


def require_same_scores(ours: Measured, naive: Measured) -> None:
    """Both answer the same, or the comparison means nothing."""
    missing = naive.scores.keys() - ours.scores.keys()
    both = naive.scores.keys() & ours.scores.keys()
    apart = max((abs(naive.scores[event] - ours.scores[event]) for event in both), default=0.0)
    if missing or not both or apart > SAME_SCORE:
        raise RuntimeError(
            f"found {len(missing)} of {len(naive.scores)} scores missing and {apart} between the others, "
            "expected the same answers"
        )


def _cpu(what: str, runs: list[Measured]) -> Row:
    return Row(what, "µs CPU an event", tuple(run.cpu_microseconds for run in runs))


def _calls(what: str, runs: list[Measured]) -> Row:
    shares = sorted(runs[-1].calls.items(), key=lambda one: -one[1])
    note = ", ".join(f"{name.partition('.')[2]} {share:.3f}" for name, share in shares if share >= 0.0005)
    return Row(what, "AWS calls an event", tuple(run.calls_per_event for run in runs), note)
