"""A past's items are what the functions would have stored, byte for byte."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings

from service_quality.commit.state_items import (
    HistoryItem,
    decode_conversation,
    decode_histories,
    decode_pack,
    decode_shop,
    encode_conversation,
    encode_histories,
    entity_name,
    pack_key,
)
from service_quality.conversations.conversation import REMEMBERED
from service_quality.conversations.turns import read_standing
from service_quality.events.interaction_event import InteractionEvent, event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_facts import Fact, total_facts
from service_quality.facts.entities import home_key
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.histories.history import build_history
from service_quality.instants import DAY
from tests.parity.past_items import bucket_of, history_items, materialize
from tests.parity.spark_reader import past_of
from tests.properties.feature_sets import SMALL
from tests.properties.online_run import new_store, new_worker, readable
from tests.properties.random_logs import RandomLog, logs

START = 19_600 * DAY
SETS = {"small": SMALL, "in service": FEATURES}


def events_of(log: RandomLog) -> list[InteractionEvent]:
    """The log's events once each, in order of time."""
    events = {entry.event_id: entry for _, entry in readable(log) if isinstance(entry, InteractionEvent)}
    at_once = [replace(event, received_at=event.occurred_at) for event in events.values()]
    return sorted(at_once, key=lambda event: (event.occurred_at, event.kind == "rated", event.event_id))


def stored_online(events: list[InteractionEvent], features: FeatureSet) -> dict[str, bytes]:
    """What the online commit holds after the events, alerts aside, and what has left by the last clock gone."""
    store = new_store()
    records = [
        LogRecord(str(Position(1, number)), event_to_json(event), event.received_at)
        for number, event in enumerate(events)
    ]
    new_worker(store, features, ()).advance_shop("shop", records)
    shop = decode_shop(store.shops["shop"])
    items: dict[str, bytes] = {}
    for (_, key), data in store.items.items():
        if entity_name(key) in ("contact", "visit"):
            item = decode_conversation(data, "shop")
            if shop.received_clock - item.conversation.touched_at <= REMEMBERED:
                items[key] = encode_conversation(item)
            continue
        histories = decode_histories(data, features.plan).histories
        for history in histories.values():
            history.settle(shop.clock)
        held = {name: history for name, history in histories.items() if not history.empty}
        if held:
            items[key] = encode_histories(HistoryItem(held))
    return items


@pytest.mark.parametrize(("name", "examples"), [("small", 20), ("in service", 5)])
def test_items_are_what_the_functions_would_have_stored(name, examples):
    features = SETS[name]

    @settings(max_examples=examples, deadline=None)
    @given(logs(features, most=30))
    def same_bytes(log: RandomLog) -> None:
        events = events_of(log)
        if events:
            assert materialize(events, features).items == stored_online(events, features)

    same_bytes()


@settings(max_examples=20, deadline=None)
@given(logs(SMALL, most=30))
def test_histories_are_what_the_core_builds_of_the_same_facts(log):
    for backfill in log.backfills.values():
        clock = backfill.mark.clock
        facts: dict[str, list[Fact]] = defaultdict(list)
        for conversation in backfill.folded:
            totals = total_facts(conversation, read_standing(conversation), SMALL.plan.kept)
            for (key, at, name), value in totals.items():
                facts[key].append(Fact(key, at, name, value))
        homes: dict[str, HistoryItem] = defaultdict(HistoryItem)
        for key, own in facts.items():
            history = build_history(own, SMALL.plan.windows[entity_name(key)], clock=clock)
            if not history.empty:
                homes[home_key(key)].histories[key] = history

        found = history_items(past_of(backfill, SMALL).facts, SMALL, shop_id="shop", clock=clock)

        assert {row["key"]: row["data"] for row in found} == {
            key: encode_histories(item) for key, item in homes.items()
        }
        assert [row["key"] for row in found] == sorted(homes)


def test_no_facts_make_no_items():
    assert history_items([], SMALL, shop_id="shop", clock=START) == []


@pytest.mark.parametrize("buckets", [1, 3, 64])
def test_every_item_lies_in_the_pack_that_the_functions_look_into(buckets):
    opened = InteractionEvent(
        event_id="e1", shop_id="shop", kind="conversation_opened", occurred_at=START, received_at=START,
        conversation_id="c1", agent_id="小美", customer_id="zoë", category="returns",
    )  # fmt: skip

    past = materialize([opened], FEATURES, buckets=buckets)

    assert f"agent\x1f{opened.agent_id}" in past.items
    for key, data in past.items.items():
        pack = pack_key(past.mark.import_id, key, buckets)
        assert pack.endswith(f"\x1f{bucket_of(key, buckets)}")
        assert decode_pack(past.packs[pack])[key] == data
