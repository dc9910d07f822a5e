"""The historical features at every event of a synthetic log, beside DuckDB, polars and pandas on the same question.

Every engine is a process of its own on the same Parquet file, in turn. Compared are the times of the windows alone:
from opening the file to having had every whole row in hand (windows_runs.question); a session's or an interpreter's
start is not in them, CPU and memory are those of the whole process tree. Each engine also writes its answer once, and
all values of all rows must be equal to ours.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.errors import EngineFailedError, PeerFailedError
from benchmarks.measurement import Row, Section
from benchmarks.process_usage import Usage, run_watched
from benchmarks.windows_runs.comparison import unequal_values
from benchmarks.windows_runs.synthetic_log import write_log
from cli.paths import ROOT
from tools.environments import PEERS

MOST_SECONDS = 3_600
LONG_RUNS = 2


@dataclass(frozen=True)
class Engine:
    """A script that answers, and the interpreter that runs it."""

    name: str
    module: str
    python: Path = Path(sys.executable)


OURS = Engine("ours", "benchmarks.windows_runs.ours")
PANDAS = Engine("pandas", "benchmarks.peers.pandas_windows")
POLARS = Engine("polars", "benchmarks.peers.polars_windows", PEERS.python)
DUCKDB = Engine("DuckDB", "benchmarks.peers.duckdb_windows", PEERS.python)


def measure(runs: int, progress: Callable[[str], None], *, thousands: int = 1_000) -> Section:
    """Logs of 1,000 and 10,000 times that many rows, skewed, by all engines; the longer one also even, by ours."""
    if not PEERS.python.exists():
        raise PeerFailedError("found no .venv-peers, expected it to be set up; run `make bench`")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        progress("writing the logs")
        short = Log(Path(folder), thousands, skewed=True).write()
        long = Log(Path(folder), 10 * thousands, skewed=True).write()
        even = Log(Path(folder), 10 * thousands, skewed=False).write()
        everyone = (OURS, DUCKDB, POLARS, PANDAS)
        measured = [
            *measure_in_turn([(engine, short) for engine in everyone], runs, progress),
            *measure_in_turn([(OURS, even), *((engine, long) for engine in everyone)], min(runs, LONG_RUNS), progress),
        ]
    seconds = {(one.engine, one.log): one.seconds.median for one in measured}
    figures = {
        "over_duckdb": seconds[OURS, long] / seconds[DUCKDB, long],
        "over_polars": seconds[OURS, long] / seconds[POLARS, long],
        "growth_10m_over_1m": seconds[OURS, long] / seconds[OURS, short],
        "skew_over_even": seconds[OURS, long] / seconds[OURS, even],
        "peak_alone_mb": max(one.peak_alone_mb for one in measured if one.engine == OURS),
        "peak_mb": max(one.peak_mb for one in measured if one.engine == OURS),
    }
    return Section("windows", tuple(row for one in measured for row in one.rows), figures, versions())


@dataclass(frozen=True)
class Log:
    """A log in a folder, with room for answers beside it."""

    folder: Path
    thousands: int
    skewed: bool

    @property
    def name(self) -> str:
        """Its size and shape as text."""
        size = f"{self.thousands // 1_000} M" if self.thousands >= 1_000 else f"{self.thousands},000"
        return f"{size} {'skewed' if self.skewed else 'even'}"

    @property
    def file(self) -> Path:
        """The path of its file."""
        return self.folder / f"{self.name.replace(' ', '_')}.parquet"

    def write(self) -> "Log":
        """Write the file."""
        write_log(self.file, rows=1_000 * self.thousands, skewed=self.skewed)
        return self

    def answer_of(self, engine: Engine) -> Path:
        """The path of an engine's answer, a file or a folder."""
        return self.folder / f"{self.file.stem}.{engine.name}"


@dataclass(frozen=True)
class Measured:
    """The usage of an engine on one log."""

    engine: Engine
    log: Log
    alone: tuple[Usage, ...]
    written: Usage

    @property
    def seconds(self) -> Row:
        """Windows alone."""
        values = tuple(usage.printed["windows"] for usage in self.alone)
        return Row(f"{self.engine.name}, {self.log.name}, windows alone", "s", values)

    @property
    def peak_alone_mb(self) -> float:
        """The most that any process took in any run for the windows alone."""
        return max(usage.largest_mb for usage in self.alone)

    @property
    def peak_mb(self) -> float:
        """The most that any process took in any run, with writing."""
        return max(usage.largest_mb for usage in (*self.alone, self.written))

    @property
    def rows(self) -> Iterator[Row]:
        """Everything measured."""
        what = f"{self.engine.name}, {self.log.name}"
        yield self.seconds
        if "session" in self.written.printed:
            sessions = tuple(usage.printed["session"] for usage in self.alone)
            yield Row(f"{what}, session start before it", "s", sessions)
        yield Row(f"{what}, windows and answer as Parquet", "s", (self.written.printed["written"],))
        cpu = tuple(usage.cpu_seconds for usage in self.alone)
        yield Row(f"{what}, windows alone", "s CPU", cpu, "all processes, start included")
        peaks = tuple(usage.largest_mb for usage in self.alone)
        large = {name: peak for name, peak in self.alone[-1].peak_mb.items() if peak >= 100}
        yield Row(
            f"{what}, largest process", "MB", peaks, ", ".join(f"{name} {peak:.0f}" for name, peak in large.items())
        )


def measure_in_turn(cases: Sequence[tuple[Engine, Log]], runs: int, progress: Callable[[str], None]) -> list[Measured]:
    """One run of each, then the next of each, so that a machine whose speed drifts is fair to all."""
    alone: dict[tuple[Engine, Log], list[Usage]] = {case: [] for case in cases}
    for number in range(1, runs + 1):
        for engine, log in cases:
            progress(f"{engine.name}, {log.name}, run {number} of {runs}")
            alone[engine, log].append(run_engine(engine, log.file))
    measured = []
    for engine, log in cases:
        progress(f"{engine.name}, {log.name}, with its answer written and compared")
        written = run_engine(engine, log.file, "--answer", log.answer_of(engine))
        require_same_answer(engine, log)
        measured.append(Measured(engine, log, tuple(alone[engine, log]), written))
    return measured


def require_same_answer(engine: Engine, log: Log) -> None:
    """Every value of every row equal to ours, which were written before."""
    if engine == OURS:
        return
    differing = unequal_values(log.answer_of(OURS), log.answer_of(engine))
    if differing:
        raise EngineFailedError(f"{engine.name}: found {differing} values of {log.name} unlike ours, expected 0")
    log.answer_of(engine).unlink()  # gigabytes


def run_engine(engine: Engine, *arguments: str | Path) -> Usage:
    """Run an engine's script in its own environment, on as many cores as this process may use."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared"))),
        "SPARK_MASTER": f"local[{len(os.sched_getaffinity(0))}]",
    }
    command = [engine.python, "-W", "ignore", "-m", engine.module, *arguments]
    return run_watched(command, environment=environment, most_seconds=MOST_SECONDS)


def versions() -> dict[str, str]:
    """Of what took part; the peers' are read from their lock."""
    locked = dict(line.split(" ")[0].split("==") for line in PEERS.lock.read_text().splitlines() if line[:1].isalpha())
    own = {name: version(name) for name in ("pyspark", "numpy", "pyarrow", "pandas")}
    return own | {name: locked[name] for name in ("duckdb", "polars")}
