"""The synthetic shop in the lake: the same with any number of partitions, and labelled."""

import json

import pytest
from pyspark.sql import functions as F

from service_quality.events.annotations import annotate
from service_quality.events.interaction_event import FIELDS
from service_quality.instants import parse_instant
from spark_jobs import generate_shop
from spark_jobs.command_line import run_job
from spark_jobs.generate_shop import generate
from spark_jobs.lake.snapshots import snapshot_of
from spark_jobs.lake.tables import EVENTS, INSTANTS, read_events, with_timestamps
from spark_jobs.session.start import start_session
from spark_jobs.synthetic_shop.world import World, events_of, shop_of

pytestmark = pytest.mark.spark

WORLD = World(shops=2, new_shops=1, days=5, contacts_per_day=8, seed=3, start=parse_instant("2025-03-03T00:00:00Z"))
ARGUMENTS = "--shops 2 --new-shops 1 --days 5 --contacts-per-day 8 --seed 3 --start 2025-03-03".split()


def run_generate(lake):
    summary = lake.parent / "summary.json"
    assert run_job(generate_shop.main, [*ARGUMENTS, "--lake", str(lake), "--json", str(summary)]) == 0
    return json.loads(summary.read_text())


def made_here():
    """The world's events by shop and id, made without Spark, with what their words say."""
    return {
        (event.shop_id, event.event_id): annotate(event)
        for number in WORLD.numbers
        for event in events_of(WORLD, shop_of(WORLD, number), range(WORLD.customers_of(number)))
    }


def test_lake_holds_the_world_once_and_labelled(tmp_path):
    lake = tmp_path / "lake"

    first, again = run_generate(lake), run_generate(lake)

    events = read_events(start_session("test", str(lake)))
    columns = [F.unix_millis(name).alias(name) if name in INSTANTS else F.col(name) for name in FIELDS]
    found = {(row["shop_id"], row["event_id"]): tuple(row) for row in events.select(*columns).collect()}
    assert found == {key: tuple(getattr(event, name) for name in FIELDS) for key, event in made_here().items()}
    assert {row["source"] for row in events.select("source").distinct().collect()} == {"synthetic:3"}
    assert (first["new_events"], again["new_events"]) == (len(found), 0)
    assert first["events_snapshot"] == again["events_snapshot"] == snapshot_of(events.sparkSession, EVENTS)
    assert first["synthetic"] is True


@pytest.mark.parametrize("customers", [1, 7, 1000])
def test_world_does_not_depend_on_how_it_is_cut(tmp_path, monkeypatch, customers):
    monkeypatch.setattr(generate_shop, "CUSTOMERS_OF_A_TASK", customers)
    spark = start_session("test", str(tmp_path / "lake"))

    rows = with_timestamps(generate(spark, WORLD)).select("shop_id", "event_id").collect()

    assert len(rows) == len(made_here())
    assert {tuple(row) for row in rows} == set(made_here())


@pytest.mark.parametrize("arguments", [["--shops", "0"], ["--start", "someday"], ["--days", "-3"], ["--seed", "x"]])
def test_bad_argument_is_one_line(arguments, capsys):
    assert run_job(generate_shop.main, arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
