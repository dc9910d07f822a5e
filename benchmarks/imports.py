"""An import of UCI Online Retail with its report, and suggestions of mappings beside those that come along.

The file is no part of the project: UCI names it, as UCI publishes it (CSV, packed or not). Time is of the whole
command, Spark's start included; the lake is new.
"""

import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import BenchmarkError, EngineFailedError
from benchmarks.measurement import Row, Section
from benchmarks.process_usage import Usage, run_watched
from cli.paths import ROOT
from tests.unit.spark_jobs.suggested_roles import judge_samples

INPUTS = ("UCI",)
MOST_SECONDS = 900


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """One import, and one suggestion of every sample; `runs` changes nothing, since an import takes minutes."""
    file = read_input(os.environ)
    with TemporaryDirectory(ignore_cleanup_errors=True) as name:
        progress(f"importing {file.name}")
        usage = run_import(file, Path(name))
    progress("suggesting a mapping of every sample")
    judged = list(judge_samples())
    right, undoubted = sum(one.is_right for one in judged), sum(not (one.is_right or one.has_doubt) for one in judged)
    rows = [
        Row(f"import of {usage.printed['rows']:,.0f} rows with its report, whole command", "s", (usage.wall_seconds,)),
        Row("the same, all", "s CPU", (usage.cpu_seconds,)),
        Row("the same, largest process", "MB", (usage.largest_mb,)),
        Row("columns of the samples suggested as their mapping reads them", "share", (right / len(judged),)),
        Row("columns suggested otherwise, without a doubt beside them", "columns", (float(undoubted),)),
    ]
    figures = {
        "uci_seconds": usage.wall_seconds,
        "suggest_right": right / len(judged),
        "suggest_undoubted": float(undoubted),
    }
    return Section("imports", tuple(rows), figures, {name: version(name) for name in ("pyspark", "pyarrow")})


def read_input(variables: Mapping[str, str]) -> Path:
    """The file to measure with; BenchmarkError where none is named."""
    if not variables.get(INPUTS[0]):
        raise BenchmarkError("imports: found no UCI, expected make bench ARGS=imports UCI=online_retail.csv.gz")
    return Path(variables[INPUTS[0]]).absolute()


def run_import(file: Path, folder: Path) -> Usage:
    """The job on as many cores as this process may use; EngineFailedError where it took no event."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared"))),
        "SPARK_MASTER": f"local[{len(os.sched_getaffinity(0))}]",
    }
    command: list[str | Path] = [sys.executable, "-W", "ignore", "-m", "benchmarks.import_runs.ours", file, folder]
    usage = run_watched(command, environment=environment, most_seconds=MOST_SECONDS)
    if not usage.printed["new_events"]:
        raise EngineFailedError("import_events: found no event, expected those of the file")
    return usage
