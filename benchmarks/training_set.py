"""From the events of a lake to a training set with all features, on a standalone cluster of two workers of 2 GB each.

The world is synthetic: four shops for 120 days. Measured are the time of the job, from reading the lake to the table's
last row, and the memory of the workers: each with its executor and the Python beside it. The driver is a process of its
own. Making the world is not counted.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measurement import Row, Section
from benchmarks.one_shop_runs.worker_memory import WorkerMemory
from benchmarks.process_usage import Usage, run_watched, spark_environment
from benchmarks.training_set_runs.world import AS_OF
from tests.cluster.standalone import WORKERS, Cluster

MOST_SECONDS = 14_400
MEMORY = "2g"
_MINUTE = 60


def measure(runs: int, progress: Callable[[str], None], *, thousands: int = 1_000) -> Section:
    """One run of that many thousand events, one of ten times as many, whatever `runs` says: it takes many minutes."""
    rows: list[Row] = []
    seconds: list[float] = []
    worker_mb = 0.0
    for size in (thousands, 10 * thousands):
        name = f"{size / 1_000:g} M events"
        with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            place = Path(folder) / "cluster"
            place.mkdir()
            lake = Path(folder) / "lake"
            with Cluster(place, memory=MEMORY) as cluster:
                progress(f"making a world of {name}")
                events = _run(cluster, "world", lake, str(1_000 * size)).printed["events"]
                progress(f"{name} on {WORKERS} workers of {MEMORY}")
                with WorkerMemory([worker.process.pid for worker in cluster.workers]) as memory:
                    usage = _run(cluster, "ours", lake, AS_OF)
        printed = usage.printed
        seconds.append(printed["seconds"] * 1_000 * size / events)  # of the size that was asked for
        worker_mb = max(worker_mb, memory.worker_mb)
        rows += [
            Row(f"{name}, training set", "s", (seconds[-1],), f"{printed['rows']:,.0f} rows of {events:,.0f} events"),
            Row(f"{name}, a worker with its executor and Python", "MB", (memory.worker_mb,), "at one time"),
            Row(f"{name}, largest process of the driver", "MB", (usage.largest_mb,)),
        ]
    figures = {
        "minutes_10m": seconds[-1] / _MINUTE * 1_000 / thousands,
        "growth_10m": seconds[-1] / seconds[0],
        "peak_mb": worker_mb,
    }
    return Section("training_set", tuple(rows), figures, {one: version(one) for one in ("pyspark", "numpy", "pyarrow")})


def _run(cluster: Cluster, script: str, *argv: str | Path) -> Usage:
    return run_watched(
        [sys.executable, "-W", "ignore", "-m", f"benchmarks.training_set_runs.{script}", *argv],
        environment=spark_environment(cluster.url),
        most_seconds=MOST_SECONDS,
    )
