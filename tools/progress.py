"""Run a command quietly, showing that time passes while it takes more than a few seconds."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.errors import explain_command

FIRST_SIGN_SECONDS = 3.0
LATER_SIGN_SECONDS = 5.0


def say(line: str) -> None:
    """Print one line of the set-up, at once."""
    print(f"set-up: {line}", file=sys.stderr, flush=True)


@contextmanager
def announced(title: str) -> Iterator[None]:
    """Print a step's beginning and its duration."""
    say(f"{title} …")
    start = time.monotonic()
    yield
    say(f"{title}: done in {time.monotonic() - start:.0f} s")


def wait_showing(finished: Callable[[float], bool], title: str) -> None:
    """Wait until `finished(seconds to wait)` is true, with a sign of life every few seconds."""
    start, patience = time.monotonic(), FIRST_SIGN_SECONDS
    while not finished(patience):
        say(f"  {title}: {time.monotonic() - start:.0f} s so far")
        patience = LATER_SIGN_SECONDS


def run(title: str, command: Sequence[str | Path], *, environment: Mapping[str, str]) -> str:
    """Run a command to its end and return what it printed.

    Raises CommandFailedError with one sentence when it fails. The command ends when this process ends, however it ends.
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

    def finished(seconds: float) -> bool:
        reader.join(seconds)
        return not reader.is_alive()

    try:
        wait_showing(finished, title)
        status = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if status:
        raise explain_command(title, "".join(printed))
    return "".join(printed)
