"""Write the lock files from requirements/*.in: `.venv/bin/python -m tools.lock [--upgrade]`.

Hashes for Python 3.11 to 3.13 in one file; no registry address is written.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cli.machine_errors import MachineError
from tools.commands import run
from tools.environments import BOOTSTRAP, REQUIREMENTS, make, uv_settings
from tools.setup import OLDEST

GROUPS = ("bootstrap", "build", "run", "test", "sam", "function", "scoring", "java", "peers", "calendars")
"""In this order: test, function and scoring are held to what run was locked to."""

COMPILE = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate"]
COMPILE += ["--custom-compile-command", "make lock"]


def write_lock(group: str, options: list[str]) -> None:
    """Resolve one group and write its lock file."""
    oldest = ".".join(map(str, OLDEST))
    held: list[str | Path] = (
        ["--constraint", REQUIREMENTS / "run.txt"] if group in ("test", "function", "scoring") else []
    )
    run(
        f"lock {group}",
        [BOOTSTRAP.folder / "bin" / "uv", *COMPILE, "--python-version", oldest, *held, *options]
        + [REQUIREMENTS / f"{group}.in", "--output-file", REQUIREMENTS / f"{group}.txt"],
        environment=uv_settings(),
    )


def main(argv: Sequence[str]) -> int:
    """Write every lock file and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take newer versions where requirements/*.in allows")
    options = ["--upgrade"] if parser.parse_args(argv).upgrade else []
    try:
        make(BOOTSTRAP)
        for group in GROUPS:
            write_lock(group, options)
    except MachineError as error:
        print(f"lock: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
