"""The archive below a folder brought into a lake and recomputed there; prints what was compared and what differs."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.process_usage import print_numbers
from spark_jobs import check_consistency, fold_archive
from spark_jobs.command_line import run_job
from spark_jobs.session.start import start_session


def main() -> int:
    """Fold, then compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    start_session("consistency", str(folder / "lake"))
    start = time.perf_counter()
    _run(fold_archive.main, [str(folder / "archive")], folder)
    found = _run(check_consistency.main, [], folder)
    numbers = {name: float(found[name]) for name in ("compared", "mismatched", "missing", "extra", "unscored")}
    is_whole = float(found["chain"] == "whole")
    of_entities = float(sum(found["entities"].values()))
    print_numbers({"seconds": time.perf_counter() - start, "is_whole": is_whole, "of_entities": of_entities, **numbers})
    return 0


def _run(job: Callable[[Sequence[str]], None], argv: list[str], folder: Path) -> dict[str, Any]:
    summary = folder / "summary.json"
    if code := run_job(job, [*argv, "--lake", str(folder / "lake"), "--json", str(summary)]):
        sys.exit(code)
    found: dict[str, Any] = json.loads(summary.read_text("utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
