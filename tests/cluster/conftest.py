"""The embedded AWS, and what the jobs leave when nothing disturbs them: in this process, on one Spark, in a folder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import for_embedded
from infra.local.emulator import Emulator
from spark_jobs import build_training_set, generate_shop, train_model
from spark_jobs.command_line import run_job
from spark_jobs.session.start import storage_settings
from tests.cluster.standalone import SHORT_LIVED
from tests.cluster.two_worlds import (
    CONTROL_KEY,
    EARLIER,
    FIRST,
    LATER,
    SECOND,
    TRAIN,
    Row,
    events_in,
    figures_of,
    model_in,
    session_on,
    training_set_in,
)
from tests.stand_ins.control import KEY

BUCKET = "cluster"
PLACES = ("calm", "disturbed", "clustered")
MAINS = {"generate_shop": generate_shop.main, "build_training_set": build_training_set.main}
MAINS["train_model"] = train_model.main


@dataclass(frozen=True)
class Store:
    """The embedded AWS with a bucket, and a state table and a stream of each of PLACES."""

    emulator: Emulator
    environment: dict[str, str]
    s3a: dict[str, str]


@dataclass(frozen=True)
class Undisturbed:
    """The results of the jobs, step by step."""

    first_events: list[Row]
    events: list[Row]
    earlier: list[Row]
    later: list[Row]
    model: dict[str, Any]
    figures: dict[str, Any]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Emulator(tmp_path_factory.mktemp("store")) as emulator:
        cloud = emulator.cloud
        cloud.s3.create_bucket(Bucket=BUCKET)
        for place in PLACES:
            cloud.dynamodb.create_table(
                TableName=place,
                KeySchema=[{"AttributeName": "item_key", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "item_key", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            cloud.kinesis.create_stream(StreamName=place, ShardCount=1)
        cloud.secrets.create_secret(Name=CONTROL_KEY, SecretString=KEY.decode())
        environment = for_embedded(os.environ, emulator.endpoint) | {"JDK_JAVA_OPTIONS": SHORT_LIVED}
        environment.pop("SPARK_CONF_DIR", None)  # these jobs run with the settings that they have outside of tests
        with pytest.MonkeyPatch.context() as patch:
            for name, value in emulator.environment.items():
                patch.setenv(name, value)
            s3a = {name: value for name, value in storage_settings().items() if name.startswith("spark.hadoop.")}
        yield Store(emulator, environment, s3a)


def run_here(argv: list[str], lake: Path) -> None:
    assert run_job(MAINS[argv[0]], [*argv[1:], "--lake", str(lake)]) == 0, argv


def first_steps(lake: Path) -> None:
    """The content of the lake before the disturbed jobs."""
    run_here(FIRST, lake)
    run_here(EARLIER, lake)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    lake, artefact = folder / "lake", folder / "artefact"
    first_steps(lake)
    before = session_on(str(lake))
    first_events, earlier = events_in(before), training_set_in(before)
    run_here(SECOND, lake)
    run_here(LATER, lake)
    run_here([*TRAIN, "--output", str(artefact)], lake)
    after = session_on(str(lake))
    return Undisturbed(
        first_events=first_events,
        events=events_in(after),
        earlier=earlier,
        later=training_set_in(after),
        model=model_in(artefact),
        figures=figures_of(artefact),
    )
