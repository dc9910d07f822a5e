"""The rebuild of a shop of a million archived events, while its functions wait: fold, items, writes.

The shop's archive is a folder, its tables are of the embedded AWS. Time is of the whole command, Spark's start
included; what waits for the archive before it, and puts back after it, is not in it.
"""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import EngineFailedError
from benchmarks.measurement import Row, Section
from benchmarks.process_usage import Usage, run_watched
from benchmarks.rebuild_runs.synthetic_chain import put_shop, write_chain
from cli.paths import ROOT
from infra.local.cloud import for_embedded
from infra.local.emulator import Emulator

MOST_SECONDS = 1_800
EVENTS = 1_000_000


def measure(runs: int, progress: Callable[[str], None], *, events: int = EVENTS) -> Section:
    """One run: it takes minutes."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as scratch, Emulator(Path(scratch) / "emulator") as emulator:
        folder = Path(scratch)
        progress(f"writing an archive of {events:,} events")
        put_shop(emulator.cloud, write_chain(folder, events=events))
        progress("rebuilding the shop")
        usage = rebuild(folder, emulator.endpoint)
    found = usage.printed["events"]
    if not 0.9 * events <= found <= 1.1 * events or not usage.printed["items"]:
        raise EngineFailedError(f"rebuild_state: found {found:.0f} events, expected about {events}, and items of them")
    figures = {"seconds_per_million_events": usage.wall_seconds * 1e6 / found}
    return Section("rebuild", tuple(rows_of(usage)), figures, {name: version(name) for name in ("pyspark", "pyarrow")})


def rebuild(folder: Path, endpoint: str) -> Usage:
    """Run the job on as many cores as this process may use."""
    environment = for_embedded(os.environ, endpoint) | {
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared"))),
        "SPARK_MASTER": f"local[{len(os.sched_getaffinity(0))}]",
    }
    command: list[str | Path] = [sys.executable, "-W", "ignore", "-m", "benchmarks.rebuild_runs.ours", folder]
    return run_watched(command, environment=environment, most_seconds=MOST_SECONDS)


def rows_of(usage: Usage) -> list[Row]:
    """What the run took."""
    printed = usage.printed
    what = f"rebuild_state, {printed['events']:,.0f} events of one shop"
    return [
        Row(f"{what}, whole command", "s", (usage.wall_seconds,), f"{printed['items']:,.0f} items written"),
        Row(f"{what}, without Spark's start", "s", (printed["seconds"],)),
        Row(f"{what}, all", "s CPU", (usage.cpu_seconds,)),
        Row(f"{what}, largest process", "MB", (usage.largest_mb,)),
    ]
