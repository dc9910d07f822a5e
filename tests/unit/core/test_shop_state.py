"""The state of a shop: read once, imports absorbed once, changes taken once."""

import zlib

import pytest

from service_quality.commit.listed_import import Import
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.shop_state import ShopState
from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    decode_histories,
    encode_histories,
    encode_pack,
    encode_part,
    pack_key,
)
from service_quality.conversations.conversation import EMPTY
from service_quality.conversations.imported_part import ImportedPart
from service_quality.facts.conversation_facts import Fact
from service_quality.histories.history import HistoryPlan, build_history
from tests.unit.core.sample_events import NOON, conversation, event

PLAN = HistoryPlan({"agent": {"1d": ("replies",)}, "agent_category": {"1d": ("replies",)}})
ANN, ANN_RETURNS = "agent\x1fann", "agent_category\x1fann\x1freturns"
CONTACT = "contact\x1fc1"


def histories(**replies: int) -> bytes:
    keys = {"ann": ANN, "ann_returns": ANN_RETURNS}
    return encode_histories(
        HistoryItem(
            {
                keys[name]: build_history([Fact(keys[name], NOON, "replies", value)], PLAN.windows["agent"], clock=NOON)
                for name, value in replies.items()
            }
        ),
        PLAN,
    )


class Table:
    """Stored items, and how often they were asked for."""

    def __init__(self, items: dict[str, bytes]) -> None:
        self.items = items
        self.asked: list[list[str]] = []

    def read(self, keys: list[str]) -> dict[str, bytes]:
        self.asked.append(keys)
        return {key: self.items[key] for key in keys if key in self.items}


def an_import(import_id: str, buckets: int = 1, *, histories: int = 2, conversations: int = 2) -> Import:
    return Import(import_id, buckets, histories, conversations, NOON, NOON)


def pack_of(part: ImportedPart) -> bytes:
    return encode_pack({CONTACT: encode_part(part)})


def state(*imports: Import) -> ShopState:
    return ShopState("shop", ShopItem(version=1, clock=NOON, imports=imports), PLAN)


def replies(held: ShopState, key: str) -> int:
    history = held.history(key)
    return 0 if history is None else history.get("1d", "replies", clock=NOON)


def test_item_is_read_once():
    table, held = Table({ANN: histories(ann=2)}), state()

    held.load({ANN}, table.read)
    held.load({ANN}, table.read)

    assert replies(held, ANN) == 2
    assert table.asked == [[ANN]]


def test_import_adds_to_what_was_stored_and_to_what_was_not():
    pack = pack_key("i1", ANN, 1)
    table = Table({ANN: histories(ann=2), pack: encode_pack({ANN: histories(ann=5, ann_returns=3)})})
    held = state(an_import("i1"))

    held.load({ANN}, table.read)

    assert (replies(held, ANN), replies(held, ANN_RETURNS)) == (7, 3)


def test_import_is_absorbed_once_over_a_round_of_storing():
    table = Table({pack_key("i1", ANN, 1): encode_pack({ANN: histories(ann=5)})})
    held = state(an_import("i1"))
    held.load({ANN}, table.read)
    held.history_to_change(ANN).update(Fact(ANN, NOON, "replies", 1), clock=NOON)
    table.items |= held.take_changes()

    again = state(an_import("i1"))
    again.load({ANN}, table.read)

    assert replies(again, ANN) == 6
    assert decode_histories(table.items[ANN], PLAN).absorbed == ("i1",)


def test_two_imports_are_both_absorbed():
    table = Table(
        {
            pack_key("i1", ANN, 1): encode_pack({ANN: histories(ann=5)}),
            pack_key("i2", ANN, 4): encode_pack({ANN: histories(ann=7)}),
        }
    )
    held = state(an_import("i1"), an_import("i2", 4))

    held.load({ANN}, table.read)
    held.touch(ANN)

    assert replies(held, ANN) == 12
    assert held.histories[ANN].absorbed == ("i1", "i2")


def test_import_without_a_pack_for_the_item_changes_nothing():
    held = state(an_import("i1"))

    held.load({ANN, CONTACT}, Table({}).read)

    assert replies(held, ANN) == 0
    assert not held.imported(CONTACT)


def test_imported_part_waits_until_the_conversation_changes():
    part = ImportedPart(EMPTY, conversation(event("customer_message", 0)))
    held = state(an_import("i1"))

    held.load({CONTACT}, Table({pack_key("i1", CONTACT, 1): pack_of(part)}).read)

    assert held.imported(CONTACT) == (part,)
    held.keep_conversation(CONTACT, ConversationItem(part.after))
    assert held.imported(CONTACT) == ()
    assert held.conversation(CONTACT).absorbed == ("i1",)


def test_parts_of_several_imports_come_in_the_order_of_their_import_records():
    one, other = (ImportedPart(EMPTY, conversation(event("customer_message", at))) for at in (0, 1))
    packs = {pack_key("i2", CONTACT, 1): pack_of(one), pack_key("i1", CONTACT, 1): pack_of(other)}
    held = state(an_import("i2"), an_import("i1"))

    held.load({CONTACT}, Table(packs).read)

    assert held.imported(CONTACT) == (one, other)


def test_item_that_changes_is_counted_for_each_import_that_holds_it():
    table = Table({pack_key("i1", ANN, 1): encode_pack({ANN: histories(ann=5)})})
    held = state(an_import("i1"), an_import("i2"))
    held.load({ANN, CONTACT}, table.read)

    held.touch(ANN)
    held.touch(ANN)
    held.touch(CONTACT)

    assert [(one.histories, one.conversations) for one in held.shop.imports] == [(1, 2), (2, 2)]


def test_item_that_does_not_change_is_not_counted():
    table = Table({pack_key("i1", ANN, 1): encode_pack({ANN: histories(ann=5)})})
    held = state(an_import("i1"))

    held.load({ANN}, table.read)

    assert held.shop.imports == (an_import("i1"),)


def test_item_names_only_imports_that_are_listed_still():
    table = Table({pack_key("i1", ANN, 1): encode_pack({ANN: histories(ann=5)})})
    held = state(an_import("i1", histories=1, conversations=0), an_import("i2"))
    held.load({ANN}, table.read)

    held.touch(ANN)

    assert held.histories[ANN].absorbed == ("i2",)
    assert held.shop.done_imports == ("i1",)


def test_changes_are_taken_once():
    held = state()
    held.load({ANN}, Table({}).read)
    held.history_to_change(ANN_RETURNS).update(Fact(ANN_RETURNS, NOON, "replies", 1), clock=NOON)

    assert list(held.take_changes()) == [ANN]
    assert held.take_changes() == {}


def test_settling_an_item_drops_histories_that_hold_nothing():
    held = state()
    held.load({ANN}, Table({ANN: histories(ann=2, ann_returns=3)}).read)

    held.settle(ANN, clock=NOON + 2 * 86_400_000)

    assert held.histories[ANN].histories == {}


@pytest.mark.parametrize("key", [ANN, CONTACT])
def test_item_without_a_byte_is_damaged_and_not_a_new_one(key):
    with pytest.raises(zlib.error):
        state().load({key}, Table({key: b""}).read)
