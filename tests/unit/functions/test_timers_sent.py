"""Timers from the table's stream to their queue, beside the alerts."""

import json

import pytest

from service_quality.errors import DependencyError
from service_quality.instants import DAY, MINUTE, SECOND
from tests.unit.functions.conftest import CONTEXT, NOW
from tests.unit.functions.test_outbox import alert_record, batch
from tests.unit.functions.timers import CONVERSATION, GRACE, SHOP, put_timer


@pytest.mark.parametrize(
    ("due_at", "delay"),
    [
        (NOW + 20 * SECOND, 21),
        (NOW + 20 * SECOND + 999, 21),
        (NOW + 15 * MINUTE - GRACE, 900),
        (NOW - 10, 0),
        (NOW - 5 * SECOND, 0),
        (NOW - DAY, 0),
    ],
)
def test_timer_that_rings_soon_is_sent_delayed_by_whole_seconds_that_do_not_reach_it(at_now, aws, due_at, delay):
    counts = at_now("dispatch_outbox").handler(batch(put_timer(aws, due_at)), CONTEXT)

    (sent,) = aws.sqs.sent
    assert (counts["SentTimers"], sent["DelaySeconds"]) == (1, delay)
    assert json.loads(sent["MessageBody"]) == {"shop_id": SHOP, "conversation_id": CONVERSATION, "due_at": due_at}


@pytest.mark.parametrize("due_at", [NOW + 15 * MINUTE - GRACE + 1, NOW - DAY - 1, None])
def test_timer_that_rings_later_is_long_past_or_rings_no_more_is_not_sent(at_now, aws, due_at):
    counts = at_now("dispatch_outbox").handler(batch(put_timer(aws, due_at)), CONTEXT)

    assert (counts["SentTimers"], aws.sqs.sent) == (0, [])


@pytest.mark.parametrize(("event", "sent"), [("INSERT", 1), ("MODIFY", 1), ("REMOVE", 0)])
def test_timer_is_sent_whenever_it_is_put_and_not_when_it_is_removed(at_now, aws, event, sent):
    counts = at_now("dispatch_outbox").handler(batch(put_timer(aws, NOW) | {"eventName": event}), CONTEXT)

    assert counts["SentTimers"] == sent


def test_timers_of_a_shop_share_a_group_whose_name_every_queue_takes(at_now, aws):
    app = at_now("dispatch_outbox")
    app.handler(batch(*(put_timer(aws, NOW, conversation=f"c-{number}") for number in range(12))), CONTEXT)
    other = put_timer(aws, NOW)
    image = other["dynamodb"]["NewImage"] | {"stream_key": {"S": "小店\x1ftimer\x1fcontact-1"}}
    app.handler(batch(other | {"dynamodb": other["dynamodb"] | {"NewImage": image}}), CONTEXT)

    groups = [one["MessageGroupId"] for one in aws.sqs.sent]
    assert len(groups) == 13
    assert len(set(groups)) == 2
    assert all(one.isascii() and one.isalnum() and len(one) <= 128 for one in groups)


def test_alerts_go_out_though_the_queue_fails_and_timers_though_the_topic_does(at_now, aws):
    app = at_now("dispatch_outbox")
    event = batch(put_timer(aws, NOW), alert_record(1))

    aws.sqs.failing = "ServiceUnavailable"
    with pytest.raises(DependencyError, match=r"queue .*: ServiceUnavailable"):
        app.handler(event, CONTEXT)
    assert (len(aws.sns.published), len(aws.sqs.sent)) == (1, 0)

    aws.sqs.failing, aws.sns.failing = "", "Throttled"
    with pytest.raises(DependencyError, match=r"topic .*: Throttled"):
        app.handler(event, CONTEXT)
    assert (len(aws.sns.published), len(aws.sqs.sent)) == (1, 1)


def test_queue_that_does_not_take_a_message_has_the_batch_come_again(at_now, aws):
    aws.sqs.refusing = {CONVERSATION}

    with pytest.raises(DependencyError, match="InternalError for 1 of 1 messages"):
        at_now("dispatch_outbox").handler(batch(put_timer(aws, NOW)), CONTEXT)


def test_timers_row_of_another_key_is_logged_and_the_others_are_sent(at_now, aws, caplog):
    broken, sound = put_timer(aws, NOW), put_timer(aws, NOW)
    image = broken["dynamodb"]["NewImage"] | {"stream_key": {"S": "shop-1\x1fwhat"}}
    broken = broken | {"dynamodb": broken["dynamodb"] | {"NewImage": image}}

    counts = at_now("dispatch_outbox").handler(batch(broken, sound), CONTEXT)

    assert counts["SentTimers"] == 1
    assert [one.msg for one in caplog.records].count("timer_unreadable") == 1
