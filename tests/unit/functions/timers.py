"""Rows and messages of timers, and what became of them, for tests of the functions on their way."""

import json
from base64 import b64encode

from service_quality.commit.archived_ranges import OUTBOX_DAYS
from service_quality.commit.timer_messages import TimerMessage
from service_quality.commit.timers import due_slot, timer_row
from service_quality.conversations.wait_stages import Deadline
from service_quality.instants import DAY, SECOND
from tests.unit.functions.conftest import NOW

SHOP, CONVERSATION, STAGE = "shop-1", "contact-1", "waiting_ms:1800000"
GRACE = 1 * SECOND


def put_timer(
    aws, due_at: int | None, *, written_at: int = NOW, conversation: str = CONVERSATION, body: bytes | None = None
):
    """The timer's row as the transaction puts it; returned as the table's stream gives it."""
    deadline = None if due_at is None else Deadline(due_at, 1, 2, STAGE)
    row = timer_row(SHOP, conversation, deadline)
    key = {"stream_key": {"S": row.stream_key}, "sequence": {"S": row.sequence}}
    item = key | {"row_kind": {"S": row.row_kind}, "shop_id": {"S": SHOP}, "body": {"B": body or row.body}}
    item["expires_at"] = {"N": str(written_at // SECOND + OUTBOX_DAYS * DAY // SECOND)}
    if due_at is not None:
        item |= {"due_slot": {"S": due_slot(row.stream_key, due_at)}, "due_at": {"N": str(due_at)}}
    aws.dynamodb.tables["alerts"][row.stream_key, row.sequence] = item
    image = item | {"body": {"B": b64encode(row.body).decode()}}
    return {"eventName": "MODIFY", "dynamodb": {"Keys": key, "NewImage": image}}


def message(due_at: int, *, conversation: str = CONVERSATION) -> TimerMessage:
    return TimerMessage(SHOP, conversation, due_at)


def queued(*messages: TimerMessage | str) -> dict:
    """A batch of the queue; ids in order from m0."""
    bodies = [one if isinstance(one, str) else one.body for one in messages]
    return {"Records": [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]}


def delays(aws) -> list[int]:
    return [one["DelaySeconds"] for one in aws.sqs.sent]


def records(aws) -> list[dict]:
    return [json.loads(one["Data"]) for one in aws.kinesis.records]
