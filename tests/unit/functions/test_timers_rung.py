"""Timers from their queue to the shop's log: what the row still wants, once, signed, in time."""

import pytest

from service_quality.errors import DependencyError
from service_quality.events.control_signatures import is_signed
from service_quality.instants import DAY, MINUTE, format_instant
from tests.stand_ins.control import KEY
from tests.unit.functions.conftest import CONTEXT, NOW
from tests.unit.functions.timers import CONVERSATION, GRACE, SHOP, STAGE, delays, message, put_timer, queued, records


def test_due_timer_is_put_on_its_shops_log_signed_and_named(at_now, aws):
    due_at = NOW - GRACE
    put_timer(aws, due_at)

    answer = at_now("ring_timers").handler(queued(message(due_at)), CONTEXT)

    (record,) = records(aws)
    assert answer == {"batchItemFailures": []}
    assert aws.kinesis.records[0]["PartitionKey"] == SHOP
    assert is_signed(record, KEY)
    assert {name: record[name] for name in ("kind", "shop_id", "conversation_id", "round", "turn", "stage")} == {
        "kind": "time_reached",
        "shop_id": SHOP,
        "conversation_id": CONVERSATION,
        "round": 1,
        "turn": 2,
        "stage": STAGE,
    }
    assert record["due_at"] == format_instant(due_at)


@pytest.mark.parametrize("pending", [None, NOW - 2 * MINUTE, NOW + 2 * MINUTE])
def test_message_about_a_deadline_that_the_row_no_longer_wants_is_dropped(at_now, aws, pending):
    put_timer(aws, pending)

    answer = at_now("ring_timers").handler(queued(message(NOW - GRACE)), CONTEXT)

    assert (answer, records(aws), aws.sqs.sent) == ({"batchItemFailures": []}, [], [])


def test_message_about_a_conversation_without_a_row_is_dropped(at_now, aws):
    assert at_now("ring_timers").handler(queued(message(NOW - GRACE)), CONTEXT) == {"batchItemFailures": []}
    assert records(aws) == []


def test_message_that_is_redriven_a_day_later_is_dropped(at_now, aws):
    due_at = NOW - DAY - 1
    put_timer(aws, due_at)

    at_now("ring_timers").handler(queued(message(due_at)), CONTEXT)

    assert records(aws) == []


def test_message_that_comes_early_is_sent_again_with_what_is_left(at_now, aws):
    for conversation, due_at in (("far", NOW + 20 * MINUTE), ("near", NOW + 4_500)):
        put_timer(aws, due_at, conversation=conversation)

    at_now("ring_timers").handler(
        queued(message(NOW + 20 * MINUTE, conversation="far"), message(NOW + 4_500, conversation="near")), CONTEXT
    )

    assert records(aws) == []
    assert delays(aws) == [900, 5]


def test_rest_of_a_second_is_waited_for_and_what_is_due_does_not_wait_with_it(at_now, aws, monkeypatch):
    put_timer(aws, NOW - GRACE)
    put_timer(aws, NOW - GRACE + 700, conversation="later")
    app = at_now("ring_timers")
    seen: list[tuple[int, int]] = []
    offer = app.stream.offer

    def note(entries):
        seen.append((len(entries), app.read_clock() - NOW))
        return offer(entries)

    monkeypatch.setattr(app.stream, "offer", note)

    app.handler(queued(message(NOW - GRACE + 700, conversation="later"), message(NOW - GRACE)), CONTEXT)

    assert seen == [(1, 0), (1, 700)]


def test_message_that_is_delivered_twice_in_a_batch_rings_once(at_now, aws):
    put_timer(aws, NOW - GRACE)

    at_now("ring_timers").handler(queued(message(NOW - GRACE), message(NOW - GRACE)), CONTEXT)

    assert len(records(aws)) == 1


def test_record_that_the_stream_does_not_take_is_answered_for_every_copy_of_its_message(at_now, aws, monkeypatch):
    for conversation in ("contact-1", "contact-2"):
        put_timer(aws, NOW - GRACE, conversation=conversation)
    aws.kinesis.refusing = {b"contact-2"}
    app = at_now("ring_timers")
    monkeypatch.setattr(app.stream, "_pause", lambda seconds: None)
    lost = message(NOW - GRACE, conversation="contact-2")

    answer = app.handler(queued(message(NOW - GRACE), lost, lost), CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]}
    assert [one["conversation_id"] for one in records(aws)] == ["contact-1"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"shop_id":"s","conversation_id":"c"}',
        '{"shop_id":"s","conversation_id":"c","due_at":"x"}',
    ],
)
def test_message_of_another_kind_is_left_to_the_dead_letter_queue_and_the_others_ring(at_now, aws, body):
    put_timer(aws, NOW - GRACE)

    answer = at_now("ring_timers").handler(queued(body, message(NOW - GRACE)), CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert len(records(aws)) == 1


@pytest.mark.parametrize("event", [None, [], "text", {}, {"Records": None}])
def test_what_is_no_batch_of_a_queue_rings_nothing(at_now, aws, event):
    assert at_now("ring_timers").handler(event, CONTEXT) == {"batchItemFailures": []}


def test_failed_message_without_an_id_has_the_batch_come_again(at_now):
    with pytest.raises(DependencyError, match="a failed message without an id"):
        at_now("ring_timers").handler({"Records": [{"body": "{"}]}, CONTEXT)


def test_failing_table_has_the_batch_come_again(at_now, aws):
    app = at_now("ring_timers")
    aws.dynamodb.failing = "ProvisionedThroughputExceededException"

    with pytest.raises(DependencyError, match="table alerts"):
        app.handler(queued(message(NOW - GRACE)), CONTEXT)


def test_row_that_holds_no_timer_is_dropped_and_logged_and_the_others_ring(at_now, aws, caplog):
    put_timer(aws, NOW - GRACE, conversation="broken", body=b"[]")
    put_timer(aws, NOW - GRACE)

    at_now("ring_timers").handler(queued(message(NOW - GRACE, conversation="broken"), message(NOW - GRACE)), CONTEXT)

    assert len(records(aws)) == 1
    assert [one.msg for one in caplog.records].count("timer_unreadable") == 1


def test_logs_of_ringing_timers_hold_no_ids(at_now, aws, caplog):
    put_timer(aws, NOW - GRACE)

    at_now("ring_timers").handler(queued(message(NOW - GRACE)), CONTEXT)

    said = str([vars(record) for record in caplog.records])
    assert "timers_rung" in said
    assert CONVERSATION not in said
    assert SHOP not in said
