"""Run a command of the set-up quietly, showing that time passes while it takes more than a few seconds."""

import math
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from cli import progress
from tools.errors import explain_command

PREFIX = "set-up: "
LOOK_SECONDS = 0.5


def say(line: str) -> None:
    """Print one line of the set-up, at once."""
    progress.say(f"{PREFIX}{line}")


def announced(title: str) -> AbstractContextManager[None]:
    """Print a step's beginning and its duration."""
    return progress.announced(f"{PREFIX}{title}")


def run(title: str, command: Sequence[str | Path], *, environment: Mapping[str, str]) -> str:
    """Run a command to its end and return what it printed.

    Raises MachineError with one sentence when it fails. The command ends when this process ends, however it ends.
    """
    process = subprocess.Popen(
        list(map(str, command)),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    printed: list[str] = []
    reader = threading.Thread(target=lambda: printed.extend(process.stdout or ()), daemon=True)
    reader.start()

    def is_done() -> bool:
        reader.join(LOOK_SECONDS)
        return not reader.is_alive()

    try:
        progress.wait_until(is_done, title=f"{PREFIX}{title}", state=lambda: "at work", seconds=math.inf)
        status = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if status:
        raise explain_command(title, "".join(printed))
    return "".join(printed)
