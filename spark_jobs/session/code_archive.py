"""The code that executors need, as one zip: the core, the jobs and what commands share.

`python -m spark_jobs.session.code_archive FILE.zip` writes it, for spark-submit's --py-files.
"""

import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from cli.paths import ROOT

_FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # the same code gives the same archive


def write_code_archive(target: Path) -> Path:
    """Write the archive for spark-submit's --py-files, and return its path."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(f".{os.getpid()}.partial")  # two jobs may start at once
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for base, source in sorted(_sources()):
            entry = zipfile.ZipInfo(source.relative_to(base).as_posix(), date_time=_FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, source.read_bytes())
    return partial.replace(target)


def _sources() -> Iterator[tuple[Path, Path]]:
    """Every source file with the root folder of its import name."""
    shared = ROOT / "functions" / "shared"
    for base, package in ((shared, "service_quality"), (ROOT, "spark_jobs"), (ROOT, "cli")):
        for source in (base / package).rglob("*"):
            if source.suffix in (".py", ".properties", ".json"):
                yield base, source


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"code_archive: found {len(sys.argv) - 1} arguments, expected FILE.zip")
    print(write_code_archive(Path(sys.argv[1])))
