"""One shop on two workers, cut into pieces of a few thousand events: no task reads the shop, for features and for a
training set, and the features are those read from it whole."""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.one_shop_runs.ours import summarise
from benchmarks.one_shop_runs.synthetic_events import write_events
from benchmarks.process_usage import run_watched
from spark_jobs.logs import log_order
from spark_jobs.reader import served_features
from spark_jobs.session.start import start_session
from tests.cluster.standalone import Cluster

pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1500)]

EVENTS = 40_000
#: More of them for a training set, since only the past, three quarters of them, is cut into pieces.
EVENTS_OF_TRAINING = 80_000
#: The most of what a stage reads that one of its tasks may read, where it reads more than a few rows.
MOST_SHARE, FEW_BYTES = 0.75, 200_000


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("large") / "events.parquet"
    write_events(file, events=EVENTS)
    return file


def event_log_settings(folder: Path) -> dict[str, str]:
    """The environment of a driver that writes its event log into a folder."""
    folder.mkdir()
    settings = {"enabled": "true", "dir": folder.as_uri(), "rolling.enabled": "false", "compress": "false"}
    lines = [f"spark.eventLog.{name} {value}" for name, value in settings.items()]
    lines.append("spark.sql.adaptive.coalescePartitions.enabled false")  # few bytes would be read by one task anyway
    (folder / "spark-defaults.conf").write_text("\n".join(lines))
    return {"SPARK_CONF_DIR": str(folder)}


def read_by_task(folder: Path) -> Mapping[int, list[int]]:
    """The bytes that each task of a stage read of shuffles, by stage."""
    (log,) = (path for path in folder.iterdir() if path.name.startswith("app-"))
    found: dict[int, list[int]] = defaultdict(list)
    for line in log.read_text("utf-8").splitlines():
        event = json.loads(line)
        if event["Event"] == "SparkListenerTaskEnd":
            read = event["Task Metrics"]["Shuffle Read Metrics"]
            found[event["Stage ID"]].append(read["Remote Bytes Read"] + read["Local Bytes Read"])
    return found


def run_on_cluster(module: str, events: Path, folder: Path) -> tuple[Mapping[str, float], Mapping[int, float]]:
    """The numbers that a module prints of the events; by stage the largest share of its bytes that one task read."""
    log, place = folder / "log", folder / "cluster"
    environment = os.environ | event_log_settings(log)
    place.mkdir()
    with Cluster(place, memory="2g") as cluster:
        usage = run_watched(
            [sys.executable, "-m", "tests.cluster.in_small_pieces", module, events],
            environment=environment | {"SPARK_MASTER": cluster.url, "PYTHONPATH": os.environ["PYTHONPATH"]},
            most_seconds=900,
        )
    shares = {stage: max(read) / sum(read) for stage, read in read_by_task(log).items() if sum(read) > FEW_BYTES}
    return usage.printed, shares


def test_no_task_reads_the_shop_and_the_features_are_the_same(events, tmp_path, monkeypatch):
    printed, shares = run_on_cluster("benchmarks.one_shop_runs.ours", events, tmp_path)
    monkeypatch.setattr(log_order, "_choose_starts", lambda *_: [])
    monkeypatch.setattr(served_features, "choose_cuts", lambda _: {})
    spark = start_session("test", str(tmp_path / "lake"))

    whole = summarise(spark.read.parquet(str(events)))

    assert {name: printed[name] for name in whole} == whole
    assert whole["rows"] > EVENTS / 2
    assert len(shares) >= 4
    assert max(shares.values()) < MOST_SHARE, shares


def test_no_task_reads_the_shop_to_make_its_training_set(tmp_path):
    events = tmp_path / "events.parquet"
    write_events(events, events=EVENTS_OF_TRAINING)

    printed, shares = run_on_cluster("tests.cluster.training_of_one_shop", events, tmp_path)

    assert min(printed["recomputed"], printed["served"]) > EVENTS_OF_TRAINING / 40
    assert len(shares) >= 4
    assert max(shares.values()) < MOST_SHARE, shares
