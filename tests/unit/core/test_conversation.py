"""A conversation's bound, its memory, and what two copies of it come to."""

import pytest

from service_quality.conversations.conversation import (
    CONVERSATION_RETENTION,
    EMPTY,
    MAX_BYTES,
    MAX_EVENTS,
    RETENTION,
    Conversation,
    advance,
    conversation_key,
    reject_too_old,
    size_of,
    within_retention,
)
from service_quality.errors import RejectedEventError
from tests.unit.core.sample_events import NOON, conversation, event

LONG_FIELDS = ("customer_id", "agent_id", "category", "subcategory", "product", "sku", "order_id", "channel")
FULL = Conversation(tuple(event("customer_message", index) for index in range(MAX_EVENTS)))


def test_full_conversation_rejects_and_forgets_no_id():
    with pytest.raises(RejectedEventError) as rejected:
        advance(FULL, event("customer_message", -1))

    assert rejected.value.reason == "conversation_full"
    assert advance(FULL, FULL.events[0]) is FULL


def test_conversation_is_retained_longer_than_any_event_that_could_repeat():
    held = conversation(event("customer_message", 0))

    assert within_retention(held, received_clock=NOON + CONVERSATION_RETENTION) is held
    assert within_retention(held, received_clock=NOON + CONVERSATION_RETENTION + 1) is EMPTY
    assert CONVERSATION_RETENTION > RETENTION


def test_event_from_before_the_retention_period_is_rejected():
    reject_too_old(event("customer_message", 0), received_clock=NOON + RETENTION)

    with pytest.raises(RejectedEventError) as rejected:
        reject_too_old(event("customer_message", 0), received_clock=NOON + RETENTION + 1)

    assert rejected.value.reason == "older_than_retention"


@pytest.mark.parametrize(
    ("kind", "fields", "key"),
    [
        ("customer_message", {}, "contact\x1fc1"),
        ("complaint_filed", {"customer_id": "zoe"}, "contact\x1fc1"),
        ("complaint_filed", {"conversation_id": None, "customer_id": "zoe"}, "visit\x1fzoe\x1f19600"),
        ("page_viewed", {"customer_id": "zoe"}, "visit\x1fzoe\x1f19600"),
    ],
)
def test_what_folds_together(kind, fields, key):
    assert conversation_key(event(kind, 0, **fields)) == key


def test_conversation_of_long_ids_rejects_more_before_its_item_is_too_large():
    full = EMPTY

    with pytest.raises(RejectedEventError, match="bytes") as rejected:  # noqa: PT012  # which event it is does not matter
        for number in range(MAX_EVENTS):
            full = advance(full, event("customer_message", number, **dict.fromkeys(LONG_FIELDS, "x" * 128)))

    assert rejected.value.reason == "conversation_full"
    assert 0.95 * MAX_BYTES < size_of(full) <= MAX_BYTES
