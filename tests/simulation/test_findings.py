"""The findings of the simulation, each as the shortest story that leads to it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, HOUR
from tests.properties.random_logs import START
from tests.simulation.event_source import GIVES_UP_AFTER, SENT_AGAIN_WITHIN, EventSource
from tests.simulation.evidence import Evidence
from tests.simulation.schedules import judge
from tests.simulation.settings import Setting
from tests.simulation.sharded_stream import hash_of
from tests.simulation.workers import Worker
from tests.simulation.world import World

PLAIN = Setting("small", ("shop",), most_items=99, touchy=False, most_events=500, cursed_of=0, replayed=0, shards=1)


@pytest.fixture
def world(request) -> Iterator[World]:
    world = World(getattr(request, "param", PLAIN))
    yield world
    world.close()


def event(event_id: str, kind: str, *, occurred_at: int = START, received_at: int = START, **values) -> bytes:
    return event_to_json(
        InteractionEvent(
            event_id=event_id, shop_id="shop", kind=kind, occurred_at=occurred_at, received_at=received_at, **values
        )
    )


def accepted(world: World) -> list[str]:
    return [entry["event"]["event_id"] for entry in Evidence(world, "shop").entries if "event" in entry]


def read_shop_and_stop(world: World, worker: Worker) -> None:
    assert worker.strand is not None
    if worker.strand.pending == "list_shards":
        world.go_on(worker, "ok", heard=True)
    assert worker.strand.pending == "get_item"
    world.go_on(worker, "ok", heard=True)
    if worker.strand.pending == "query":  # whether what comes again is archived
        world.go_on(worker, "ok", heard=True)
    assert worker.strand.pending == "batch_get_item"


def fail_and_begin_again(world: World, worker: Worker) -> None:
    assert worker.strand is not None
    while worker.strand.pending != "get_item":
        world.go_on(worker, "ok", heard=True)


def take_one(world: World, worker: Worker, shard: EventSource | None = None) -> None:
    source = shard or world.source
    worker.start(source.batch(source.checkpoint, 1))
    world.run(worker)


@pytest.mark.parametrize("world", [replace(PLAIN, touchy=True)], indirect=True)
def test_two_torn_reads_do_not_make_a_record_poison(world):
    world.put("shop", event("e1", "page_viewed", customer_id="ann"))
    world.put("shop", event("e2", "page_viewed", customer_id="bob"))
    world.put("shop", event("e3", "customer_message", conversation_id="c1"))
    slow, quick, _ = world.workers

    slow.start(world.source.batch(0, 3))
    read_shop_and_stop(world, slow)
    take_one(world, quick)
    fail_and_begin_again(world, slow)
    read_shop_and_stop(world, slow)
    take_one(world, quick)
    fail_and_begin_again(world, slow)
    world.finish()

    assert accepted(world) == ["e1", "e2", "e3"]
    judge(world)


def test_an_event_known_to_the_day_is_known_when_it_comes_again_a_month_later(world):
    first, again = START + 3 * HOUR, START + 30 * DAY + 7 * HOUR
    known: dict[str, Any] = {"occurred_at": first, "precision": "day", "conversation_id": "c1"}
    world.outside.wall = first
    world.put("shop", event("e1", "customer_message", received_at=first, **known))
    world.catch_up()
    world.outside.wall = again

    world.put("shop", event("e1", "customer_message", received_at=again, **known))
    world.finish()

    assert accepted(world) == ["e1"]
    judge(world)


def test_histories_are_there_for_a_late_event_after_a_long_silence(world):
    silent_until = START + 399 * DAY
    late = silent_until - 29 * DAY
    world.put("shop", event("e1", "order_placed", customer_id="ann", order_id="o1"))
    world.catch_up()
    world.outside.wall = silent_until
    world.sweep(spares=lambda: False)

    world.put("shop", event("e2", "page_viewed", occurred_at=late, received_at=silent_until, customer_id="ann"))
    world.finish()

    assert accepted(world) == ["e1", "e2"]
    judge(world)


@pytest.mark.parametrize("world", [replace(PLAIN, shards=2)], indirect=True)
def test_conversation_is_there_for_an_event_that_waited_on_two_shards(world):
    home = next(shard for shard in world.stream.shards if shard.holds(hash_of("shop")))
    other = next(shard for shard in world.stream.shards if shard is not home)
    received_at = START + 31 * DAY
    world.put("shop", event("e1", "customer_message", conversation_id="c1"))
    world.catch_up()

    world.outside.wall = received_at + SENT_AGAIN_WITHIN
    late = event(
        "e2", "agent_message", received_at=received_at, occurred_at=received_at, conversation_id="c1", agent_id="a"
    )
    world.put_parts([("shop", late)], onto=other.first_key)
    world.outside.wall += GIVES_UP_AFTER - HOUR
    take_one(world, world.workers[0], shard=other)
    world.outside.wall += GIVES_UP_AFTER - HOUR
    for index in range(len(world.workers)):
        world.kill(index)  # none holds the shop in its cache
    world.sweep(spares=lambda: False)
    world.finish()

    assert accepted(world) == ["e1", "e2"]
    judge(world)


@pytest.mark.parametrize("world", [replace(PLAIN, shards=2)], indirect=True)
def test_one_shop_in_an_aggregate_of_another_shard_silences_none(world):
    home = next(shard for shard in world.stream.shards if shard.holds(hash_of("shop")))
    other = next(shard for shard in world.stream.shards if shard is not home)
    home.next_sequence, other.next_sequence = 100, 60
    world.put("shop", event("e1", "page_viewed", customer_id="ann"))
    world.catch_up()

    packed = [("shop", event(name, "page_viewed", customer_id="ann")) for name in ("e2", "e3")]
    world.put_parts(packed, carrier_key="any", onto=other.first_key)
    other.next_sequence = 1_000
    world.put_parts([("shop", event("e4", "page_viewed", customer_id="ann"))], onto=other.first_key)
    world.put("shop", event("e5", "page_viewed", customer_id="ann"))
    world.finish()

    assert accepted(world) == ["e1", "e5", "e2", "e3", "e4"]
    judge(world)


@pytest.mark.parametrize("world", [replace(PLAIN, most_events=3)], indirect=True)
def test_record_rejected_by_an_attempt_that_was_overtaken_may_be_taken(world):
    for name in ("e1", "e2", "e3", "e4"):
        world.put("shop", event(name, "customer_message", conversation_id="c1"))
    slow, quick, _ = world.workers

    slow.start(world.source.batch(0, 4))
    while slow.strand.pending != "transact_write_items":
        world.go_on(slow, "ok", heard=True)
    stored = Evidence(world, "shop").rejected_records()
    world.give_up(world.source, 3)
    take_one(world, quick)
    world.finish()

    assert [one.reason for one in stored.values()] == ["conversation_full"]
    assert accepted(world) == ["e4"]
    judge(world)


def test_unreadable_record_while_a_shop_waits_brings_it_under_no_other_features(world):
    release(world, features="other", fold="2")
    world.put("shop", event("e1", "conversation_opened", conversation_id="c1", agent_id="ann"))
    world.catch_up()
    release(world, features="small", fold="1")
    world.put("shop", b"no record")
    world.catch_up()
    release(world, features="small", fold="2")
    world.finish()

    assert [one.features for one in Evidence(world, "shop").attempts] == ["other", "small"]
    judge(world)


def release(world: World, *, features: str, fold: str) -> None:
    """Every worker from now on folds by these."""
    world.deployed, world.fold = features, fold
    for index in range(len(world.workers)):
        world.kill(index)
