"""The vectors of the online commit equal, bit for bit, those of a loop over raw facts."""

from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.rules import Rule
from service_quality.alerts.stages import stages_of
from service_quality.commit.timers import TIMER, read_timer, timer_key
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.declarations import FeatureSet
from tests.oracle.bounds import RETENTION, fold_key
from tests.oracle.deadlines import nearest
from tests.oracle.entries import RulesBrought, TimeReached
from tests.oracle.looks import next_look
from tests.oracle.rounds import rounds
from tests.oracle.shares import is_paused
from tests.properties.feature_sets import SETS, SMALL, SMALL_RULES
from tests.properties.naive_reader import NaiveReader
from tests.properties.online_run import batches, new_store, new_worker
from tests.properties.random_logs import RandomLog, logs, new_year_logs, readable
from tests.properties.step_check import REASONS
from tests.properties.stored_looks import looks_of
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.memory_store import MemoryStore

#: What the oracle says of policies that are rejected.
OF_SETTINGS = {
    "wrong_policy": "no policy",
    "wrong_rules": "no rules",
    "other_revision": "follows another",
    "known_revision": "known before",
}
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=4)


def assert_served_equals_oracle(store: MemoryStore, log: RandomLog, features: FeatureSet) -> None:
    readings = {reading.position: reading for reading in NaiveReader(features).read(readable(log))}
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
    return {**REASONS, **OF_SETTINGS}[entry["rejected"]] if "rejected" in entry else "accepted"


def serve(
    log: RandomLog, sizes: list[int], features: FeatureSet, rules: tuple[Rule, ...], *, cold: bool
) -> MemoryStore:
    store = new_store(log)
    worker = new_worker(store, features, rules)
    for batch in batches(log.records, sizes):
        worker = new_worker(store, features, rules) if cold else worker
        worker.advance_shop(log.shop_id, batch)
    return store


def check(name: str, *, examples: int, most: int) -> None:
    features, rules = SETS[name]

    @settings(max_examples=examples)
    @given(logs(features, most=most), SIZES, st.booleans())
    def property_holds(log: RandomLog, sizes: list[int], cold: bool) -> None:
        store = serve(log, sizes, features, rules, cold=cold)
        assert_served_equals_oracle(store, log, features)
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
