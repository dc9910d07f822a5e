"""Order of the log, fold and windows of one large shop on a standalone cluster of two workers with 2 GB each.

One agent has a quarter of the contacts, and every event counts for the shop's own windows. Measured are the time from
opening the file to the last row, and the memory of the workers: each with its executor and the Python beside it.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measurement import Row, Section
from benchmarks.one_shop_runs.synthetic_events import write_events
from benchmarks.one_shop_runs.worker_memory import WorkerMemory
from benchmarks.process_usage import run_watched, spark_environment
from tests.cluster.standalone import WORKERS, Cluster

MOST_SECONDS = 7_200
MEMORY = "2g"


def measure(runs: int, progress: Callable[[str], None], *, thousands: int = 10_000) -> Section:
    """One run, whatever `runs` says: it takes many minutes."""
    name = f"{thousands / 1_000:g} M events"
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        progress(f"writing {name} of one shop")
        events = Path(folder) / "events.parquet"
        write_events(events, events=1_000 * thousands)
        place = Path(folder) / "cluster"
        place.mkdir()
        with Cluster(place, memory=MEMORY) as cluster:
            progress(f"{name} on {WORKERS} workers of {MEMORY}")
            with WorkerMemory([worker.process.pid for worker in cluster.workers]) as memory:
                usage = run_watched(
                    [sys.executable, "-W", "ignore", "-m", "benchmarks.one_shop_runs.ours", events],
                    environment=spark_environment(cluster.url),
                    most_seconds=MOST_SECONDS,
                )
    printed = usage.printed
    programs = ", ".join(f"{program} {peak:.0f}" for program, peak in sorted(memory.process_mb.items()))
    rows = (
        Row(f"{name}, order, fold and windows", "s", (printed["seconds"],), f"{printed['rows']:,.0f} rows of features"),
        Row(f"{name}, a worker with its executor and Python", "MB", (memory.worker_mb,), "at one time"),
        Row(f"{name}, largest process", "MB", (max(memory.process_mb.values()),), programs),
        Row(f"{name}, largest process of the driver", "MB", (usage.largest_mb,)),
    )
    figures = {
        "seconds_per_million": printed["seconds"] / (thousands / 1_000),
        "worker_mb": memory.worker_mb,
        "peak_mb": max(memory.process_mb.values()),
    }
    return Section("one_shop", rows, figures, {one: version(one) for one in ("pyspark", "numpy", "pyarrow")})
