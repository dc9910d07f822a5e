"""Runs this project's own commands as a person would, each in a process of its own, with signs of life."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local.errors import StepFailedError
from infra.local.progress import Signs
from tools.errors import ROOT

_NOISE = ("WARNING: Using incubator modules",)


def run_module(title: str, words: Sequence[str | Path], environment: Mapping[str, str]) -> None:
    """`python -m` these words to their end; StepFailedError with what it said last when it fails."""
    status, said = try_module(title, words, environment)
    if status:
        raise StepFailedError(f"{title} failed with exit code {status}: {' | '.join(said[-3:]) or 'it said nothing'}")


def try_module(title: str, words: Sequence[str | Path], environment: Mapping[str, str]) -> tuple[int, list[str]]:
    """`python -m` these words; its exit code and its lines. Ended with all it started when we are interrupted."""
    paths = [str(ROOT), str(ROOT / "functions" / "shared")]
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    said: list[str] = []
    signs = Signs(title)
    try:
        for line in process.stdout or ():
            if line.strip() and not line.startswith(_NOISE):
                said.append(line.rstrip())
                signs.show(line.strip()[:150])
        return process.wait(), said
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
