"""Moments in the life of a job, seen from outside by what it has written, at which its process is killed."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from random import Random

from infra.local.module_runs import end_module, start_module

SECONDS = 600
LATEST_AFTER = 0.03  # a moment lasts; where in it the kill falls is drawn


def kill_at(has_come: Callable[[], bool], argv: Sequence[str], environment: Mapping[str, str], random: Random) -> None:
    """Run jobs until the moment has come, then `kill -9` Python and Java at once; AssertionError if they end before."""
    process = start_module(["spark_jobs", *argv], environment)
    try:
        end = time.monotonic() + SECONDS
        while not has_come():
            assert process.poll() is None, f"ended before the moment: {process.stdout and process.stdout.read()}"
            assert time.monotonic() < end, "the moment has not come"
            time.sleep(0.002)
        time.sleep(random.uniform(0, LATEST_AFTER))
        os.killpg(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    finally:
        end_module(process)
