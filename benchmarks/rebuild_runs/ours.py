"""The job's work on one shop's archive below a folder: everything up to the record; prints its counts and seconds."""

import argparse
import sys
import time
from pathlib import Path

import boto3

from benchmarks.process_usage import print_numbers
from benchmarks.rebuild_runs.synthetic_chain import ALERTS, STATE
from service_quality.adapters.archive_ledger import ArchiveLedger
from service_quality.adapters.state_table import StateTable
from spark_jobs.rebuild_state import find_shops, read_options, rebuild
from spark_jobs.session.start import start_session


def main() -> int:
    """Rebuild the shop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    dynamodb = boto3.client("dynamodb")
    state = StateTable(dynamodb, STATE, ALERTS, rejected=lambda _: None)
    shops = find_shops(state, ArchiveLedger(dynamodb, ALERTS), [])
    named = {"archive": folder / "archive", "state-table": STATE, "alerts-table": ALERTS}
    not_reached = {"event-stream": "not-written", "control-key-secret": "not-read"}
    options = read_options([f"--{name}={value}" for name, value in (named | not_reached).items()])
    start = time.perf_counter()
    _, counts = rebuild(start_session("rebuild", str(folder / "lake")), options, shops)
    print_numbers({"seconds": time.perf_counter() - start, **{name: float(value) for name, value in counts.items()}})
    return 0


if __name__ == "__main__":
    sys.exit(main())
