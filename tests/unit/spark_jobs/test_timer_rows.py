"""The timers of rebuilt and of imported conversations: the rows by which they ring."""

import json

from service_quality.adapters.state_table import outbox_item
from service_quality.commit.state_items import ConversationItem, encode_conversation
from service_quality.commit.timers import Timer, read_timer
from service_quality.conversations.wait_stages import Deadline
from service_quality.instants import MINUTE
from spark_jobs.backfill.timer_rows import new_timers, timers_in
from tests.unit.core.sample_events import NOON, conversation, event

DUE = Deadline(NOON + 30 * MINUTE, 1, 1, "waiting_ms:1800000")


def item(timer: Deadline | None) -> dict:
    data = encode_conversation(ConversationItem(conversation(event("customer_message", 0)), timer=timer))
    return {"shop_id": "shop", "key": "contact\x1fc1", "data": data}


def test_conversation_whose_timer_rings_has_a_row_that_says_so():
    (row,) = timers_in([item(DUE)])

    assert read_timer("shop", row.body) == Timer("shop", "c1", DUE)
    assert outbox_item(row, now=0)["due_at"] == {"N": str(DUE.due_at)}


def test_imported_conversation_in_which_somebody_waits_has_a_row():
    (row,) = new_timers([{"shop_id": "shop", "fold_key": "contact\x1fc1", "deadline": json.dumps(DUE)}])

    assert read_timer("shop", row.body) == Timer("shop", "c1", DUE)


def test_conversation_without_a_deadline_has_no_row():
    assert timers_in([item(None)]) == []
