"""A conversation's bound, its memory, and what another event under a known id does to it."""

from dataclasses import replace

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
from service_quality.instants import DAY, HOUR, MINUTE
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


RATED, NOTED = event("rated", HOUR, rating=1), event("internal_note", 2 * HOUR)


def test_corrected_rating_takes_the_place_of_the_earlier_one():
    held = conversation(event("customer_message", 0), RATED, NOTED)
    corrected = replace(RATED, rating=5, occurred_at=NOON + 3 * HOUR)

    after = advance(held, corrected, received_clock=NOON + DAY)

    assert after == Conversation((held.events[0], replace(RATED, rating=5), NOTED), touched_at=NOON + DAY)
    assert advance(after, corrected, received_clock=NOON + 2 * DAY) is after


def test_corrected_words_of_a_message_take_the_place_of_the_earlier_ones():
    asked = event("customer_message", 0, text="Where is my parcel?")
    held = conversation(asked, NOTED)

    after = advance(held, replace(asked, text="Where is my order?"))

    assert [one.event_id for one in after.events] == [asked.event_id, NOTED.event_id]
    assert (after.events[0].text, after.events[1]) == (None, NOTED)
    assert after.events[0].text_digest not in (None, held.events[0].text_digest)
    assert advance(held, asked) is held
    assert advance(after, asked) == held


def test_corrected_event_of_an_import_stays_among_those_of_the_import_in_order_of_time():
    asked, answered = event("customer_message", 0), event("agent_message", 9)
    held = Conversation((asked, answered, NOTED), touched_at=NOON, imported=2)
    edited = replace(asked, occurred_at=NOON + 10, channel="mail")

    after = advance(held, edited)

    assert after == Conversation((replace(asked, channel="mail"), answered, NOTED), touched_at=NOON, imported=2)


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (event("conversation_opened", 0), {"channel": "mail"}),
        (event("assigned", 0, agent_id="ann"), {"agent_id": "bob"}),
        (event("resolved", 0), {"occurred_at": NOON + 1}),
        (event("reopened", 0), {"text": "Not yet!"}),
        (event("status_changed", 0, status="pending"), {"status": "open"}),
        (event("internal_note", 0, text="Ask the warehouse."), {"text": "Ask the carrier."}),
        (event("complaint_filed", 0), {"customer_id": "zoe"}),
        (event("customer_message", 0, agent_id="ann"), {"kind": "agent_message"}),
        (event("rated", 0, rating=5), {"kind": "internal_note", "rating": None}),
    ],
    ids=lambda one: one.kind if hasattr(one, "kind") else "",
)
def test_another_content_that_is_no_correction_is_rejected(known, other):
    held = conversation(known)

    with pytest.raises(RejectedEventError) as rejected:
        advance(held, replace(known, **other))

    assert rejected.value.reason == "conflicting_content"
    assert "event_id" in str(rejected.value)
    assert held == conversation(known)


@pytest.mark.parametrize(
    ("known", "again"),
    [
        (event("resolved", 0), {"received_at": NOON + DAY}),
        (event("customer_message", 0), {"courtesy": 1}),
        (event("resolved", 0, precision="day"), {"occurred_at": NOON + 11 * HOUR, "received_at": NOON + DAY}),
        (event("resolved", 0, stated_at=NOON + MINUTE), {"occurred_at": NOON + MINUTE, "stated_at": None}),
        (event("resolved", 0, stated_at=NOON + MINUTE), {"occurred_at": NOON + 9, "received_at": NOON + 9}),
    ],
    ids=["later arrival", "annotation", "day", "stamped ahead at first", "stamped ahead twice"],
)
def test_what_only_the_arrival_or_an_annotation_changed_is_a_duplicate(known, again):
    held = conversation(known)

    assert advance(held, replace(known, **again), received_clock=NOON + DAY) is held


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (event("agent_message", 0, precision="day"), {"occurred_at": NOON + DAY}),
        (event("agent_message", 0, stated_at=NOON + MINUTE), {"stated_at": NOON + 2 * MINUTE}),
        (event("agent_message", 0), {"occurred_at": NOON + 1}),
    ],
    ids=["another day", "another stamp ahead", "another instant"],
)
def test_edited_message_keeps_the_instant_at_which_it_was_written(known, other):
    held = conversation(known)

    assert advance(held, replace(known, **other)) is held
    assert advance(held, replace(known, channel="mail", **other)).events == (replace(known, channel="mail"),)


def test_correction_that_makes_a_conversation_too_large_is_rejected():
    small = [event("customer_message", number) for number in range(MAX_EVENTS)]
    held = Conversation(tuple(small))

    with pytest.raises(RejectedEventError, match="bytes") as rejected:  # noqa: PT012  # which event it is does not matter
        for one in small:
            held = advance(held, event(one.kind, one.occurred_at - NOON, **dict.fromkeys(LONG_FIELDS, "x" * 128)))

    assert rejected.value.reason == "conversation_full"
    assert size_of(held) <= MAX_BYTES
