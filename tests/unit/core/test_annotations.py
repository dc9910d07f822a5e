"""Messages that only thank, and messages that say or ask anything else."""

import hashlib
import json
import time
from dataclasses import replace

import pytest

from service_quality.events import annotations
from service_quality.events.annotations import annotate, only_thanks
from service_quality.events.interaction_event import InteractionEvent
from spark_jobs.synthetic_shop import phrases

THANKS = (
    "thanks", "Thanks!", "THANK YOU", "thank you so much!!", "Thank you very much.", "thx", "Thx 😊", "ty", "tysm!",
    "Cheers mate", "cheers :)", "many thanks", "great thanks", "Great, thanks a lot!", "ok", "OK.", "Okay, thank you",
    "ok thanks", "k thx bye", "got it, thanks", "Perfect, thank you guys!", "👍", "🙏🙏🏽", "❤️", "thanks ❤️🙏",
    "Thanks for your help!", "thank you for the quick reply", "Thanks for helping me", "That’s great, thanks",
    "much appreciated", "You too, have a nice day!", "thanks again :-)", "ｔｈａｎｋｓ！",
    "It works now, thank you!", "\u00a0thanks\u3000", "Bye bye", "I appreciate your help", "谢谢", "谢谢！", "谢谢你",
    "谢谢您的帮助", "感谢", "非常感谢！", "多谢", "好的", "好的谢谢", "好的，谢谢你～", "嗯嗯，谢谢", "ok的",
    "收到，谢谢", "知道了，谢谢亲", "辛苦了", "辛苦了，谢谢🙏", "太好了！谢谢", "明白了", "哦哦好的",
    "好的👌", "谢谢老板", "再见", "謝謝", "好的，感謝", "解决了，谢谢！", "可以了谢谢", "谢谢客服小姐姐",
    "感谢您的耐心解答", "3Q", "Thanks Anna", "Thank you, Jean-Luc!", "ok thx Bob 👍", "谢谢小李",
    "好的，谢谢王姐！", "谢谢，不用了", "没事了", "不客气", "5星好评已给", "[表情]", "谢谢[微笑]", "[OK]",
)  # fmt: skip
MORE = (
    "thanks, but where is my parcel?", "thank you. It has not arrived.", "Thanks! When will it come", "ok?",
    "thanks?", "not ok", "no", "yes", "help", "help, thanks", "update, thanks", "reply thanks", "ok but it is broken",
    "Hi", "Hello", "thanks for nothing", "no thanks, I want a refund", "good question", "good morning",
    "thanksgiving order", "okra", "It is not fine", "great, another delay", "still waiting, thanks",
    "Thank you Anna, and my invoice?", "", "   ", "!!!", "???", "👎", "😡", "谢谢😡", "thanks 👎", "it works", "so",
    "1", "5", "thanks 12345", "where is it", "refund please", "谢谢，但是还没收到", "谢谢，什么时候发货？",
    "好的，那什么时候到", "好慢", "好评返现", "好不好", "行不行", "可以退货吗", "可以吗？", "收到货了，坏的",
    "没有谢谢", "不好", "不行", "不可以", "还没解决", "没收到", "你好", "在吗", "谢谢你全家", "好的吗", "退款，谢谢",
    "帮我查一下，谢谢", "麻烦查一下", "辛苦帮忙改地址", "帮助，谢谢", "回复，谢谢", "谢谢 单号多少", "了", "的",
    "Thanks Refund", "Thanks Anna?", "thanks anna", "Thank You Please", "Anna", "Thanks Anna 12345", "THANKS REFUND",
    "谢谢小李，单号多少", "小李", "[图片]", "好评没用", "不用了退款", "Great Anna",
    "嗯？", "好的 但是我要退货", "怎么还没到", "太慢了",
)  # fmt: skip

#: Words of one meaning that may agree to what the agent proposed: somebody has to act on them.
CONSENTS = (
    ("可以", "that's fine"), ("可以的", "fine"), ("行", "sounds good"), ("行的", "that works"), ("当然", "sure"),
    ("没问题", "no problem"), ("沒問題", "works for me"), ("是的", "yes"), ("对的", "yep"), ("嗯，可以", "yes please"),
    ("同意", "agreed"), ("可以，谢谢", "sounds good, thanks"), ("好的，没问题", "ok, no problem"),
    ("好的 行", "ok fine"),
)  # fmt: skip
#: Words of one meaning that take note of what the agent said, decline more, or say that the matter is settled.
SETTLED = (
    ("好的", "ok"), ("好", "good"), ("好吧", "alright"), ("嗯", "mhm"), ("收到", "noted"), ("知道了", "got it"),
    ("明白了", "understood"), ("太好了", "great"), ("不用了", "no need"), ("不用", "not needed"),
    ("不用了，谢谢", "no thanks"), ("没事", "all good"), ("没事了", "never mind"), ("没关系", "no worries"),
    ("没问题了", "no more questions"), ("没有问题了，谢谢", "no further questions, thank you"),
    ("没别的了", "nothing else"), ("就这些", "that's all"), ("行了，谢谢", "it works now, thanks"),
    ("可以了，谢谢", "that worked, thanks"),
)  # fmt: skip

EVENT = InteractionEvent(
    event_id="e1",
    shop_id="shop",
    kind="customer_message",
    occurred_at=1,
    received_at=1,
    conversation_id="c1",
    text="Thanks!",
)


@pytest.mark.parametrize("text", THANKS)
def test_message_that_only_thanks_is_courtesy(text):
    assert only_thanks(text)


@pytest.mark.parametrize("text", MORE)
def test_message_that_says_or_asks_more_is_no_courtesy(text):
    assert not only_thanks(text)


@pytest.mark.parametrize("text", [text for pair in CONSENTS for text in pair])
def test_consent_is_no_courtesy_in_either_language(text):
    assert not only_thanks(text)


@pytest.mark.parametrize("text", [text for pair in SETTLED for text in pair])
def test_word_that_notes_declines_or_settles_is_courtesy_in_both_languages(text):
    assert only_thanks(text)


def test_customers_of_the_synthetic_shop_never_only_thank():
    words = [*phrases.FOLLOW_UP.values(), *phrases.STILL_WAITING.values(), *phrases.COMING_BACK.values()]
    words += [texts for reasons in phrases.OPENING.values() for texts in reasons.values()]

    assert not any(only_thanks(text) for texts in words for text in texts)


def test_only_a_message_of_the_customer_is_annotated():
    assert annotate(EVENT) == replace(EVENT, courtesy=1)
    others = (replace(EVENT, kind="agent_message"), replace(EVENT, kind="conversation_opened"))
    for other in (*others, replace(EVENT, text=None), replace(EVENT, text="Where is it?")):
        assert annotate(other) is other


def test_annotation_is_the_same_a_second_time():
    assert annotate(annotate(EVENT)) == annotate(EVENT)


@pytest.mark.parametrize("query", ["USB charger", " usb  Charger ", "ｕｓｂ\u3000charger"])
def test_search_term_is_the_group_of_the_words_however_they_are_written(query):
    searched = replace(EVENT, kind="searched", text=None, query=query)

    assert annotate(searched).search_term == annotations.search_term_of("usb charger")
    assert annotate(replace(searched, query=None)).search_term is None


def test_changed_table_asks_for_the_next_version():
    tables = [sorted(annotations._phrases().items()), annotations._BEFORE_NAMES, sorted(annotations._NO_NAMES)]
    digest = hashlib.sha256(json.dumps([*tables, annotations._LONGEST]).encode()).hexdigest()[:16]

    assert (annotations.ANNOTATION_VERSION, digest) == (4, "fc086185a34710bf"), (
        "the version rises with every change; enter both"
    )


@pytest.mark.parametrize(
    "text", ["谢" * 119 + "x", "thank you " * 11 + "x", ":)" * 59 + "x", "好的" * 4_000, "ok " * 39 + "?"]
)
def test_no_message_takes_long(text):
    started = time.perf_counter()

    assert not only_thanks(text)

    assert time.perf_counter() - started < 0.1
