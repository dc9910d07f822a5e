"""Runs a command and watches it and everything it starts: wall time, CPU time, and each process's peak memory."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from benchmarks.errors import EngineFailedError
from cli.paths import ROOT

_TICKS = os.sysconf("SC_CLK_TCK")
_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Usage:
    """The usage of one run, and the numbers that it printed.

    Peaks are the kernel's own high-water marks, read five times a second: the largest process of each program.
    """

    printed: Mapping[str, float]
    wall_seconds: float
    cpu_seconds: float
    peak_mb: Mapping[str, float]

    @property
    def largest_mb(self) -> float:
        """The peak of the largest process."""
        return max(self.peak_mb.values())


def print_numbers(numbers: Mapping[str, float]) -> None:
    """The last line of what a watched command prints."""
    print(json.dumps(numbers), flush=True)


def spark_environment(master: str) -> dict[str, str]:
    """The environment of a script of this project that starts Spark on a master."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "functions" / "shared")))
    return os.environ | {"PYTHONPATH": path, "SPARK_MASTER": master}


def run_watched(command: Sequence[str | Path], *, environment: Mapping[str, str], most_seconds: float) -> Usage:
    """Run a command that ends with print_numbers; Linux only, since it reads /proc."""
    line = " ".join(map(str, command))
    start = time.perf_counter()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        watch = _Watch(running.pid)
        thread = Thread(target=watch.look_until_ended, daemon=True)
        thread.start()
        try:
            output, complaints = running.communicate(timeout=most_seconds)
        except BaseException as error:  # Ctrl-C as well: nothing may be left running
            watch.end_all()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EngineFailedError(f"{line}: found no end after {most_seconds:.0f} s, expected one") from error
            raise
        finally:
            watch.ended.set()
            thread.join()
    took = time.perf_counter() - start
    if running.returncode:
        raise EngineFailedError(f"{line}: found status {running.returncode}, expected 0: {complaints[-2_000:]}")
    printed = json.loads(output.splitlines()[-1])
    return Usage(printed, took, sum(watch.cpu_seconds.values()), watch.peak_mb())


@dataclass
class _Watch:
    """Looks at a process and all its descendants until it is stopped."""

    root: int
    ended: Event = field(default_factory=Event)
    cpu_seconds: dict[int, float] = field(default_factory=dict)
    _peaks: dict[int, tuple[str, float]] = field(default_factory=dict)

    def look_until_ended(self) -> None:
        while not self.ended.wait(_SECONDS_BETWEEN_LOOKS):
            self._look()

    def peak_mb(self) -> dict[str, float]:
        """The largest peak of each program."""
        largest: dict[str, float] = {}
        for name, peak in self._peaks.values():
            largest[name] = max(largest.get(name, 0.0), peak)
        return largest

    def end_all(self) -> None:
        for pid in sorted(family_of(self.root), reverse=True):
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue

    def _look(self) -> None:
        for pid in family_of(self.root):
            try:
                numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                self.cpu_seconds[pid] = (int(numbers[11]) + int(numbers[12])) / _TICKS
                program = Path(f"/proc/{pid}/exe").readlink().name
                status = Path(f"/proc/{pid}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended; the earlier peak counts
            peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
            self._peaks[pid] = program, max(int(peak) / 1024, self._peaks.get(pid, ("", 0.0))[1])


def family_of(root: int) -> set[int]:
    """A process and everything that it and its children have started."""
    family, newest = {root}, {root}
    while newest:
        newest = {child for pid in newest for child in _children(pid)} - family
        family |= newest
    return family


def _children(pid: int) -> set[int]:
    """The processes that a process has started, by any of its threads."""
    children: set[int] = set()
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children.update(map(int, file.read_text().split()))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return children
