"""Contacts in, alerts out, proofs beside them: train on the past, replay what came later through the deployed
functions, and check what they served. Without a contact file a synthetic world is generated, and labelled as such."""

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

from cli.locks import only_one
from cli.progress import say
from infra.local.cloud import for_embedded
from infra.local.demo_folder import EMULATOR, fresh_folder
from infra.local.demo_report import results_in, write_report
from infra.local.demo_run import FOLDER, SYNTHETIC_SPLIT, Demo
from infra.local.deployment import deploy
from infra.local.emulator import DEMO_LOCK, Emulator
from infra.local.errors import LocalRunError
from infra.local.module_runs import SparkProcess

TO_TRY = """
The embedded AWS still runs, with the champion promoted. Try it:
  eval "$(.venv/bin/python -m infra.local environment)"
  .venv/bin/python -m examples.subscribe
  .venv/bin/python -m examples.send_conversation
  .venv/bin/python -m examples.read_alerts
  .venv/bin/python -m examples.preview
  .venv/bin/python -m infra.local replay EVENTS.jsonl
  .venv/bin/python -m infra.operations alerts --stack service-quality --shop my-shop
End it:
  .venv/bin/python -m infra.local down"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("--contacts", type=existing_file, metavar="FILE", help="a contact export, .csv or .csv.gz")
    parser.add_argument("--split", type=a_day, metavar="YYYY-MM-DD", help="train before this day, replay from it on")
    parser.add_argument(
        "--report", type=file_to_write, default=results_in(FOLDER).report, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--scores", type=file_to_write, default=results_in(FOLDER).scores, metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument("--time-zone", default="UTC", metavar="ZONE", help="of the export and the page (%(default)s)")
    parser.add_argument("--currency", default="", metavar="CODE", help="of the amounts, by ISO 4217, such as CNY")
    parser.add_argument(
        "--policy", type=existing_file, metavar="FILE", help="the policy of the contacts' shop (docs/policies.md)"
    )
    parser.add_argument("--keep", action="store_true", help="leave the embedded AWS running, to be tried")


def existing_file(word: str) -> Path:
    """An existing file."""
    path = Path(word)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"found no file at {word}, expected one to read")
    if not os.access(path, os.R_OK):
        raise argparse.ArgumentTypeError(f"found no permission to read {word}, expected a file to read")
    if FOLDER in path.resolve().parents:
        raise argparse.ArgumentTypeError(f"found {word} in {FOLDER}, which a demo empties; expected it elsewhere")
    return path.absolute()


def file_to_write(word: str) -> Path:
    """A file that can be written in the end: an error is raised now and not after minutes."""
    path = Path(word).absolute()
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"found a folder at {word}, expected a file to write")
    there = next(one for one in (path, *path.parents) if one.exists())
    if not (there.is_dir() or there == path) or not os.access(there, os.W_OK):
        raise argparse.ArgumentTypeError(f"found no permission to write at {there}, expected a file to write")
    return path


def a_day(word: str) -> str:
    """A day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(word).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"found '{word}', expected a day as YYYY-MM-DD") from None


def run(arguments: argparse.Namespace) -> int:
    """Run it all; 0 only when nothing differs, nothing was lost, and every alert published was received.

    Whatever else comes, a failure, a fault or a signal, the results of the last good run stay as they are.
    """
    if bool(arguments.contacts) != bool(arguments.split):
        raise LocalRunError("found one of --contacts and --split, expected both or none")
    if arguments.policy and not arguments.contacts:
        raise LocalRunError(
            "found --policy without --contacts, expected it for contacts: synthetic shops have their own"
        )
    begun = time.monotonic()
    results = replace(results_in(FOLDER), report=arguments.report, scores=arguments.scores)
    with only_one(DEMO_LOCK, "demo"), fresh_folder(FOLDER, kept=results.paths()) as accept:
        split = arguments.split or SYNTHETIC_SPLIT
        demo = Demo(arguments.contacts, split, arguments.time_zone, arguments.currency, arguments.policy)
        with (
            Emulator(FOLDER / EMULATOR) as emulator,
            ThreadPoolExecutor(1) as beside,
            SparkProcess(for_embedded(os.environ, emulator.endpoint)) as spark,  # ended first: no step waits for it
        ):
            learning = beside.submit(demo.learn, spark)
            with demo.step("build and deploy"):
                outputs = deploy(emulator)
            learning.result()
            alerts = demo.serve(emulator, spark, outputs)
            demo.happen_live(emulator, outputs)
            turn = demo.turn(emulator, outputs)
            status = demo.prove(spark, turn)
            demo.close_loop(spark, turn)
            if arguments.keep:
                emulator.leave_running()
        demo.seconds["all"] = round(time.monotonic() - begun, 1)
        faults = write_report(demo, alerts, status, results)
        if not faults:
            accept()
    for fault in faults:
        say(f"demo: {fault}")
    if faults:
        say(f"demo: the log of the functions is {emulator.log}")
        say(f"demo: this run's files are in {demo.failed}; those of the last good run are as they were")
    if arguments.keep:
        print(TO_TRY, flush=True)
    return 1 if faults else 0
