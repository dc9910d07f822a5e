"""The three readers agree bit for bit: tiles (the online commit), columns (the Spark jobs), the naive loop."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service_quality.events.annotations import annotate
from service_quality.events.control_records import HistoryImported
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_record
from service_quality.events.positions import Position
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import vector_from_bytes
from service_quality.instants import DAY, parse_instant
from spark_jobs.synthetic_shop.world import World, events_of, shop_of
from tests.parity.past_items import materialize
from tests.parity.spark_reader import recompute_by_spark, served_vectors
from tests.properties.feature_sets import SETS, SMALL
from tests.properties.import_packs import Backfill
from tests.properties.naive_reader import NaiveReader
from tests.properties.online_run import batches, new_store, new_worker
from tests.properties.random_logs import RandomLog, build_new_year_log, logs, new_year_logs, readable
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import record_json
from tests.stand_ins.memory_store import MemoryStore

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=4)

ARRIVED = 4_000_000_000_000  # epoch milliseconds, later than any event here


def serve(log: RandomLog, sizes: Sequence[int], name: str) -> list[dict]:
    """The log through the online commit; the links of its archive."""
    features, rules = SETS[name]
    store = new_store(log)
    worker = new_worker(store, features, rules)
    for batch in batches(log.records, sizes):
        worker.advance_shop(log.shop_id, batch)
    return archive_links(store.rows, log.shop_id)


def naive_vectors(log: RandomLog, features: FeatureSet) -> dict[str, tuple[int, bytes]]:
    readings = NaiveReader(features).read(readable(log))
    return {reading.position: (reading.clock, reading.vector) for reading in readings if reading.vector is not None}


def vector_of(data: bytes, features: FeatureSet) -> dict[str, float]:
    return dict(zip(features.names, vector_from_bytes(data), strict=True))


def check(name: str, *, examples: int, most: int) -> None:
    features, _ = SETS[name]

    @settings(max_examples=examples)
    @given(logs(features, most=most), SIZES)
    def readers_agree(log: RandomLog, sizes: list[int]) -> None:
        links = serve(log, sizes, name)

        by_columns = recompute_by_spark(links, features, log.backfills)

        assert by_columns == served_vectors(links)
        assert by_columns == naive_vectors(log, features)

    readers_agree()


@pytest.mark.parametrize(("name", "examples"), [("small", 60), ("in service", 20)])
def test_three_readers_agree(name, examples):
    check(name, examples=examples, most=30)


@settings(max_examples=40)
@given(new_year_logs(SMALL, most=40), SIZES)
def test_three_readers_agree_under_policies_over_a_new_year_without_a_decree(log: RandomLog, sizes: list[int]):
    links = serve(log, sizes, "small")

    by_columns = recompute_by_spark(links, SMALL, {})

    assert by_columns == served_vectors(links)
    assert by_columns == naive_vectors(log, SMALL)


def test_random_logs_over_a_new_year_hold_provisional_replies():
    names = [name for name in SMALL.names if "provisional_replies" in name]
    random = Random(1)
    counts = []
    for _ in range(20):
        log = build_new_year_log([random.getrandbits(64) for _ in range(60)], SMALL)
        counts += [vector_of(found, SMALL) for _, found in naive_vectors(log, SMALL).values()]

    assert names
    assert all(any(vector[name] > 0 for vector in counts) for name in names)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "examples"), [("small", 150), ("in service", 40)])
def test_three_readers_agree_on_longer_logs(name, examples):
    check(name, examples=examples, most=80)


@settings(max_examples=15)
@given(st.data(), SIZES)
def test_shops_are_read_apart(data, sizes):
    several = [data.draw(logs(SMALL, most=15, shop_id=shop_id)) for shop_id in ("a", "b")]
    store = new_store(*several)
    worker = new_worker(store, *SETS["small"])

    ahead = [batches(log.records, sizes) for log in several]
    while any(ahead):
        for log, left in zip(several, ahead, strict=True):
            if left:
                worker.advance_shop(log.shop_id, left.pop(0))

    for log in several:
        links = archive_links(store.rows, log.shop_id)
        assert recompute_by_spark(links, SMALL, log.backfills) == served_vectors(links) == naive_vectors(log, SMALL)


def test_log_of_no_scored_event_gives_no_vector():
    rated = InteractionEvent(
        event_id="e", shop_id="shop", kind="rated", occurred_at=DAY, received_at=DAY, conversation_id="c", rating=1
    )
    links = replay([rated], SMALL)

    assert recompute_by_spark(links, SMALL, {}) == served_vectors(links) == {}
    assert recompute_by_spark([], SMALL, {}) == {}


def replay(
    events: Iterable[InteractionEvent | HistoryImported], features: FeatureSet, past: Backfill | None = None
) -> list[dict]:
    """Events in their order through the online commit, beside the packs of a past; the links of the archive."""
    placed = [(event, Position(1, number)) for number, event in enumerate(events)]
    records = [LogRecord(str(position), record_json(event, issued_at=ARRIVED), ARRIVED) for event, position in placed]
    shop_id = placed[0][0].shop_id
    store = MemoryStore(items={(shop_id, key): data for key, data in (past.packs if past else {}).items()})
    worker = new_worker(store, features, ())
    for batch in batches(records, [50]):
        worker.advance_shop(shop_id, batch)
    return archive_links(store.rows, shop_id)


def vectors_by_event(links: list[dict]) -> dict[str, str]:
    entries = [entry for link in links for entry in link["entries"] if "vector" in entry]
    return {entry["event"]["event_id"]: entry["vector"] for entry in entries}


def assert_imported_equals_lived(events: list[InteractionEvent], *, split: int, features: FeatureSet) -> None:
    past = [annotate(event) for event in events if event.occurred_at < split]
    later = [event for event in events if event.occurred_at >= split]
    lived = vectors_by_event(replay([*past, *later], features))
    materialized = materialize(past, features)

    links = replay([materialized.import_record, *later], features, materialized)

    assert vectors_by_event(links) == {
        event.event_id: lived[event.event_id] for event in later if event.event_id in lived
    }
    assert recompute_by_spark(links, features, {"past": materialized}) == served_vectors(links)


def in_order_of_time(log: RandomLog) -> list[InteractionEvent]:
    """The log's events once each, as a replay in order of time would bring them.

    Without their numbers: of one instant an import reads them behind the kinds, the log before (docs/conversations.md).
    """
    events: dict[str, InteractionEvent] = {}
    for _, entry in readable(log):
        if isinstance(entry, InteractionEvent):
            events.setdefault(entry.event_id, replace(entry, received_at=entry.occurred_at, sequence=None))
    return sorted(events.values(), key=log_order)


@settings(max_examples=30)
@given(logs(SMALL, most=40), st.integers(0, 39))
def test_past_that_was_imported_equals_past_that_was_lived(log, cut):
    events = in_order_of_time(log)
    assume(events)
    split = events[cut % len(events)].occurred_at
    assume(events[0].occurred_at < split)

    assert_imported_equals_lived(events, split=split, features=SMALL)


def test_past_of_a_synthetic_shop_that_was_imported_equals_past_that_was_lived():
    start = parse_instant("2025-03-03T00:00:00Z")
    world = World(shops=1, days=10, contacts_per_day=8, seed=5, start=start)
    events = sorted(events_of(world, shop_of(world, 0), range(world.customers)), key=log_order)

    assert_imported_equals_lived(events, split=start + 7 * DAY, features=FEATURES)


def test_event_survives_its_record():
    """The assumption of these tests' helpers: a replayed record parses to the event it was made from."""
    event = InteractionEvent(
        event_id="e", shop_id="shop", kind="order_placed", occurred_at=DAY * 19_000, received_at=DAY * 19_000 + 1,
        customer_id="zoe", order_id="o", amount_minor=3,
    )  # fmt: skip

    assert parse_record(event_to_json(event), arrived_at=ARRIVED, shop_id="shop") == event
