"""Jobs on a master and two workers: on tables in an object store and in a folder, while executors and workers die."""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cli.paths import ROOT
from infra.local.archive import list_objects
from infra.local.cloud import Cloud
from infra.local.module_runs import SparkProcess
from service_quality.features.feature_set import FEATURES
from tests.cluster.conftest import BUCKET, Store, first_steps
from tests.cluster.functions_side import import_records_on, packs_in, serve
from tests.cluster.moments import kill_at
from tests.cluster.standalone import Cluster
from tests.cluster.submitted import lost_tasks, submit
from tests.cluster.two_worlds import (
    FIRST,
    LATER,
    SECOND,
    TRAIN,
    Row,
    events_after_the_past,
    events_in,
    figures_of,
    materialize_argv,
    model_in,
    session_on,
    training_set_in,
)
from tests.parity.archive_folder import write_archive
from tests.stand_ins.archive_chain import archive_links

pytestmark = [pytest.mark.spark, pytest.mark.aws, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1500)]

PLACE = "clustered"
LAKE = f"s3a://{BUCKET}/lake"
ARCHIVE = f"s3a://{BUCKET}/archive"
SEED = 5


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@dataclass(frozen=True)
class Run:
    """The results of a run of all jobs on the cluster, and observations during it."""

    events_after_kill: list[Row]
    events: list[Row]
    training_set: list[Row]
    artefact: Path
    checked: Mapping[str, Any]
    folded: list[Mapping[str, Any]]
    checked_in_log: Mapping[str, Any]
    scored: int
    environments: list[str]
    archives: int


@pytest.fixture(scope="module")
def run(cluster: Cluster, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("clustered")
    artefact, summary = folder / "artefact", folder / "checked.json"
    cloud, environment = store.emulator.cloud, store.environment | {"SPARK_MASTER": cluster.url}
    to = ["--lake", LAKE]
    kill_at(
        lambda: bool(list_objects(cloud, BUCKET, "lake/service/events/data/")), [*FIRST, *to], environment, Random(SEED)
    )
    events_after_kill = events_in(session_on(LAKE, store.s3a))
    with SparkProcess(environment) as jobs:
        for argv in (FIRST, SECOND, LATER, [*TRAIN, "--output", str(artefact)], materialize_argv(PLACE)):
            jobs.run(argv[0], [*argv, *to])
        executors = [pid for worker in cluster.workers for pid in worker.executors().values()]
        environments = [Path(f"/proc/{pid}/environ").read_text("utf-8", "replace") for pid in executors]
        scored = put_archive(cloud, folder)
        jobs.run("check", ["check_consistency", ARCHIVE, "--json", str(summary), *to])
        folds = [folder / "folded.json", folder / "folded_again.json"]
        for file in folds:
            jobs.run("fold", ["fold_archive", ARCHIVE, "--json", str(file), *to])
        in_log = folder / "checked_in_log.json"
        jobs.run("check the log", ["check_consistency", "--json", str(in_log), *to])
    left = session_on(LAKE, store.s3a)
    return Run(
        events_after_kill=events_after_kill,
        events=events_in(left),
        training_set=training_set_in(left),
        artefact=artefact,
        checked=json.loads(summary.read_text("utf-8")),
        folded=[json.loads(file.read_text("utf-8")) for file in folds],
        checked_in_log=json.loads(in_log.read_text("utf-8")),
        scored=scored,
        environments=environments,
        archives=len(list(cluster.folder.rglob("code.zip"))),
    )


def put_archive(cloud: Cloud, folder: Path) -> int:
    """Put the functions' archive after an import of the past; returns its number of scored events."""
    served = serve(packs_in(cloud, PLACE), import_records_on(cloud, PLACE), events_after_the_past())
    links = [link for shop_id in sorted(served.shops) for link in archive_links(served.rows, shop_id)]
    local = write_archive(folder / "archive", links)
    for path in local.rglob("*.gz"):
        cloud.s3.put_object(Bucket=BUCKET, Key=f"archive/{path.relative_to(local)}", Body=path.read_bytes())
    return sum("vector" in entry for link in links for entry in link["entries"])


def test_executors_have_the_code_from_the_archive_that_was_sent(run):
    assert len(run.environments) == 2
    assert not [found for found in run.environments if str(ROOT / "functions") in found]
    assert run.archives >= 2


def test_driver_killed_while_it_writes_to_the_store_leaves_nothing_to_be_read(run):
    assert run.events_after_kill == []


def test_tables_in_the_store_equal_those_in_a_folder(run, undisturbed):
    assert run.events == undisturbed.events
    assert run.training_set == undisturbed.later


def test_model_trained_on_the_cluster_is_the_one_trained_here(run, undisturbed):
    found = figures_of(run.artefact)

    assert model_in(run.artefact)["training"] == undisturbed.model["training"]
    assert found.keys() == undisturbed.figures.keys()
    for name, figure in found.items():
        assert figure == pytest.approx(undisturbed.figures[name], rel=1e-6, abs=1e-9), name


def test_archive_in_the_store_is_what_was_served(run):
    found = run.checked

    assert (found["mismatched"], found["missing"], found["extra"]) == (0, 0, 0)
    assert found["compared"] == run.scored * (len(FEATURES.names) + 1) > 0
    assert found["chain"] == "whole"


def test_archive_is_folded_on_the_cluster_once_and_its_log_is_what_was_served(run):
    first, again = run.folded

    assert first["rows"] > 0
    assert (again["objects"], again["rows"]) == (0, 0)
    for name in ("compared", "mismatched", "missing", "extra", "chain"):
        assert run.checked_in_log[name] == run.checked[name]


def test_lost_executor_and_lost_worker_change_nothing(cluster, store, undisturbed, tmp_path):
    lake = str(tmp_path / "lake")
    first_steps(tmp_path / "lake")
    argv = {name: value for name, value in store.environment.items() if name != "PYTHONPATH"}
    environment = argv | {"PYSPARK_PYTHON": sys.executable}

    def kill_executor(worker, executor):
        os.kill(executor, signal.SIGKILL)

    def kill_worker(worker, executor):
        worker.kill()
        cluster.add_worker()

    generated = submit(cluster, [*SECOND, "--lake", lake], environment, tmp_path / "generated", kill_executor)
    built = submit(cluster, [*LATER, "--lake", lake], environment, tmp_path / "built", kill_worker)
    cluster.wait_for_workers()

    assert lost_tasks(generated) > 0
    assert lost_tasks(built) > 0
    left = session_on(lake)
    assert events_in(left) == undisturbed.events
    assert training_set_in(left) == undisturbed.later
