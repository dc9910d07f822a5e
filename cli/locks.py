"""Locks of this checkout, held by a file: runs that would disturb each other take turns, or the later one fails."""

import fcntl
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cli.machine_errors import HeldError
from cli.progress import wait_until


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of `what` while the context lasts; HeldError when another process holds it."""
    with _opened(path) as lock:
        if not _take(lock):
            raise HeldError(f"found another {what} running in this checkout, expected no other; wait for it or end it")
        yield


def is_held(path: Path) -> bool:
    """Whether another process holds a lock."""
    if not path.exists():
        return False
    with path.open() as lock:
        return not _take(lock)


@contextmanager
def in_turn(path: Path, what: str) -> Iterator[None]:
    """Hold the lock of `what` while the context lasts, after a wait for other holders, with signs of life."""
    with _opened(path) as lock:
        wait_until(
            lambda: _take(lock), title=what, state=lambda: "waits for another run of this checkout", seconds=math.inf
        )
        yield


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        yield lock


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
