"""Our own processes: started in a session of their own, recognised by pid and start, ended with all they started."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class OwnProcess:
    """A process that was started here; `started` distinguishes it from a later one with the same pid."""

    pid: int
    started: str

    def is_running(self) -> bool:
        """Whether this very process runs."""
        return start_of(self.pid) == self.started

    def end(self) -> None:
        """End the process and all that it started; returns at once if it has ended."""
        if not self.is_running():
            return
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            reap(self.pid)
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        while self.is_running() or not reap(self.pid):
            time.sleep(0.01)


def start(command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path, log: Path) -> OwnProcess:
    """Start a command in a session of its own, so that only our own Ctrl-C reaches it."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.returncode = 0  # it is reaped by `OwnProcess.end`, or outlives us; Popen need not warn of it
    return OwnProcess(process.pid, start_of(process.pid))


def start_of(pid: int) -> str:
    """When the process with this pid started, as the kernel writes it; empty when there is no such process."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if words[0] in "ZX" else words[19]


def reap(pid: int) -> bool:
    """Let the kernel forget an ended child, once its last thread has ended; true if it is forgotten or not ours."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


@dataclass(frozen=True)
class Registration:
    """The noted pid and port of a running emulator."""

    pid: int
    started: str
    port: int

    @property
    def process(self) -> OwnProcess:
        """The noted process."""
        return OwnProcess(self.pid, self.started)

    def write(self, path: Path) -> None:
        """Write it down."""
        path.write_text(json.dumps(asdict(self)), "utf-8")


def read_registration(path: Path) -> Registration | None:
    """The note, if its process still runs; the note of an ended one is removed."""
    try:
        registration = Registration(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return None
    if registration.process.is_running():
        return registration
    path.unlink(missing_ok=True)
    return None
