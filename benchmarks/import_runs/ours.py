"""An import of UCI Online Retail into a new lake below a folder, with its card; prints its counts."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.process_usage import print_numbers
from spark_jobs import import_events
from spark_jobs.command_line import run_job


def main() -> int:
    """Import the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    summary = options.folder / "summary.json"
    said = ["--mapping", "online_retail", "--shop", "uci", "--lake", options.folder / "lake", "--json", summary]
    code = run_job(import_events.main, [str(one) for one in (options.file, *said)])
    if code == 0:
        found = json.loads(summary.read_text("utf-8"))
        print_numbers({name: float(found[name]) for name in ("rows", "new_events")})
    return code


if __name__ == "__main__":
    sys.exit(main())
