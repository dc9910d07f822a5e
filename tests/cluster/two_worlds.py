"""Two small worlds in one lake, the jobs that learn from them, and what those leave to be compared."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import parse_instant
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import EVENTS, TRAINING_SET
from spark_jobs.session.start import start_session
from spark_jobs.synthetic_shop.world import World, events_of, shop_of

Row = tuple[Any, ...]

START = "2025-03-03"
WORLDS = tuple(
    World(shops=2, days=8, contacts_per_day=12, seed=seed, start=parse_instant(f"{START}T00:00:00Z")) for seed in (3, 4)
)
FIRST, SECOND = (
    f"generate_shop --shops {world.shops} --new-shops 0 --days {world.days} "
    f"--contacts-per-day {world.contacts_per_day} --seed {world.seed} --start {START}".split()
    for world in WORLDS
)
EARLIER = "build_training_set --as-of 2025-03-08 --warm-up-days 1".split()
LATER = "build_training_set --as-of 2025-03-11 --warm-up-days 1".split()
TRAIN = "train_model --l2 0.002".split()
PAST_ENDS = "2025-03-08"
CONTROL_KEY = "control-key"
CHANGES_WITH_THE_LAKE = ("events_snapshot", "training_snapshot")


def materialize_argv(place: str) -> list[str]:
    """Into the table and onto the stream of this name, of functions that have archived nothing yet."""
    tables = ["--state-table", place, "--alerts-table", place]
    targets = [*tables, "--event-stream", place, "--control-key-secret", CONTROL_KEY]
    return ["materialize_histories", "--as-of", PAST_ENDS, *targets, "--archive", "nothing-archived"]


def events_after_the_past() -> list[InteractionEvent]:
    """The events of the worlds from PAST_ENDS on, in order of time."""
    ends = parse_instant(f"{PAST_ENDS}T00:00:00Z")
    made = (
        event
        for world in WORLDS
        for number in range(world.shops)
        for event in events_of(world, shop_of(world, number), range(world.customers))
    )
    return sorted(
        (event for event in made if event.occurred_at >= ends), key=lambda event: (event.occurred_at, event.event_id)
    )


def session_on(lake: str, store: Mapping[str, str] | None = None) -> SparkSession:
    """A session of this process that sees the lake as it is now; `store` says how s3a reaches it."""
    spark = start_session("test", lake)
    for name, value in (store or {}).items():
        spark.conf.set(f"spark.sql.catalog.lake.hadoop.{name.removeprefix('spark.hadoop.')}", value)
    return spark


def events_in(spark: SparkSession) -> list[Row]:
    """Every event of the lake, in order; none where there is no table or nothing was ever written."""
    return _rows(spark, EVENTS, "shop_id", "event_id")


def training_set_in(spark: SparkSession) -> list[Row]:
    """Every row of the training set with its vector's bits, in order."""
    rows = _rows(spark, TRAINING_SET, "shop_id", "event_id")
    return [tuple(str(value) if isinstance(value, list) else value for value in row) for row in rows]


def model_in(artefact: Path) -> dict[str, Any]:
    """The trained model, the names of snapshots left out: those differ from lake to lake."""
    model: dict[str, Any] = json.loads((artefact / "model.json").read_text("utf-8"))
    model["training"] = {name: value for name, value in model["training"].items() if name not in CHANGES_WITH_THE_LAKE}
    return model


def figures_of(artefact: Path) -> dict[str, Any]:
    """The numbers of the model, those of its sample and its challenger included."""
    model, sample = model_in(artefact), pd.read_parquet(artefact / "sample.parquet")
    challenger = json.loads((artefact / "challenger.json").read_text("utf-8"))
    forward = model["metrics"].pop("forward_log_loss")
    return {
        **{name: model[name] for name in ("means", "scales", "coefficients", "intercept")},
        **{f"calibration {name}": value for name, value in model["calibration"].items()},
        **{f"metric {name}": value for name, value in model["metrics"].items()},
        **{f"forward {name}": value for name, value in forward.items()},
        **{f"challenger {name}": value for name, value in challenger["metrics"].items()},
        "sample": sorted(sample["probability"]),
    }


def _rows(spark: SparkSession, table: str, *order: str) -> list[Row]:
    if snapshot_of(spark, table) is None:
        return []
    return [tuple(row) for row in spark.table(table).orderBy(*order).collect()]
