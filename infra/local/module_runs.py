"""Runs this project's own commands as a person would, each in a process of its own, with signs of life."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from cli.endings import exit_code_of
from cli.paths import ROOT
from cli.progress import Signs
from infra.local.errors import StepFailedError

_JOBS = "spark_jobs"
_NOISE = ("WARNING: Using incubator modules",)


def run_module(title: str, argv: Sequence[str | Path], environment: Mapping[str, str]) -> None:
    """`python -m` with this argv to its end; StepFailedError with its last output when it fails."""
    status, said = try_module(title, argv, environment)
    if status:
        raise StepFailedError(f"{title} failed with exit code {status}: {last_words(said)}")


def try_module(title: str, argv: Sequence[str | Path], environment: Mapping[str, str]) -> tuple[int, list[str]]:
    """`python -m` with this argv to its end; returns exit code and output."""
    process = start_module(argv, environment)
    said: list[str] = []
    signs = Signs(title)
    try:
        for line in process.stdout or ():
            hear(line, said, signs)
        return process.wait(), said
    finally:
        end_module(process)


class SparkProcess:
    """One process of Spark jobs that starts Spark once and runs the jobs of its input, line by line, until closed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Prepare one with this environment; it starts with the context."""
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "SparkProcess":
        """Start the process; Spark itself starts with the first job."""
        self._process = start_module([_JOBS, "-"], self._environment)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it with all it started."""
        if self._process is not None:
            end_module(self._process)

    def run(self, title: str, argv: Sequence[str | Path]) -> None:
        """Run these jobs; StepFailedError with their last output when one fails."""
        status, said = self.try_to_run(title, argv)
        if status:
            raise StepFailedError(f"{title} failed: {last_words(said)}")

    def try_to_run(self, title: str, argv: Sequence[str | Path]) -> tuple[int, list[str]]:
        """Run these jobs; returns exit code and output; StepFailedError when the whole process ends."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise StepFailedError(f"{title}: found no process of Spark jobs, expected one")
        said: list[str] = []
        signs = Signs(title)
        try:
            process.stdin.write(shlex.join(map(str, argv)) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise StepFailedError(f"{title}: found the process of Spark jobs ended, expected it to wait") from None
        for line in process.stdout:
            if (code := exit_code_of(_JOBS, line)) is not None:
                return code, said
            hear(line, said, signs)
        status = process.wait()
        raise StepFailedError(f"{title}: the process of Spark jobs ended with {status}: {' | '.join(said[-3:])}")


def start_module(argv: Sequence[str | Path], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    """`python -m` with this argv in a session of its own, so that all it starts can be ended with it."""
    paths = [str(ROOT), str(ROOT / "functions" / "shared")]
    return subprocess.Popen(
        [sys.executable, "-m", *argv],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def end_module(process: "subprocess.Popen[str]") -> None:
    """End a process and all it started, if it has not ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def hear(line: str, said: list[str], signs: Signs) -> None:
    """Note a line that is not blank, and print it as a sign of life."""
    if line.strip() and not line.startswith(_NOISE):
        said.append(line.rstrip())
        signs.show(line)


def last_words(said: Sequence[str]) -> str:
    """The last output, which holds the reason of a failure."""
    return said[-1] if said else "it said nothing"
