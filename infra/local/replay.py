"""Put the canonical events of a JSON-lines file on the deployed stream in log order, the shop's id as partition key,
with the reached stages between them (export_events --timers), and wait until the archive holds all of them."""

import argparse
import time
from pathlib import Path

from cli.arguments import number_above_zero
from infra.local.archive import explain_left_out
from infra.local.deployment import read_outputs
from infra.local.emulator import find_running
from infra.local.errors import EmulatorError
from infra.local.replaying import QUIET_SECONDS, put_events, read_records, sign_stages, wait_for_archive
from infra.local.status import count_items


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("file", type=Path, metavar="FILE.jsonl", help="one canonical event a line, in any order")
    parser.add_argument(
        "--rate", type=number_above_zero, metavar="N", help="events a second (default: as fast as it goes)"
    )
    parser.add_argument(
        "--quiet-seconds",
        type=number_above_zero,
        default=QUIET_SECONDS,
        metavar="S",
        help="give up when nothing new was archived for so long (default: %(default)s)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Replay and wait."""
    records = read_records(arguments.file)
    emulator = find_running()
    outputs = read_outputs(emulator.cloud)
    signed = sign_stages(records, emulator.cloud.read_secret(outputs["ControlKeySecretArn"]))
    if not count_items(emulator.cloud, outputs["ModelsTableName"]):
        raise EmulatorError(
            "found no promoted model, expected one, since functions wait for it; "
            "`python -m model_export publish` and `promote` bring one"
        )
    start = time.monotonic()
    numbers = put_events(
        emulator.cloud, outputs["EventStreamName"], signed, per_second=arguments.rate, expected=len(signed)
    )
    left_out = wait_for_archive(emulator.cloud, outputs["ArchiveBucketName"], numbers, quiet=arguments.quiet_seconds)
    print(f"{len(numbers) - len(left_out)} records replayed and archived in {time.monotonic() - start:.0f} s")
    if left_out:
        print(f"not taken: {explain_left_out(left_out.values())} (docs/runbook.md says what the reasons mean)")
    return 0
