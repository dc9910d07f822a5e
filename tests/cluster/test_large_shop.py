"""One shop of 200,000 events on two workers: no task reads the shop, and the features are those read from it whole."""

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

EVENTS = 200_000
#: The most of what a stage reads that one of its tasks may read, where it reads more than a few rows.
MOST_SHARE, FEW_BYTES = 0.75, 1_000_000


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


def test_no_task_reads_the_shop_and_the_features_are_the_same(events, tmp_path, monkeypatch):
    log = tmp_path / "log"
    environment = os.environ | event_log_settings(log)
    place = tmp_path / "cluster"
    place.mkdir()
    with Cluster(place, memory="2g") as cluster:
        usage = run_watched(
            [sys.executable, "-m", "benchmarks.one_shop_runs.ours", events],
            environment=environment | {"SPARK_MASTER": cluster.url, "PYTHONPATH": os.environ["PYTHONPATH"]},
            most_seconds=900,
        )
    monkeypatch.setattr(log_order, "_choose_starts", lambda *_: [])
    monkeypatch.setattr(served_features, "choose_cuts", lambda _: {})
    spark = start_session("test", str(tmp_path / "lake"))

    whole = summarise(spark.read.parquet(str(events)))

    assert {name: usage.printed[name] for name in whole} == whole
    assert whole["rows"] > EVENTS / 2
    shares = {stage: max(read) / sum(read) for stage, read in read_by_task(log).items() if sum(read) > FEW_BYTES}
    assert len(shares) >= 4
    assert max(shares.values()) < MOST_SHARE, shares
