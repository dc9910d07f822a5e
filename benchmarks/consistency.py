"""What the functions served against what Spark recomputes: every feature at every scored event, and at every stage.

Ten shops of a synthetic world are committed over a store in memory, with timers, repeated events and a model of churn;
their archives are brought into a lake and compared there, bit for bit.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.consistency_runs.committed import commit_shop
from benchmarks.cost_runs.scenarios import START
from benchmarks.errors import EngineFailedError
from benchmarks.measurement import Row, Section
from benchmarks.process_usage import run_watched, spark_environment
from spark_jobs.synthetic_shop.world import World

EVENTS, SHOPS = 1_000_000, 10
MOST_SECONDS = 7_200
_DAYS, _EVENTS_A_CONTACT = 60, 14


def measure(runs: int, progress: Callable[[str], None], *, events: int = EVENTS) -> Section:
    """One run, whatever `runs` says: it takes long, and a difference is one in any run."""
    a_day = max(1, round(events / SHOPS / _DAYS / _EVENTS_A_CONTACT))
    world = World(shops=SHOPS, days=_DAYS, contacts_per_day=a_day, seed=3, start=START)
    cores = len(os.sched_getaffinity(0))
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        progress(f"committing about {events:,} events of {SHOPS} shops")
        commit = partial(commit_shop, world, folder=Path(folder))
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            committed = sum(pool.map(commit, range(SHOPS)))
        progress(f"comparing {committed:,} records")
        usage = run_watched(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.consistency_runs.ours", folder],
            environment=spark_environment(f"local[{cores}]"),
            most_seconds=MOST_SECONDS,
        )
    found = usage.printed
    if not found["is_whole"] or not found["compared"]:
        raise EngineFailedError(f"check_consistency: found {found}, expected a whole chain with values to compare")
    differences = sum(found[name] for name in ("mismatched", "missing", "extra"))
    rows = (
        Row("records committed, timers and repeated ones among them", "", (float(committed),)),
        Row("values compared, bit for bit", "", (found["compared"],)),
        Row("vectors of customers among them", "", (found["of_entities"],)),
        Row("fold_archive and check_consistency", "s", (found["seconds"],)),
    )
    return Section("consistency", rows, {"records": float(committed), "differences": differences})
