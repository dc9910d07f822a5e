"""What is stored comes back, equal items as equal bytes."""

from hypothesis import given
from hypothesis import strategies as st

from service_quality.alerts.alert_life import AlertLife
from service_quality.commit.state_items import (
    ConversationItem,
    HistoryItem,
    Import,
    ShopItem,
    decode_conversation,
    decode_histories,
    decode_pack,
    decode_shop,
    encode_conversation,
    encode_histories,
    encode_pack,
    encode_shop,
    pack_key,
)
from service_quality.conversations.conversation import Conversation
from service_quality.facts.conversation_facts import Fact
from service_quality.histories.history import HistoryPlan, build_history
from tests.properties.random_logs import LARGEST, START, Choices, random_event
from tests.unit.core.sample_events import NOON, conversation

LIFE = AlertLife(severity="warning", open=True, opened_at=1, sent_at=2, sequence=3, repeats=4, silent=True)
PLAN = HistoryPlan({"agent": {"1h": ("replies",), "1d": ("contacts", "replies")}})


def test_shop_comes_back():
    item = ShopItem(7, "1.abc", 10, 11, "0001-5", (Import("i1", 3, "0001-2"), Import("i2", 1, "0001-4")))

    assert decode_shop(encode_shop(item)) == item
    assert decode_shop(encode_shop(ShopItem())) == ShopItem()


@given(st.lists(st.integers(0, LARGEST - 1), max_size=3))
def test_conversation_comes_back_without_texts(numbers):
    events = [
        random_event(Choices(number), f"e{index}", shop_id="shop", now=START) for index, number in enumerate(numbers)
    ]
    item = ConversationItem(conversation(*events), ("i1",), {"high_risk": LIFE})

    assert decode_conversation(encode_conversation(item), "shop") == item


def test_histories_come_back():
    history = build_history([Fact("agent\x1fann", NOON, "replies", 2)], PLAN.windows["agent"], clock=NOON)
    item = HistoryItem({"agent\x1fann": history}, ("i1", "i2"), {"agent_risk": LIFE})

    back = decode_histories(encode_histories(item), PLAN)

    assert encode_histories(back) == encode_histories(item)
    assert back.histories["agent\x1fann"].get("1d", "replies", clock=NOON) == 2
    assert (back.absorbed, back.lives) == (item.absorbed, item.lives)


def test_order_of_entering_does_not_show_in_the_bytes():
    one, other = AlertLife("info", True, 1, 1), LIFE
    items = [HistoryItem(lives=lives) for lives in ({"a": one, "b": other}, {"b": other, "a": one})]

    assert encode_histories(items[0]) == encode_histories(items[1])


def test_empty_conversation_comes_back():
    assert decode_conversation(encode_conversation(ConversationItem()), "shop").conversation == Conversation()


def test_pack_comes_back_and_every_key_has_one_bucket():
    items = {"agent\x1fann": b"\x00\xff", "contact\x1fc1": b""}

    assert decode_pack(encode_pack(items)) == items
    assert encode_pack(items) == encode_pack(dict(reversed(items.items())))
    assert {pack_key("i1", key, 1) for key in items} == {"import\x1fi1\x1f0"}
