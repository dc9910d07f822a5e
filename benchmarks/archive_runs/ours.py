"""The job on an archive and a lake below one folder; prints its counts and its own seconds."""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.process_usage import print_numbers
from spark_jobs import fold_archive
from spark_jobs.command_line import run_job
from spark_jobs.session.start import start_session


def main() -> int:
    """Fold what is new."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    start_session("archive", str(folder / "lake"))
    start, summary = time.perf_counter(), folder / "summary.json"
    code = run_job(fold_archive.main, [str(folder / "archive"), "--lake", str(folder / "lake"), "--json", str(summary)])
    if code:
        return code
    found = json.loads(summary.read_text("utf-8"))
    numbers = {name: float(found[name]) for name in ("objects", "rows", "second_copies")}
    print_numbers({"seconds": time.perf_counter() - start, **numbers})
    return 0


if __name__ == "__main__":
    sys.exit(main())
