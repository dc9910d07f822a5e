"""The archive into the lake's log: a million archived events at once, then ten thousand new ones beside them.

Fifty shops in 16 buckets, the archive and the lake in folders. Time is of the whole command, Spark's start included.
"""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.archive_runs.synthetic_archive import EVENTS_A_SHOP, NEXT_EVENTS, commit_shop, write_objects
from benchmarks.errors import EngineFailedError
from benchmarks.measurement import Row, Section
from benchmarks.process_usage import Usage, run_watched
from cli.paths import ROOT

SHOPS = 50
MOST_SECONDS = 1_800


def measure(runs: int, progress: Callable[[str], None], *, shops: int = SHOPS) -> Section:
    """Both runs once: the first takes minutes, and the second needs the first one's lake."""
    progress(f"committing {EVENTS_A_SHOP + NEXT_EVENTS} events of a shop, written as {shops} shops")
    shop = commit_shop()
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        usages: list[tuple[int, Usage]] = []
        for part in (shop.past, shop.coming):
            events = write_objects(Path(folder), part, shop.shop_id, shops)
            progress(f"folding {events} events")
            usage = fold(Path(folder))
            require_rows(usage, shops * len(part))
            usages.append((events, usage))
    rows = [row for events, usage in usages for row in rows_of(events, usage)]
    (_, first), (_, later) = usages
    figures = {"seconds_1m": first.wall_seconds, "seconds_next_10k": later.wall_seconds}
    return Section("archive", tuple(rows), figures, {name: version(name) for name in ("pyspark", "pyarrow")})


def fold(folder: Path) -> Usage:
    """Run the job on as many cores as this process may use."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared"))),
        "SPARK_MASTER": f"local[{len(os.sched_getaffinity(0))}]",
    }
    command: list[str | Path] = [sys.executable, "-W", "ignore", "-m", "benchmarks.archive_runs.ours", folder]
    return run_watched(command, environment=environment, most_seconds=MOST_SECONDS)


def require_rows(usage: Usage, expected: int) -> None:
    """EngineFailedError unless the run added this many archive rows."""
    if usage.printed["rows"] != expected:
        raise EngineFailedError(f"fold_archive: found {usage.printed['rows']:.0f} rows, expected {expected}")


def rows_of(events: int, usage: Usage) -> list[Row]:
    """What one run took."""
    what = f"fold_archive, {events:,} events"
    return [
        Row(f"{what}, whole command", "s", (usage.wall_seconds,), f"{usage.printed['objects']:.0f} objects"),
        Row(f"{what}, without Spark's start", "s", (usage.printed["seconds"],)),
        Row(f"{what}, all", "s CPU", (usage.cpu_seconds,)),
        Row(f"{what}, largest process", "MB", (usage.largest_mb,)),
    ]
