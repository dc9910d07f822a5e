"""The shared, slow preparation of integration tests: a small synthetic world with a model trained on it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service_quality.instants import parse_instant
from spark_jobs import build_training_set, export_events, generate_shop, train_model
from spark_jobs.command_line import run_job
from spark_jobs.learning import linear_training
from spark_jobs.synthetic_shop.world import World

SPLIT = "2025-03-17"
LEARNED_WORLD = World(shops=2, days=16, contacts_per_day=30, seed=11, start=parse_instant("2025-03-03T00:00:00Z"))
WORLD_WORDS = "--shops 2 --new-shops 0 --days 16 --contacts-per-day 30 --seed 11 --start 2025-03-03".split()
WARM_UP_DAYS = 2


@dataclass(frozen=True)
class Learned:
    """A lake, the model trained on the events before the split, and the events to replay after it."""

    lake: Path
    artefact: Path
    replay: Path
    summaries: dict[str, dict[str, Any]]

    def training_set_argv(self) -> list[str]:
        return ["--as-of", SPLIT, "--warm-up-days", str(WARM_UP_DAYS), "--lake", str(self.lake)]


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    folder = tmp_path_factory.mktemp("learned")
    found = Learned(folder / "lake", folder / "artefact", folder / "replay.jsonl", {})
    to = ["--lake", str(found.lake)]
    jobs = (
        (generate_shop.main, [*WORLD_WORDS, *to]),
        (export_events.main, ["--since", SPLIT, "--output", str(found.replay), *to]),
        (build_training_set.main, found.training_set_argv()),
        (train_model.main, ["--output", str(found.artefact), "--l2", "0.002", *to]),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_training, "_MOST_ITERATIONS", 25)  # good enough to be judged, and three times as quick
        for main, argv in jobs:
            name = main.__module__.rpartition(".")[2]
            summary = folder / f"{name}.json"
            assert run_job(main, [*argv, "--json", str(summary)]) == 0, name
            found.summaries[name] = json.loads(summary.read_text("utf-8"))
    return found
