"""The product's training by MLlib beside scikit-learn's on the same rows: the same log loss, and each one's usage.

Both read the same Parquet file, make the product's basis, standardise it by weight, and fit a logistic regression of
one L2 penalty by L-BFGS. Compared is the weighted log loss on those rows. Time is from opening the file to the fitted
model; CPU and memory are of the whole process tree, its start and the judging included.
"""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measurement import Row, Section
from benchmarks.process_usage import Usage, run_watched, spark_environment
from benchmarks.training_runs.synthetic_rows import TERMS, write_rows

MOST_SECONDS = 3_600
L2 = 0.0006
MLLIB, SCIKIT_LEARN = "ours", "scikit_learn"


def measure(runs: int, progress: Callable[[str], None], *, thousands: int = 1_000) -> Section:
    """1,000 and 10,000 times that many rows; the longer one once, since it takes minutes."""
    rows: list[Row] = []
    differences = []
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for size, counted in ((thousands, min(runs, 3)), (10 * thousands, 1)):
            name = f"{size / 1_000:g} M rows"
            progress(f"writing {name}")
            file = Path(folder) / "rows.parquet"
            write_rows(file, rows=1_000 * size)
            usages: dict[str, list[Usage]] = {MLLIB: [], SCIKIT_LEARN: []}
            for number in range(1, counted + 1):
                for engine, measured in usages.items():
                    progress(f"{engine}, {name}, run {number} of {counted}")
                    measured.append(run_engine(engine, file))
            mllib, scikit_learn = (measured[-1].printed["log_loss"] for measured in usages.values())
            differences.append(mllib - scikit_learn)
            rows += [row for engine, measured in usages.items() for row in rows_of(f"{engine}, {name}", measured)]
            rows.append(Row(f"log loss of ours less scikit-learn's, {name}", "nats", (differences[-1],)))
    return Section("training", tuple(rows), {"log_loss_difference": max(differences, key=abs)}, versions())


def run_engine(engine: str, file: Path) -> Usage:
    """Run one side's script on as many cores as this process may use."""
    environment = spark_environment(f"local[{len(os.sched_getaffinity(0))}]")
    command: list[str | Path] = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        f"benchmarks.training_runs.{engine}",
        file,
        str(L2),
    ]
    return run_watched(command, environment=environment, most_seconds=MOST_SECONDS)


def rows_of(what: str, usages: list[Usage]) -> list[Row]:
    """The usage of one side, and its log loss."""
    iterations = f"{usages[-1].printed['iterations']:.0f} iterations over {len(TERMS)} columns"
    return [
        Row(f"{what}, fitted", "s", tuple(usage.printed["seconds"] for usage in usages), iterations),
        Row(f"{what}, all", "s CPU", tuple(usage.cpu_seconds for usage in usages), "start and judging included"),
        Row(f"{what}, largest process", "MB", tuple(usage.largest_mb for usage in usages)),
        Row(f"{what}, log loss", "nats", tuple(usage.printed["log_loss"] for usage in usages), digits=6),
    ]


def versions() -> dict[str, str]:
    """Of what took part."""
    return {name: version(name) for name in ("pyspark", "scikit-learn", "numpy", "pyarrow")}
