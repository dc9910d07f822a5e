"""Locks of this checkout, held by a file: runs that would disturb each other take turns, or the later one is told."""

import fcntl
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from infra.local.errors import LocalRunError
from infra.local.progress import wait_until


@contextmanager
def only_one(path: Path, what: str) -> Iterator[None]:
    """Be the only `what` while the context lasts; LocalRunError when there is another."""
    with _opened(path) as lock:
        if not _take(lock):
            raise LocalRunError(f"found another {what} running in this checkout, expected none; wait for it or end it")
        yield


@contextmanager
def in_turn(path: Path, what: str) -> Iterator[None]:
    """Wait until no other process is at `what`, with signs of life, and keep them waiting while the context lasts."""
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
