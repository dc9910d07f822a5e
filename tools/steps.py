"""The steps of the set-up: installer, main environment, sam, Java, jars, classes; a finished step is not repeated."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.java import machine_java_home
from cli.locks import in_turn
from cli.machine_errors import MachineError, explain_os
from cli.paths import ROOT
from tools.commands import say
from tools.environments import BOOTSTRAP, CACHE, PEERS, SAM, Environment, is_whole, main_environment, make
from tools.private_java import is_private_java_whole, make_private_java
from tools.spark_classes import are_classes_kept, keep_classes
from tools.spark_jars import are_jars_whole, bring_jars


def main(argv: Sequence[str]) -> int:
    """Set everything up and return the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.setup", description=__doc__)
    parser.add_argument("--venv", type=Path, default=Path(".venv"), help="main environment (default: .venv)")
    parser.add_argument("--with-peers", action="store_true", help="also what the benchmarks compare with")
    options = parser.parse_args(argv)
    environments = [main_environment(ROOT / options.venv), SAM, *([PEERS] if options.with_peers else [])]
    try:
        set_up(environments)
    except MachineError as error:
        print(f"set-up stopped: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"set-up stopped: {explain_os(error)}", file=sys.stderr)
        return 1
    return 0


def set_up(environments: Sequence[Environment]) -> None:
    """Make what is missing, one set-up at a time; the first environment is the main one."""
    if stands(environments):
        return
    start = time.monotonic()
    with alone():
        make(BOOTSTRAP)
        for environment in environments:
            make(environment)
        if not machine_java_home():
            make_private_java(environments[0])
        bring_jars(environments[0])
        keep_classes(environments[0])
    say(f"ready in {time.monotonic() - start:.0f} s")


def stands(environments: Sequence[Environment]) -> bool:
    """Whether every step is finished."""
    has_java = machine_java_home() is not None or is_private_java_whole()
    return has_java and all(map(is_whole, environments)) and are_jars_whole() and are_classes_kept(environments[0])


@contextmanager
def alone() -> Iterator[None]:
    """Hold the set-up's lock, so that two of them in one checkout follow each other."""
    with in_turn(CACHE / "set-up.lock", "set-up"):
        yield
