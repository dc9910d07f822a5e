"""Fold the archive of the running deployment, train on what was served and since rated, judge the candidate beside
the champion on the latest served days that neither has seen, and promote it unless it is worse. The exit status is 0
for a promoted candidate and 5 for a refused one; both are results, and the line says why."""

import argparse
import os
from functools import partial
from pathlib import Path

from cli.arguments import whole_number
from cli.locks import only_one
from cli.paths import ROOT
from cli.progress import announced
from infra.local.cloud import for_embedded
from infra.local.deployment import read_outputs
from infra.local.emulator import DEMO_FOLDER, FOLDER, find_running
from infra.local.errors import EmulatorError
from infra.local.learning import JUDGE_DAYS, PROMOTED, REFUSED_CODE, WARM_UP_DAYS, Outcome, Turn
from infra.local.module_runs import SparkProcess
from infra.local.status import count_items

_LAKE = ROOT / "build" / "lake"
#: The lake of the last good demo.
DEMO_LAKE = DEMO_FOLDER.parent / "lake"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    lake_help = f"folder of the lake ({_LAKE}; {DEMO_LAKE} for what a demo left running)"
    parser.add_argument("--lake", type=Path, metavar="DIR", help=lake_help)
    count, days = partial(whole_number, least=0), partial(whole_number, least=1)
    days_help = "judge on the last so many days that were served (%(default)s)"
    parser.add_argument("--judge-days", type=days, default=JUDGE_DAYS, metavar="N", help=days_help)
    warm_up_help = "first days of a shop without imported events that train nothing (%(default)s)"
    parser.add_argument("--warm-up-days", type=count, default=WARM_UP_DAYS, metavar="N", help=warm_up_help)
    past_help = "train on the lake's imported events, too, from before each shop's log begins"
    parser.add_argument("--with-past", action="store_true", help=past_help)


def run(arguments: argparse.Namespace) -> int:
    """Take one turn; print the verdict."""
    emulator = find_running()
    outputs = read_outputs(emulator.cloud)
    if not count_items(emulator.cloud, outputs["ModelsTableName"]):
        raise EmulatorError("found no promoted model, expected a champion to be judged beside")
    lake: Path = arguments.lake or (DEMO_LAKE if emulator.folder == DEMO_FOLDER else _LAKE)
    folder = FOLDER.parent / "learn"
    folder.mkdir(parents=True, exist_ok=True)
    environment = for_embedded(os.environ, emulator.endpoint)
    turn = Turn(
        folder,
        lake.absolute(),
        outputs,
        environment,
        judge_days=arguments.judge_days,
        with_past=arguments.with_past,
        warm_up_days=arguments.warm_up_days,
    )
    with only_one(FOLDER.parent / "learn.lock", "`learn`"), SparkProcess(environment) as spark:
        with announced("fold the archive"):
            turn.fold(spark)
        with announced("train and judge"):
            outcome = turn.learn(spark)
    print(describe(outcome))
    return 0 if outcome.verdict == PROMOTED else REFUSED_CODE


def describe(outcome: Outcome) -> str:
    """The verdict and why, in one line."""
    return f"{outcome.verdict}: {outcome.version or 'the candidate'}; {outcome.why}"
