"""The code of the jobs as one zip: the core, the jobs, what commands share, and the pages that show a run.

`python -m spark_jobs.session.code_archive FILE.zip` writes it, for spark-submit's --py-files.
"""

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from cli.paths import ROOT
from cli.version import VERSION_IN_ARCHIVE, version

_SUFFIXES = (".py", ".properties", ".json", ".yaml", ".html", ".css")
_FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # the same code gives the same archive


def write_code_archive(target: Path) -> Path:
    """Write the archive for spark-submit's --py-files, and return its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")  # two jobs may start at once
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for base, source in sorted(_sources()):
            archive.writestr(_entry(source.relative_to(base).as_posix()), source.read_bytes())
        archive.writestr(_entry(VERSION_IN_ARCHIVE), version())
    return partial.replace(target)


def _sources() -> Iterator[tuple[Path, Path]]:
    """Every source file with the root folder of its import name."""
    shared = ROOT / "functions" / "shared"
    for base, package in ((shared, "service_quality"), (ROOT, "spark_jobs"), (ROOT, "cli"), (ROOT, "reports")):
        for source in (base / package).rglob("*"):
            if source.suffix in _SUFFIXES:
                yield base, source


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"code_archive: found {len(sys.argv) - 1} arguments, expected FILE.zip")
    print(write_code_archive(Path(sys.argv[1])))
