"""The vectors of the online commit equal, bit for bit, those of a loop over raw facts."""

import json
from base64 import b64decode
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.rules import Rule
from service_quality.alerts.stages import stages_of
from service_quality.commit.state_items import decode_histories
from service_quality.commit.timers import TIMER, read_timer, timer_key
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from service_quality.instants import parse_instant
from service_quality.tasks.declared_tasks import Task
from tests.oracle.bounds import RETENTION, fold_key
from tests.oracle.deadlines import nearest
from tests.oracle.entries import Reading, RulesBrought, TimeReached
from tests.oracle.leaving import LeavingMessage, leaving_messages
from tests.oracle.looks import next_look
from tests.oracle.rounds import rounds
from tests.oracle.shares import is_paused
from tests.properties.feature_sets import CHURN_OF, LEAVING, SETS, SMALL, SMALL_CHURN, SMALL_RULES
from tests.properties.naive_reader import NaiveReader
from tests.properties.online_run import batches, new_store, new_worker
from tests.properties.random_logs import RandomLog, logs, new_year_logs, readable
from tests.properties.step_check import REASONS
from tests.properties.stored_looks import looks_of
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import hashed_probability

#: What the oracle says of policies that are rejected.
OF_SETTINGS = {
    "wrong_policy": "no policy",
    "wrong_rules": "no rules",
    "other_revision": "follows another",
    "known_revision": "known before",
}
OF_FINDINGS = {
    "unknown_finding": "unknown finding",
    "unknown_subject": "unknown subject",
    "no_history": "no history",
}
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=4)


def assert_served_equals_oracle(
    store: MemoryStore, log: RandomLog, features: FeatureSet, tasks: tuple[Task, ...] = ()
) -> None:
    reader = NaiveReader(features, tasks={task.name: task.features for task in tasks})
    readings = {reading.position: reading for reading in reader.read(readable(log))}
    entries = archived_entries(store.rows, log.shop_id)
    positions = [record.position for record in log.records]
    before_the_shop = len(positions) - len(entries)  # nobody can read the first records: they found no shop
    assert [entry["position"] for entry in entries] == positions[before_the_shop:]
    assert not readings.keys() & set(positions[:before_the_shop])
    for entry in entries:
        reading = readings.get(entry["position"])
        if reading is None:
            assert entry.keys() & {"rejected", "duplicate"}, entry
            continue
        became = "accepted" if reading.became in ("corrected", "reached") else reading.became
        assert became == _became(entry), entry
        if became == "accepted":
            assert entry["clock"] == reading.clock
            served = b64decode(entry["vector"]) if "vector" in entry else None
            assert served == reading.vector, entry
            found = entry.get("tasks", {})
            assert {name: b64decode(one["vector"]) for name, one in found.items()} == reading.tasks, entry
            for name, vector in reading.tasks.items():
                assert found[name]["score"] == hashed_probability(vector), entry
    assert_findings_equal_oracle(store, log, features, reader)
    if tasks == (SMALL_CHURN,) and not any(isinstance(entry, RulesBrought) for _, entry in readable(log)):
        assert_leaving_equals_oracle(store, log, readings)


def assert_findings_equal_oracle(store: MemoryStore, log: RandomLog, features: FeatureSet, reader: NaiveReader) -> None:
    """Each stored item holds what was found about its entity, and for how long."""
    stored = {
        key: decode_histories(data, features.plan).findings
        for (shop_id, key), data in store.items.items()
        if shop_id == log.shop_id and key.startswith("customer\x1f")
    }
    assert {key: found for key, found in stored.items() if found} == reader.findings


def assert_leaving_equals_oracle(store: MemoryStore, log: RandomLog, readings: dict[str, Reading]) -> None:
    """The messages of LEAVING about each customer are those that looking back gives."""

    def score_of(reading: Reading) -> float | None:
        return hashed_probability(reading.tasks["churn"]) if "churn" in reading.tasks else None

    read = [(entry, readings[position]) for position, entry in readable(log) if position in readings]
    found: dict[str, list[tuple[str, LeavingMessage]]] = defaultdict(list)
    for (_, sequence), row in store.rows.items():
        body = json.loads(row.body) if row.row_kind == "alert" and row.shop_id == log.shop_id else {}
        if body.get("kind") == LEAVING.name:
            said = LeavingMessage(parse_instant(body["occurred_at"]), body["state"], body["severity"], body["ended_by"])
            found[f"customer\x1f{body['subject']['id']}"].append((sequence, said))
    messages = {key: [said for _, said in sorted(rows)] for key, rows in found.items()}
    assert messages == leaving_messages(read, score_of)


def assert_timers_equal_oracle(store: MemoryStore, log: RandomLog, rules: tuple[Rule, ...]) -> None:
    """The pending row of every conversation rings at its nearest deadline by what the log had at its last change.

    Timers of a shop with rules of its own are judged in the simulation. A row whose conversation is forgotten may stay
    behind: its deadline is so old that nothing rings it.
    """
    if any(isinstance(entry, RulesBrought) for _, entry in readable(log)):
        return
    stages = [stage.name for stage in stages_of(rules)]
    reader = NaiveReader(FeatureSet(()), scores=False)
    clocks = clocks_by_contact(reader, log)
    pending = {key: row for (key, _), row in store.rows.items() if row.row_kind == TIMER}
    for name, contact in reader.contacts.items():
        of, _, conversation_id = name.partition("\x1f")
        row = pending.pop(timer_key(log.shop_id, conversation_id), None) if of == "contact" else None
        timer = None if row is None else read_timer(log.shop_id, row.body)
        story = reader.story(contact.events)
        stored = store.items.get((log.shop_id, name))
        number = len(rounds(story))
        pauses = bool(number) and is_paused(story)
        looks = [] if stored is None else looks_of(stored, log.shop_id, rules, number, pauses=pauses)
        clock, received_clock = clocks.get(name, (0, 0))
        look = next_look(story, looks, clock=clock, received_clock=received_clock)
        due = (nearest(story, stages, contact.reached), look)
        expected = min((one for one in due if one is not None), default=None)
        if timer is not None and expected is None and timer.deadline.due_at < reader.received_clock - RETENTION:
            continue
        assert (timer and tuple(timer.deadline)) == (expected and tuple(expected)), name
    assert not pending


def clocks_by_contact(reader: NaiveReader, log: RandomLog) -> dict[str, tuple[int, int]]:
    """The clocks of the log where each contact changed last, as the reader reads it."""
    found = {}
    for position, entry in readable(log):
        became = [reading.became for reading in reader.read([(position, entry)])]
        if became[0] in ("accepted", "corrected", "reached") and isinstance(entry, InteractionEvent | TimeReached):
            key = f"contact\x1f{entry.conversation_id}" if isinstance(entry, TimeReached) else fold_key(entry)
            found[key] = (reader.clock, reader.received_clock)
    return found


def _became(entry: dict) -> str:
    for unchanged in ("duplicate", "silent"):
        if entry.get(unchanged):
            return unchanged
    return {**REASONS, **OF_SETTINGS, **OF_FINDINGS}[entry["rejected"]] if "rejected" in entry else "accepted"


def serve(
    log: RandomLog,
    sizes: list[int],
    features: FeatureSet,
    rules: tuple[Rule, ...],
    *,
    cold: bool,
    tasks: tuple[Task, ...] = (),
) -> MemoryStore:
    store = new_store(log)
    worker = new_worker(store, features, rules, tasks=tasks)
    for batch in batches(log.records, sizes):
        worker = new_worker(store, features, rules, tasks=tasks) if cold else worker
        worker.advance_shop(log.shop_id, batch)
    return store


def check(name: str, *, examples: int, most: int) -> None:
    features, rules = SETS[name]
    tasks = (CHURN_OF[name],)

    @settings(max_examples=examples)
    @given(logs(features, most=most), SIZES, st.booleans())
    def property_holds(log: RandomLog, sizes: list[int], cold: bool) -> None:
        store = serve(log, sizes, features, rules, cold=cold, tasks=tasks)
        assert_served_equals_oracle(store, log, features, tasks)
        assert_timers_equal_oracle(store, log, rules)

    property_holds()


@pytest.mark.parametrize(("name", "examples"), [("small", 50), ("in service", 20)])
def test_served_vectors_equal_the_oracle(name, examples):
    check(name, examples=examples, most=30)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "examples"), [("small", 300), ("in service", 80)])
def test_served_vectors_equal_the_oracle_on_longer_logs(name, examples):
    check(name, examples=examples, most=80)


@settings(max_examples=30)
@given(new_year_logs(SMALL, most=40), SIZES)
def test_served_vectors_and_timers_equal_the_oracle_under_policies(log: RandomLog, sizes: list[int]):
    store = serve(log, sizes, SMALL, SMALL_RULES, cold=False)

    assert_served_equals_oracle(store, log, SMALL)
    assert_timers_equal_oracle(store, log, SMALL_RULES)


@settings(max_examples=15)
@given(st.data(), SIZES)
def test_shops_do_not_touch_each_other(data, sizes):
    features, rules = SETS["small"]
    several = [data.draw(logs(features, most=15, shop_id=shop_id)) for shop_id in ("a", "b")]
    store = new_store(*several)
    worker = new_worker(store, features, rules)

    ahead = [batches(log.records, sizes) for log in several]
    while any(ahead):
        for log, left in zip(several, ahead, strict=True):
            if left:
                worker.advance_shop(log.shop_id, left.pop(0))

    for log in several:
        assert_served_equals_oracle(store, log, features)
