"""Find a Java that Spark 4.0 can use: 17 or 21, of the machine or our own; `python -m cli.java` prints it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from cli.machine_errors import JavaMissingError
from cli.paths import ROOT

USABLE_VERSIONS = (17, 21)
PRIVATE_HOME = ROOT / ".cache" / "java" / "home"
SYSTEM_FOLDER = Path("/usr/lib/jvm")


def java_home() -> Path:
    """The home of a usable Java: JAVA_HOME, PATH, the machine's folder, else the private one of the set-up.

    Raises JavaMissingError when there is no Java.
    """
    home = machine_java_home() or (PRIVATE_HOME if is_usable(PRIVATE_HOME) else None)
    if home:
        return home
    found = ", ".join(f"Java {java_version(home)} in {home}" for home in candidates() if java_version(home))
    raise JavaMissingError(f"found {found or 'no Java'}, expected Java 17 or 21; make setup brings one")


def machine_java_home() -> Path | None:
    """The first usable Java that the machine has by itself."""
    return next((home for home in candidates() if is_usable(home)), None)


def candidates() -> Iterator[Path]:
    """The folders that may hold a Java, best first."""
    if os.environ.get("JAVA_HOME"):
        yield Path(os.environ["JAVA_HOME"])
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent
    if SYSTEM_FOLDER.is_dir():
        yield from sorted(SYSTEM_FOLDER.iterdir())


def is_usable(home: Path) -> bool:
    """Whether Spark 4.0 runs on the Java there."""
    return java_version(home) in USABLE_VERSIONS and os.access(home / "bin" / "java", os.X_OK)


def java_version(home: Path) -> int | None:
    """The feature version in a Java's `release` file; None for a file without one."""
    try:
        release = (home / "release").read_text(errors="replace")
    except OSError:
        return None
    named = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(named.group(1)) if named else None


if __name__ == "__main__":
    try:
        print(java_home())
    except JavaMissingError as missing:
        sys.exit(f"java: {missing}")
