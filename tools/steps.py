"""The steps of the set-up: installer, main environment, sam, Java; nothing is done twice."""

import argparse
import fcntl
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools import progress
from tools.environments import BOOTSTRAP, CACHE, SAM, Environment, is_whole, main_environment, make
from tools.errors import ROOT, SetupError, explain_os
from tools.java import machine_java_home
from tools.private_java import is_private_java_whole, make_private_java


def main(words: Sequence[str]) -> int:
    """Set everything up and return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.setup", description=__doc__)
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="main environment (default: .venv)")
    environment = main_environment(ROOT / parser.parse_args(words).venv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        set_up(environment)
    except SetupError as error:
        print(f"set-up stopped: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"set-up stopped: {explain_os(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; what is unfinished is made anew next time", file=sys.stderr)
        return 130
    return 0


def set_up(environment: Environment) -> None:
    """Make what is missing, one set-up at a time."""
    if stands(environment):
        return
    start = time.monotonic()
    with alone():
        make(BOOTSTRAP)
        make(environment)
        make(SAM)
        if not machine_java_home():
            make_private_java(environment)
    progress.say(f"ready in {time.monotonic() - start:.0f} s")


def stands(environment: Environment) -> bool:
    """Whether nothing is left to do."""
    has_java = machine_java_home() is not None or is_private_java_whole()
    return has_java and is_whole(environment) and is_whole(SAM)


@contextmanager
def alone() -> Iterator[None]:
    """Hold the set-up's lock, so that two of them in one checkout follow each other."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "set-up.lock").open("w") as lock:

        def free(seconds: float) -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(seconds)
                return False
            return True

        progress.wait_showing(free, "another set-up of this checkout is running")
        yield
