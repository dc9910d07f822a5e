"""A world with time on a real Spark: exported with virtual timers, replayed, archived, folded and recomputed."""

import json
from argparse import Namespace
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from infra.local.replaying import read_records
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.events.annotations import annotate
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.kinds import TIME_REACHED
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.events.time_reached import TimeReached
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, parse_instant
from spark_jobs import check_consistency, export_events, fold_archive
from spark_jobs.build_training_set import Source, join_sources, past_source, served_source
from spark_jobs.command_line import run_job
from spark_jobs.lake.tables import EVENTS_IN_MILLIS, read_events, with_timestamps, write_events
from spark_jobs.logs import log_order as pieces
from spark_jobs.logs.log_table import read_log
from spark_jobs.session.start import start_session
from spark_jobs.synthetic_shop.world import World, events_of, shop_of
from tests.parity.archive_folder import write_archive
from tests.parity.test_time_in_spark import placed_by_dry_run
from tests.properties.online_run import batches, new_worker
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import record_json
from tests.stand_ins.memory_store import MemoryStore

pytestmark = pytest.mark.spark

START = parse_instant("2025-03-03T00:00:00Z")
WORLD = World(shops=2, days=6, contacts_per_day=15, seed=11, start=START)
SHOPS = [shop_of(WORLD, number).shop_id for number in range(WORLD.shops)]
ARRIVED = WORLD.end + DAY


@dataclass(frozen=True)
class Lived:
    """A lake with a world's events, the file of its replay, the archive of that replay, and what the jobs said."""

    lake: Path
    replay: Path
    archive: Path
    links: list[dict]
    exported: dict
    checked: dict

    @property
    def spark(self) -> SparkSession:
        return start_session("test", str(self.lake))

    def entries(self, kind: str) -> list[dict]:
        every = (entry for link in self.links for entry in link["entries"])
        return [entry for entry in every if entry.get("event", {}).get("kind") == kind]


def events_of_world() -> list[InteractionEvent]:
    """The events as an import writes them into a lake: with what their words say, which a commit makes out itself."""
    return [
        annotate(event)
        for number in range(WORLD.shops)
        for event in events_of(WORLD, shop_of(WORLD, number), range(WORLD.customers))
    ]


def run(main, name: str, *argv: str, folder: Path) -> dict:
    summary = folder / f"{name}.json"
    assert run_job(main, [*argv, "--json", str(summary)]) == 0, name
    return json.loads(summary.read_text("utf-8"))


def serve(replay: Path) -> list[dict]:
    """The links of the archive of a replay, whose records come in batches."""
    store, links = MemoryStore(), []
    put = read_records(replay)
    for shop_id in SHOPS:
        data = [record_json(one, issued_at=ARRIVED) for one in put if one.shop_id == shop_id]
        records = [LogRecord(str(Position(1, number)), one, ARRIVED) for number, one in enumerate(data, 1)]
        worker = new_worker(store, FEATURES, shipped_rules())
        for batch in batches(records, [40, 7]):
            worker.advance_shop(shop_id, batch)
        links += archive_links(store.rows, shop_id)
    return links


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("time")
    lake, replay = folder / "lake", folder / "replay.jsonl"
    spark = start_session("test", str(lake))
    rows = [{**vars_of(event), "source": "test"} for event in events_of_world()]
    write_events(with_timestamps(spark.createDataFrame(rows, EVENTS_IN_MILLIS)))
    of_lake = ("--lake", str(lake))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_ROWS_A_SAMPLE", 20)  # so that a log is in several pieces
        patch.setattr(pieces, "_SAMPLES_A_PIECE", 5)
        since = ("--since", "2025-03-01", "--timers", "--output", str(replay))
        exported = run(export_events.main, "export", *since, *of_lake, folder=folder)
    links = serve(replay)
    archive = write_archive(folder / "archive", links)
    run(fold_archive.main, "fold", str(archive), *of_lake, folder=folder)
    checked = run(check_consistency.main, "check", *of_lake, folder=folder)
    return Lived(lake, replay, archive, links, exported, checked)


def vars_of(event: InteractionEvent) -> dict:
    return {name: getattr(event, name, None) for name in EVENTS_IN_MILLIS.names if name != "source"}


def test_virtual_timers_of_a_lake_stand_where_a_dry_run_rings_them(lived):
    records = read_records(lived.replay)

    for shop_id in SHOPS:
        own = [one for one in records if one.shop_id == shop_id]
        events = sorted((one for one in own if isinstance(one, InteractionEvent)), key=log_order)
        assert [one.event_id for one in own] == placed_by_dry_run(events, shop_id)
    assert lived.exported["timers"] == sum(isinstance(one, TimeReached) for one in records) > 20


def test_every_exported_stage_is_reached_and_served_by_the_replay(lived):
    reached = lived.entries(TIME_REACHED)

    assert len(reached) == lived.exported["timers"]
    assert not any(entry.get("silent") for link in lived.links for entry in link["entries"])
    assert all("vector" in entry for entry in reached)


def test_nothing_differs_between_what_was_served_with_time_and_what_is_recomputed(lived):
    names = ("mismatched", "missing", "extra", "chain")
    scored = sum("vector" in entry for link in lived.links for entry in link["entries"])

    assert [lived.checked[name] for name in names] == [0, 0, 0, "whole"]
    assert lived.checked["compared"] == scored * (len(FEATURES.names) + 1)


def test_log_of_the_lake_holds_reached_stages_as_rows_at_their_due_instants(lived):
    rows = read_log(lived.spark).where("reached is not null").collect()

    assert len(rows) == lived.exported["timers"]
    assert {row["kind"] for row in rows} == {TIME_REACHED}
    assert all(row["occurred_at"] == row["received_at"] for row in rows)
    assert not any(row["control"] for row in rows)


def rows_by_id(source: Source) -> dict[tuple[str, str], tuple]:
    joined = join_sources([source]).collect()
    return {
        (row["shop_id"], row["event_id"]): (
            row["kind"],
            row["round"],
            row["label"],
            row["weight"],
            bits_of(row["features"]),
        )
        for row in joined
    }


def bits_of(features: list[float]) -> bytes:
    vector = np.array(features, dtype="<f4")
    return np.where(np.isnan(vector), np.float32("nan"), vector).astype("<f4").tobytes()


def test_training_set_of_the_lake_holds_the_rows_that_a_replay_with_time_serves(lived):
    chosen = Namespace(as_of=ARRIVED, warm_up_days=0)

    as_it_would_be = rows_by_id(past_source(read_events(lived.spark), chosen, None))
    as_served = rows_by_id(served_source(read_log(lived.spark), chosen))

    assert as_it_would_be == as_served
    stages = [row for row in as_served.values() if row[0] == TIME_REACHED]
    assert len(stages) > 20


def test_rows_at_stages_share_the_weight_of_their_round(lived):
    rows = join_sources([past_source(read_events(lived.spark), Namespace(as_of=ARRIVED, warm_up_days=0), None)])
    weights: dict[tuple, float] = {}
    for row in rows.collect():
        key = row["shop_id"], row["conversation_id"], row["round"]
        weights[key] = weights.get(key, 0.0) + row["weight"]

    assert weights
    assert all(abs(weight - 1) < 1e-9 for weight in weights.values())


def test_wait_that_a_stage_scores_is_the_wait_at_its_due_instant(lived):
    place = FEATURES.names.index("waiting_ms")
    waits = {
        entry["event"]["stage"]: np.frombuffer(b64decode(entry["vector"]), dtype="<f4")[place]
        for entry in lived.entries(TIME_REACHED)
    }

    assert waits["waiting_ms:1800000"] == 1_800_000
