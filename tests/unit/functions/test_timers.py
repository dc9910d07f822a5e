"""Timers from the table's stream to the shop's log: sent, rung, swept."""

import json
from base64 import b64encode
from types import SimpleNamespace

import pytest

from service_quality.commit.archived_ranges import OUTBOX_DAYS
from service_quality.commit.timer_messages import TimerMessage
from service_quality.commit.timers import due_slot, timer_row
from service_quality.conversations.deadlines import Deadline
from service_quality.errors import DependencyError
from service_quality.events.control_signatures import is_signed
from service_quality.instants import DAY, MINUTE, SECOND, format_instant
from tests.stand_ins.control import KEY
from tests.unit.functions.conftest import CONTEXT, NOW
from tests.unit.functions.test_outbox import alert_record, batch

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


@pytest.fixture
def at_now(load, monkeypatch):
    """Loads a function whose clock goes on only while it sleeps."""

    def load_at(name: str):
        app = load(name)
        clock = SimpleNamespace(now=NOW)
        monkeypatch.setattr(app, "read_clock", lambda: clock.now)
        monkeypatch.setattr(app.timers if name == "dispatch_outbox" else app.queue, "_now", lambda: clock.now)

        def sleep(seconds: float) -> None:
            clock.now += round(seconds * 1000)

        monkeypatch.setattr(app.time, "sleep", sleep)
        return app

    return load_at


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


def test_sweep_sends_what_was_written_too_early_and_comes_due_within_15_minutes(at_now, aws):
    put_timer(aws, NOW + 10 * MINUTE, written_at=NOW - 20 * MINUTE, conversation="coming")
    put_timer(aws, NOW + 10 * MINUTE, written_at=NOW - 4 * MINUTE, conversation="sent at once")
    put_timer(aws, NOW + 16 * MINUTE, written_at=NOW - 20 * MINUTE, conversation="later")

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert [json.loads(one["MessageBody"])["conversation_id"] for one in aws.sqs.sent] == ["coming"]
    assert delays(aws) == [601]
    assert (answer["SentTimers"], answer["OverdueTimers"], answer["finished"]) == (1, 0, True)


@pytest.mark.parametrize(
    ("overdue", "sent"),
    [(30 * SECOND, 0), (61 * SECOND, 1), (6 * MINUTE, 1), (16 * MINUTE, 0), (21 * MINUTE, 1), (26 * MINUTE, 0)],
)
def test_sweep_sends_what_should_have_rung_ever_more_seldom(at_now, aws, overdue, sent):
    put_timer(aws, NOW - GRACE - overdue)

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert answer["OverdueTimers"] == sent
    assert delays(aws) == [0] * sent


def test_sweep_sends_nothing_that_was_due_over_a_day_ago_or_rings_no_more(at_now, aws):
    put_timer(aws, NOW - DAY - MINUTE, conversation="long past")
    put_timer(aws, None, conversation="over")

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert (answer["SentTimers"], answer["OverdueTimers"]) == (0, 0)


def test_sweep_goes_through_pages_and_slots(at_now, aws):
    conversations = {f"c-{number}" for number in range(40)}
    for conversation in conversations:
        put_timer(aws, NOW - 2 * MINUTE, conversation=conversation)

    answer = at_now("sweep_timers").handler({}, CONTEXT)

    assert {json.loads(one["MessageBody"])["conversation_id"] for one in aws.sqs.sent} == conversations
    assert (answer["OverdueTimers"], answer["slots"]) == (40, 32)


def test_sweep_without_time_stops_and_the_next_begins_with_another_slot(at_now, aws, monkeypatch):
    app = at_now("sweep_timers")
    read = type(app.index).read
    slots: list[str] = []

    def note(self, slot, first, last):
        slots.append(slot)
        return read(self, slot, first, last)

    monkeypatch.setattr(type(app.index), "read", note)
    hurried = SimpleNamespace(get_remaining_time_in_millis=lambda: 1_000)

    answers = []
    for later in (0, 5 * MINUTE):
        monkeypatch.setattr(app, "read_clock", lambda later=later: NOW + later)
        answers.append(app.handler({}, hurried))

    assert [(one["finished"], one["UnfinishedSweeps"]) for one in answers] == [(False, 1), (False, 1)]
    assert len(set(slots)) == 2


def test_failing_queue_fails_the_sweep_which_reports_its_counts(at_now, aws, caplog):
    put_timer(aws, NOW - 2 * MINUTE)
    aws.sqs.failing = "ServiceUnavailable"

    with pytest.raises(DependencyError, match=r"queue .*: ServiceUnavailable"):
        at_now("sweep_timers").handler({}, CONTEXT)

    assert [one.msg for one in caplog.records].count("timers_swept") == 1
