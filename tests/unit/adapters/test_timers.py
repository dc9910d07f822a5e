"""The queue of timers, their rows and their index, by requests that AWS's own description allows."""

import hashlib
from unittest.mock import ANY

import pytest

from service_quality.adapters.timer_queue import TimerQueue
from service_quality.adapters.timer_table import DueTimers, TimerRows
from service_quality.commit.timer_messages import TimerMessage
from service_quality.commit.timers import due_slot, timer_row
from service_quality.conversations.wait_stages import Deadline
from service_quality.errors import DependencyError, DeploymentError, UnreadableRowError
from service_quality.instants import DAY, SECOND

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/timers"
NOW = 1_795_165_201_000
DUE = NOW + 20 * SECOND


def queue(sqs) -> TimerQueue:
    return TimerQueue(sqs.client, URL, lambda: NOW)


def message(number: int = 1) -> TimerMessage:
    return TimerMessage("小店", f"contact-{number}", DUE)


def key_of(one: TimerMessage) -> dict:
    return {"stream_key": {"S": one.stream_key}, "sequence": {"S": "pending"}}


def request(*messages: TimerMessage) -> dict:
    return {"RequestItems": {"alerts": {"Keys": [key_of(one) for one in messages], "ConsistentRead": True}}}


def row(one: TimerMessage, deadline: Deadline | None) -> dict:
    return key_of(one) | {"body": {"B": timer_row(one.shop_id, one.conversation_id, deadline).body}}


def heard(errors: list[UnreadableRowError]):
    return errors.append


def test_messages_are_sent_ten_a_call_with_their_delay_and_a_group_of_plain_characters(sqs):
    entry = {
        "MessageBody": ANY,
        "DelaySeconds": 21,
        "MessageGroupId": hashlib.sha256("小店".encode()).hexdigest()[:32],
    }
    for count in (10, 2):
        entries = [entry | {"Id": str(number)} for number in range(count)]
        answer: dict[str, list] = {"Successful": [], "Failed": []}
        sqs.add_response("send_message_batch", answer, {"QueueUrl": URL, "Entries": entries})

    queue(sqs).send([message(number) for number in range(12)])


def test_queue_that_takes_a_part_is_source_its_codes(sqs):
    failed = [{"Id": "0", "SenderFault": False, "Code": "InternalError"}]
    sqs.add_response("send_message_batch", {"Successful": [], "Failed": failed})

    with pytest.raises(DependencyError, match="InternalError for 1 of 2 messages"):
        queue(sqs).send([message(1), message(2)])


def test_missing_queue_is_named_at_the_start(sqs):
    sqs.add_client_error("get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue")

    with pytest.raises(DeploymentError, match="NonExistentQueue at queue https"):
        queue(sqs).check()


def test_pending_timers_are_read_once_a_conversation_and_consistently(dynamodb):
    first, second, over = message(1), message(2), message(3)
    deadline = Deadline(DUE, 1, 1, "waiting_ms:20000")
    found = [row(first, deadline), row(over, None)]
    dynamodb.add_response("batch_get_item", {"Responses": {"alerts": found}}, request(first, second, over))

    timers = TimerRows(dynamodb.client, "alerts", heard([])).read([first, second, first, over])

    assert {key: timer.deadline for key, timer in timers.items()} == {first.stream_key: deadline}


def test_keys_that_were_not_read_are_asked_for_again(dynamodb):
    first, second = message(1), message(2)
    deadline = Deadline(DUE, 1, 1, "waiting_ms:20000")
    left = {"alerts": {"Keys": [key_of(second)], "ConsistentRead": True}}
    dynamodb.add_response(
        "batch_get_item",
        {"Responses": {"alerts": [row(first, deadline)]}, "UnprocessedKeys": left},
        request(first, second),
    )
    dynamodb.add_response("batch_get_item", {"Responses": {"alerts": [row(second, deadline)]}}, request(second))

    timers = TimerRows(dynamodb.client, "alerts", heard([]), lambda seconds: None).read([first, second])

    assert set(timers) == {first.stream_key, second.stream_key}


def test_table_that_leaves_keys_unread_again_and_again_fails(dynamodb):
    left = {"alerts": {"Keys": [key_of(message())], "ConsistentRead": True}}
    for _ in range(6):
        dynamodb.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left}, request(message()))

    with pytest.raises(DependencyError, match="no answer to 1 keys"):
        TimerRows(dynamodb.client, "alerts", heard([]), lambda seconds: None).read([message()])


def test_index_gives_timers_page_by_page_with_the_time_of_their_writing(dynamodb):
    pages = [message(1), message(2)]
    slot = due_slot(pages[0].stream_key, DUE)
    written = NOW // SECOND
    asked = {
        "TableName": "alerts",
        "IndexName": "due_timers",
        "KeyConditionExpression": "due_slot = :slot AND due_at BETWEEN :first AND :last",
        "ExpressionAttributeValues": {":slot": {"S": slot}, ":first": {"N": "1"}, ":last": {"N": "9"}},
    }
    for number, one in enumerate(pages):
        item = key_of(one) | {"due_slot": {"S": slot}, "due_at": {"N": str(DUE)}}
        item["expires_at"] = {"N": str(written + 30 * DAY // SECOND)}
        begin = {"ExclusiveStartKey": key_of(pages[0])} if number else {}
        more = {"LastEvaluatedKey": key_of(one)} if not number else {}
        dynamodb.add_response("query", {"Items": [item], **more}, asked | begin)

    found = list(DueTimers(dynamodb.client, "alerts", heard([])).read(slot, 1, 9))

    assert [[one.message for one in page] for page in found] == [[pages[0]], [pages[1]]]
    assert {one.written_at for page in found for one in page} == {written * SECOND}


def test_row_of_the_index_that_is_no_timer_is_heard_of_and_left_out(dynamodb):
    item = {"stream_key": {"S": "shop\x1falert"}, "due_at": {"N": "7"}, "expires_at": {"N": "9"}}
    dynamodb.add_response("query", {"Items": [item]})
    errors: list[UnreadableRowError] = []

    found = list(DueTimers(dynamodb.client, "alerts", heard(errors)).read("slot", 1, 9))

    assert found == [[]]
    assert [error.reason for error in errors] == ["wrong_row"]


def test_missing_table_of_the_index_is_named_at_the_start(dynamodb):
    dynamodb.add_client_error("query", "ResourceNotFoundException")

    with pytest.raises(DeploymentError, match="table alerts, index due_timers"):
        DueTimers(dynamodb.client, "alerts", heard([])).check()
