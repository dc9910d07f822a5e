"""Stored items read back equal, and equal items have equal bytes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_quality.alerts.alert_state import AlertState
from service_quality.alerts.looks import Held, Stretch
from service_quality.commit.listed_import import MAX_IMPORTS, MOST_DONE_IMPORTS, Import
from service_quality.commit.shop_item import ShopItem, decode_shop, encode_shop
from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    carry_alerts,
    decode_conversation,
    decode_histories,
    decode_pack,
    decode_part,
    encode_conversation,
    encode_histories,
    encode_pack,
    encode_part,
    pack_key,
)
from service_quality.commit.stored_json import pack, unpack
from service_quality.conversations.conversation import Conversation, Reached, advance
from service_quality.conversations.imported_part import ImportedPart
from service_quality.conversations.wait_stages import Deadline
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import HistoryImported
from service_quality.facts.conversation_facts import Fact
from service_quality.histories.history import HistoryPlan, build_history
from service_quality.instants import DAY
from tests.properties.random_logs import LARGEST, START, Choices, random_event
from tests.unit.core.sample_events import NOON, conversation, event

STATE = AlertState(
    severity="warning", open=True, opened_at=1, sent_at=2, said="info", sequence=3, repeats=4, silent=True, round=5
)
PLAN = HistoryPlan({"agent": {"1h": ("replies",), "1d": ("contacts", "replies")}})


def test_shop_comes_back():
    imports = (Import("i1", 3, 5, 0, 8, 9), Import("i2", 1, 2, 3, 10, 11))
    item = ShopItem(7, "1.abc", 10, 11, "0001-5", imports, ("i0",))

    assert decode_shop(encode_shop(item)) == item
    assert decode_shop(encode_shop(ShopItem())) == ShopItem()


def test_part_of_an_import_comes_back():
    held, new = event("customer_message", 0), event("agent_message", 5)
    rated, rated_otherwise = event("rated", 9, rating=5), event("rated", 9, rating=1)
    part = ImportedPart(conversation(held, rated), conversation(held, new, rated_otherwise))

    assert decode_part(encode_part(part), "shop") == part
    assert len(encode_part(part)) < 1.5 * len(encode_conversation(ConversationItem(part.after)))


#: Two events of an import, then three of the log, which did not arrive in order of time.
ARRIVED = Conversation(
    (
        event("conversation_opened", -9, event_id="i1"),
        event("agent_message", 9, event_id="i2"),
        event("internal_note", 7, event_id="z"),
        event("rated", 8, rating=5, event_id="b"),
        event("customer_message", 3, event_id="a"),
    ),
    touched_at=NOON + DAY,
    imported=2,
)


def test_order_of_arrival_comes_back_in_conversations_and_parts():
    held = advance(ARRIVED, event("internal_note", -20, event_id="last", text="Looked at it."))
    item = ConversationItem(held)
    part = ImportedPart(replace(ARRIVED, imported=1, events=(*reversed(ARRIVED.events[:4]),)), held)

    assert [one.event_id for one in held.events] == ["i1", "i2", "z", "b", "a", "last"]
    assert decode_conversation(encode_conversation(item), "shop") == item
    assert decode_part(encode_part(part), "shop") == part
    assert held.events[5].text_digest is not None


def test_stored_form_of_a_conversation_says_how_many_events_came_by_imports_and_holds_all_as_they_arrived():
    held = Conversation((event("agent_message", 9), event("rated", 9, rating=5), event("customer_message", 0)), NOON, 1)

    assert unpack(encode_conversation(ConversationItem(held))) == [
        NOON,
        1,
        [
            [
                "agent_message@9",
                "agent_message",
                NOON + 9,
                NOON + 9,
                "ms",
                {"conversation_id": "c1", "agent_id": "ann"},
            ],
            ["rated@9", "rated", NOON + 9, NOON + 9, "ms", {"conversation_id": "c1", "rating": 5}],
            ["customer_message@0", "customer_message", NOON, NOON, "ms", {"conversation_id": "c1"}],
        ],
        None,
        None,
        [],
        {},
    ]


def test_stages_that_a_turn_has_reached_and_the_deadline_of_its_timer_come_back():
    reached = (Reached(1, 2, "waiting_ms:180000", NOON + 7), Reached(1, 2, "waited_share:0.75", NOON + 8))
    item = ConversationItem(replace(ARRIVED, reached=reached), timer=Deadline(NOON + 9, 1, 2, "waited_share:1"))

    stored = encode_conversation(item)

    assert decode_conversation(stored, "shop") == item
    assert unpack(stored)[4] == [
        [[1, 2, "waiting_ms:180000", NOON + 7], [1, 2, "waited_share:0.75", NOON + 8]],
        [NOON + 9, 1, 2, "waited_share:1"],
    ]


@pytest.mark.parametrize(
    "item",
    [
        ConversationItem(replace(ARRIVED, reached=(Reached(1, 1, "waiting_ms:1", NOON),))),
        ConversationItem(ARRIVED, timer=Deadline(NOON, 1, 1, "waiting_ms:1")),
    ],
)
def test_stages_come_back_without_a_timer_and_a_timer_without_stages(item):
    assert decode_conversation(encode_conversation(item), "shop") == item


def import_record(import_id: str, *, clock: int = NOON, histories: int = 1, conversations: int = 0) -> HistoryImported:
    return HistoryImported(
        shop_id="shop",
        import_id=import_id,
        clock=clock,
        buckets=1,
        histories=histories,
        conversations=conversations,
        columns=PLAN.columns,
    )


@pytest.mark.parametrize("alert_states", [{}, {"waiting": STATE}])
def test_what_has_held_comes_back_and_an_item_without_it_is_stored_as_before(alert_states):
    held = {"lingers": Held(Stretch(2, 0), {"held:1a": 5, "held:2b": 7})}
    item = ConversationItem(conversation(event("customer_message", 0)), alert_states=alert_states, held=held)
    of_agent = HistoryItem(alert_states=alert_states, held=held)

    assert decode_conversation(encode_conversation(item), "shop") == item
    assert decode_histories(encode_histories(of_agent, PLAN), PLAN) == of_agent
    without = encode_conversation(replace(item, held={}))
    assert unpack(without)[-1] == {name: list(state) for name, state in alert_states.items()}
    assert decode_conversation(carry_alerts(without, before=encode_conversation(item)), "shop") == item


def test_import_leaves_the_list_when_its_last_item_has_absorbed_it_and_its_id_stays_known():
    shop = (
        ShopItem()
        .with_import(import_record("i1", histories=2), position="1")
        .with_import(import_record("i2"), position="1")
    )

    once = shop.with_absorbed(["i1", "i2"], kind="histories")
    twice = once.with_absorbed(["i1"], kind="histories")

    assert [one.import_id for one in once.imports] == ["i1"]
    assert (twice.imports, twice.done_imports) == ((), ("i2", "i1"))
    assert twice.knows("i1")
    assert not twice.knows("i3")


def test_import_stays_listed_for_conversations_that_have_not_absorbed_it():
    shop = ShopItem().with_import(import_record("i1", conversations=1), position="1")

    absorbed = shop.with_absorbed(["i1"], kind="histories")

    assert absorbed.imports
    assert not absorbed.with_absorbed(["i1"], kind="conversations").imports


def test_import_without_items_is_done_at_once():
    shop = ShopItem().with_import(import_record("i1", histories=0), position="1")

    assert (shop.imports, shop.done_imports, shop.clock) == ((), ("i1",), NOON)


@pytest.mark.parametrize(
    ("counts", "days"),
    [({"histories": 1}, 372), ({"histories": 0, "conversations": 1}, 32)],
    ids=str,
)
def test_import_leaves_the_list_when_no_window_and_no_retention_reaches_it(counts, days):
    shop = ShopItem().with_import(import_record("i1", **counts), position="1")

    within = shop.after(event("customer_message", (days - 1) * DAY))
    beyond = within.after(event("customer_message", days * DAY))

    assert within.imports
    assert (beyond.imports, beyond.done_imports) == ((), ("i1",))


def test_shop_that_has_too_many_imports_to_absorb_takes_no_further_one():
    shop = ShopItem()
    for number in range(MAX_IMPORTS):
        shop = shop.with_import(import_record(f"i{number}"), position="1")

    with pytest.raises(RejectedEventError, match=f"found {MAX_IMPORTS} imports that are not absorbed yet"):
        shop.with_import(import_record("one more"), position="1")
    assert (
        shop.with_absorbed(["i7"], kind="histories")
        .with_import(import_record("one more"), position="1")
        .knows("one more")
    )


def test_ids_of_imports_that_are_done_are_bounded_the_latest_stay():
    shop = ShopItem()
    for number in range(MOST_DONE_IMPORTS + 2):
        shop = shop.with_import(import_record(f"i{number}", histories=0), position="1")

    assert shop.done_imports == tuple(f"i{number}" for number in range(2, MOST_DONE_IMPORTS + 2))


@given(st.lists(st.integers(0, LARGEST - 1), max_size=3))
def test_conversation_comes_back_without_texts(numbers):
    events = [
        random_event(Choices(number), f"e{index}", shop_id="shop", now=START) for index, number in enumerate(numbers)
    ]
    item = ConversationItem(conversation(*events), ("i1",), {"high_risk": STATE})

    assert decode_conversation(encode_conversation(item), "shop") == item


def test_histories_come_back():
    history = build_history([Fact("agent\x1fann", NOON, "replies", 2)], PLAN.windows["agent"], clock=NOON)
    item = HistoryItem({"agent\x1fann": history}, ("i1", "i2"), {"agent_risk": STATE})

    back = decode_histories(encode_histories(item, PLAN), PLAN)

    assert encode_histories(back, PLAN) == encode_histories(item, PLAN)
    assert back.histories["agent\x1fann"].get("1d", "replies", clock=NOON) == 2
    assert (back.absorbed, back.alert_states) == (item.absorbed, item.alert_states)


def test_order_of_entering_does_not_show_in_the_bytes():
    one, other = AlertState("info", True, 1, 1, "info"), STATE
    items = [
        HistoryItem(alert_states=alert_states) for alert_states in ({"a": one, "b": other}, {"b": other, "a": one})
    ]

    assert encode_histories(items[0], PLAN) == encode_histories(items[1], PLAN)


def test_empty_conversation_comes_back():
    assert decode_conversation(encode_conversation(ConversationItem()), "shop").conversation == Conversation()


def test_pack_comes_back_and_every_key_has_one_bucket():
    items = {"agent\x1fann": b"\x00\xff", "contact\x1fc1": b""}

    assert decode_pack(encode_pack(items)) == items
    assert encode_pack(items) == encode_pack(dict(reversed(items.items())))
    assert {pack_key("i1", key, 1) for key in items} == {"import\x1fi1\x1f0"}


def test_fields_of_a_later_release_are_left_out():
    stored = unpack(encode_conversation(ConversationItem(Conversation((event("customer_message", 0, event_id="e"),)))))
    stored[2][0][5]["mood"] = "curious"

    found = decode_conversation(pack(stored), "shop")

    assert [one.event_id for one in found.conversation.events] == ["e"]
