"""A past's items are what the functions would have stored, byte for byte."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings

from service_quality.commit.shop_item import decode_shop
from service_quality.commit.state_items import (
    HistoryItem,
    decode_conversation,
    decode_histories,
    decode_pack,
    decode_part,
    encode_histories,
    entity_name,
    pack_key,
)
from service_quality.conversations.conversation import (
    CONVERSATION_RETENTION,
    EMPTY,
    Conversation,
    advance,
    conversation_key,
    in_time,
)
from service_quality.conversations.imported_part import ImportedPart
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.facts.conversation_facts import Fact, KeptFacts
from service_quality.facts.entities import item_key_of
from service_quality.facts.import_fold import fold_import
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.histories.history import build_history
from service_quality.instants import DAY
from spark_jobs.logs.folding import whole_facts
from tests.parity.past_items import bucket_of, history_items, materialize, materialize_items
from tests.properties.feature_sets import SMALL
from tests.properties.online_run import new_store, new_worker
from tests.properties.random_logs import RandomLog, logs, readable

START = 19_600 * DAY
SETS = {"small": SMALL, "in service": FEATURES}


def events_of(log: RandomLog) -> list[InteractionEvent]:
    """The log's events once each, in order of time, and their sequences in that order.

    At one instant an import is read by kind before sequence, and a log by sequence alone (docs/conversations.md): only
    where these agree, both are to store the same.
    """
    events = {entry.event_id: entry for _, entry in readable(log) if isinstance(entry, InteractionEvent)}
    at_once = sorted((replace(event, received_at=event.occurred_at) for event in events.values()), key=log_order)
    return [
        event if event.sequence is None else replace(event, sequence=number) for number, event in enumerate(at_once)
    ]


def stored_online(
    events: list[InteractionEvent], features: FeatureSet
) -> tuple[dict[str, bytes], dict[str, Conversation]]:
    """The histories and conversations that the online commit holds after the events, alerts aside, and what has left
    by the last clock gone."""
    store = new_store()
    records = [
        LogRecord(str(Position(1, number)), event_to_json(event), event.received_at)
        for number, event in enumerate(events)
    ]
    new_worker(store, features, ()).advance_shop("shop", records)
    shop = decode_shop(store.shops["shop"])
    items: dict[str, bytes] = {}
    conversations: dict[str, Conversation] = {}
    for (_, key), data in store.items.items():
        if entity_name(key) in ("contact", "visit", "count"):
            item = decode_conversation(data, "shop")
            if shop.received_clock - item.conversation.touched_at <= CONVERSATION_RETENTION:
                conversations[key] = item.conversation
            continue
        histories = decode_histories(data, features.plan).histories
        for history in histories.values():
            history.settle(shop.clock)
        held = {name: history for name, history in histories.items() if not history.empty}
        if held:
            items[key] = encode_histories(HistoryItem(held), features.plan)
    return items, conversations


def as_imported(conversation: Conversation) -> Conversation:
    """The same conversation with all its events from an import."""
    events = tuple(sorted(conversation.events, key=in_time))
    return replace(conversation, events=events, imported=len(events))


@pytest.mark.parametrize(("name", "examples"), [("small", 20), ("in service", 5)])
def test_items_are_what_the_functions_would_have_stored(name, examples):
    features = SETS[name]

    @settings(max_examples=examples)
    @given(logs(features, most=30))
    def same_bytes(log: RandomLog) -> None:
        events = events_of(log)
        if events:
            histories, parts = materialize_items(events, features)
            items, conversations = stored_online(events, features)
            assert histories == items
            assert {key: decode_part(data, "shop") for key, data in parts.items()} == {
                key: ImportedPart(EMPTY, as_imported(conversation)) for key, conversation in conversations.items()
            }

    same_bytes()


def difference_import(events: list[InteractionEvent], kept: KeptFacts) -> list[Fact]:
    """The facts of an import of every second event of each conversation, beside the others."""
    held: dict[str, Conversation] = defaultdict(lambda: EMPTY)
    new: dict[str, list[InteractionEvent]] = defaultdict(list)
    for number, event in enumerate(events):
        key = conversation_key(event)
        if number % 2:
            new[key].append(event)
        else:
            held[key] = advance(held[key], event, received_clock=event.occurred_at)
    return [fact for key, own in new.items() for fact in fold_import(held[key], own, kept=kept).facts]


@settings(max_examples=20)
@given(logs(SMALL, most=30))
def test_histories_are_what_the_core_builds_of_the_same_facts(log):
    events = events_of(log)
    assume(events)
    clock = events[-1].occurred_at
    items: dict[str, HistoryItem] = defaultdict(HistoryItem)
    own: dict[str, list[Fact]] = defaultdict(list)
    for fact in difference_import(events, SMALL.plan.kept):
        own[fact.key].append(fact)
    for key, facts in own.items():
        history = build_history(facts, SMALL.plan.windows[entity_name(key)], clock=clock)
        if not history.empty:
            items[item_key_of(key)].histories[key] = history

    whole = difference_import(events, whole_facts(SMALL))
    rows = [{"attributes": fact.key, "at": fact.at, "name": fact.name, "value": fact.value} for fact in whole]
    found = history_items(rows, SMALL, shop_id="shop", clock=clock)

    assert {row["key"]: row["data"] for row in found} == {
        key: encode_histories(item, SMALL.plan) for key, item in items.items()
    }
    assert [row["key"] for row in found] == sorted(items)


def test_no_facts_make_no_items():
    assert history_items([], SMALL, shop_id="shop", clock=START) == []


@pytest.mark.parametrize("buckets", [1, 3, 64])
def test_every_item_lies_in_the_pack_that_the_functions_look_into(buckets):
    opened = InteractionEvent(
        event_id="e1", shop_id="shop", kind="conversation_opened", occurred_at=START, received_at=START,
        conversation_id="c1", agent_id="小美", customer_id="zoë", category="returns",
    )  # fmt: skip

    past = materialize([opened], FEATURES, buckets=buckets)

    histories, parts = materialize_items([opened], FEATURES)
    assert f"agent\x1f{opened.agent_id}" in histories
    for key, data in {**histories, **parts}.items():
        pack = pack_key(past.import_record.import_id, key, buckets)
        assert pack.endswith(f"\x1f{bucket_of(key, buckets)}")
        assert decode_pack(past.packs[pack])[key] == data
