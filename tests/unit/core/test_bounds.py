"""Bounds in bytes: with any events in any order, a table takes every item and transaction."""

import json
import zlib
from random import Random

import pytest

from service_quality.commit import transaction_builder
from service_quality.commit.online_commit import OnlineCommit
from service_quality.conversations.conversation import EMPTY, MAX_BYTES, MAX_EVENTS, RESERVED_EVENTS, advance, size_of
from service_quality.errors import RejectedEventError
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import DECISIVE
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.declarations import FeatureSet, Total
from service_quality.features.feature_set import FEATURES
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import event

MOST_ITEM_BYTES, MOST_TRANSACTION_BYTES = 400_000, 4_000_000
WIDE = "\U0001f600"  # four bytes a character
FIELDS = ("supervisor_id", "manager_id", "agent_tenure", "agent_shift", "category", "subcategory", "product", "channel")


def log_of(*events: InteractionEvent) -> list[LogRecord]:
    return [
        LogRecord(str(Position(1, number)), event_to_json(one), one.received_at) for number, one in enumerate(events)
    ]


def fold(store: MemoryStore, *events: InteractionEvent, features: FeatureSet = FEATURES) -> list[str]:
    """The outcome of each event; the store itself refuses a write that no table would take."""
    OnlineCommit(store, FixedScorer, features, ()).advance_shop("shop", log_of(*events))
    return [entry.get("rejected", "accepted") for entry in archived_entries(store.rows, "shop")]


def wide(random: Random, length: int = 128) -> str:
    """Text that takes the most bytes and does not compress."""
    return "".join(chr(0x20000 + random.randrange(40_000)) for _ in range(length))


def search(number: int, customer: str, query: str) -> InteractionEvent:
    given = {"event_id": f"s{number}", "conversation_id": None, "customer_id": customer, "query": query}
    return event("searched", number, **given)


def test_state_holds_no_words_of_a_customer():
    store = MemoryStore()

    fold(store, event("customer_message", 0, text="where-is-my-parcel"), search(1, "zoe", "blue-lamp"))

    stored = b"".join(data if data[:1] in b"[{" else zlib.decompress(data) for data in store.items.values())
    assert b"where-is-my-parcel" not in stored
    assert b"blue-lamp" not in stored


def test_searches_of_the_longest_queries_make_no_item_larger():
    store = MemoryStore()

    outcome = fold(store, *(search(number, "zoe", WIDE * 8_000) for number in range(25)))

    assert outcome == ["accepted"] * 25
    assert max(map(len, store.items.values())) < 20_000


def test_many_customers_with_long_searches_fit_into_transactions():
    store = MemoryStore()
    searches = [search(number, f"c{number % 25}", "q" * 8_000) for number in range(25 * 31)]

    assert fold(store, *searches) == ["accepted"] * len(searches)
    assert fold(store, *searches, *(search(1_000 + n, f"c{n}", "small") for n in range(25)))[-25:] == ["accepted"] * 25


@pytest.mark.parametrize("shuffled", [False, True])
def test_hostile_ids_never_make_an_item_that_no_table_takes(shuffled):
    random = Random(7)
    store = MemoryStore()
    events = [
        event(
            "customer_message",
            number,
            **{name: wide(random) for name in FIELDS},
            event_id=wide(random, 120) + str(number),
        )
        for number in range(120)
    ]
    if shuffled:
        random.shuffle(events)

    outcome = fold(store, *events)

    assert set(outcome) <= {"accepted", "conversation_full", "item_full"}
    assert outcome.count("accepted") > 20
    assert max(map(len, store.items.values())) <= MOST_ITEM_BYTES


def test_size_of_a_conversation_is_never_less_than_its_stored_form():
    random = Random(3)
    folded = EMPTY
    for number in range(60):
        fields = {name: random.choice((wide(random, 40), '"' * 90, "\\" * 90, "plain")) for name in FIELDS}
        folded = advance(folded, event("agent_message", number, **fields, amount_minor=10**12), received_clock=1)

    from service_quality.commit.state_items import _event_to_stored

    stored = json.dumps([_event_to_stored(one) for one in folded.events], ensure_ascii=False, separators=(",", ":"))
    assert len(stored.encode()) <= size_of(folded) <= 2.5 * len(stored.encode())


def test_size_is_the_same_however_a_conversation_came_about():
    events = [event("customer_message", number, category="c" * 100) for number in range(80)]
    forward, backward = EMPTY, EMPTY
    for one in events:
        forward = advance(forward, one, received_clock=1)
    for one in reversed(events):
        backward = advance(backward, one, received_clock=1)

    assert size_of(forward) == size_of(backward) == sum(size_of(advance(EMPTY, one)) for one in events)


@pytest.mark.parametrize("kind", sorted(DECISIVE))
def test_full_conversation_still_takes_what_decides_it(kind):
    given = {"customer_id": "zoe", "order_id": "o1", "rating": 1 if kind == "rated" else None}
    visit = kind.startswith("order")
    filler = "page_viewed" if visit else "customer_message"
    of = {"conversation_id": None} if visit else {}
    full = EMPTY
    for number in range(MAX_EVENTS):
        full = advance(full, event(filler, number, customer_id="zoe", **of), received_clock=1)

    taken = advance(full, event(kind, MAX_EVENTS, **(given | of)), received_clock=1)

    assert len(taken.events) == MAX_EVENTS + 1
    with pytest.raises(RejectedEventError, match="conversation of 500 events"):
        advance(full, event(filler, MAX_EVENTS, customer_id="zoe", **of), received_clock=1)


def test_room_that_is_kept_for_orders_is_bounded_too():
    full = EMPTY
    for number in range(MAX_EVENTS + RESERVED_EVENTS):
        order = event("order_placed", number, conversation_id=None, customer_id="zoe", order_id=f"o{number}")
        full = advance(full, order, received_clock=1)

    with pytest.raises(RejectedEventError) as rejected:
        advance(full, event("order_placed", 999, conversation_id=None, customer_id="zoe", order_id="o"))

    assert rejected.value.reason == "conversation_full"


def test_order_is_taken_after_visits_of_long_ids_have_filled_the_bytes():
    full = EMPTY
    with pytest.raises(RejectedEventError):  # noqa: PT012  # which view it is does not matter
        for number in range(MAX_EVENTS):
            view = {"sku": WIDE * 128, "category": WIDE * 128, "product": WIDE * 128, "customer_id": "zoe"}
            full = advance(full, event("page_viewed", number, conversation_id=None, **view), received_clock=1)

    taken = advance(full, event("order_placed", 900, conversation_id=None, customer_id="zoe", order_id="o1"))

    assert len(taken.events) == len(full.events) + 1
    assert size_of(full) <= MAX_BYTES


def test_item_that_grows_beyond_a_table_within_a_transaction_costs_only_the_event_that_grows_it(monkeypatch):
    monkeypatch.setattr(transaction_builder, "MAX_ITEM_BYTES", 4_000)
    random = Random(1)
    store = MemoryStore()
    features = FeatureSet((Total("agent_category", "replies", "1d"),))
    turns = [
        one
        for number in range(90)
        for one in (
            event("customer_message", 2 * number, conversation_id=f"c{number}", category=wide(random, 30)),
            event("agent_message", 2 * number + 1, conversation_id=f"c{number}"),
        )
    ]
    other = event("customer_message", 500, conversation_id="other")

    outcome = fold(store, *turns, other, features=features)

    assert "item_full" in outcome
    assert outcome.count("accepted") > 90
    assert outcome[-1] == "accepted"
    assert max(len(data) for commit in store.commits for data in commit.items.values()) <= 4_000
    assert {stored.reason for stored in store.rejected.values()} == {"item_full"}


def test_transaction_that_grows_beyond_a_table_is_cut_into_smaller_ones(monkeypatch):
    monkeypatch.setattr(transaction_builder, "MAX_TRANSACTION_BYTES", 60_000)
    random = Random(2)
    store = MemoryStore()
    events = [
        event("customer_message", number, conversation_id=f"c{number}", category=wide(random), product=wide(random))
        for number in range(90)
    ]

    outcome = fold(store, *events)

    assert outcome == ["accepted"] * 90
    assert len(store.commits) > 2
    sizes = [sum(map(len, one.items.values())) + sum(len(row.body) for row in one.rows) for one in store.commits]
    assert max(sizes) <= 60_000


def test_what_is_known_of_sizes_cuts_a_transaction_before_it_is_made():
    store = MemoryStore()
    heavy = [
        event(
            "page_viewed",
            40 * c + n,
            conversation_id=None,
            customer_id=f"c{c}",
            sku=wide(Random(c * 99 + n)),
            category=wide(Random(n)),
        )
        for c in range(25)
        for n in range(40)
    ]
    fold(store, *heavy)
    light = [event("page_viewed", 2_000 + c, conversation_id=None, customer_id=f"c{c}") for c in range(25)]

    assert fold(store, *heavy, *light)[-25:] == ["accepted"] * 25
    sizes = [sum(map(len, one.items.values())) + sum(len(row.body) for row in one.rows) for one in store.commits]
    assert max(sizes) <= MOST_TRANSACTION_BYTES
