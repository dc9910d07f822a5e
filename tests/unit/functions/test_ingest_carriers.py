"""Wrapped, malformed or too large messages at the inlet: read, or stored with a reason; never an error of ours."""

import json
from base64 import b64decode
from copy import deepcopy
from types import SimpleNamespace

import pytest

from service_quality.errors import DependencyError
from tests.unit.functions.conftest import CONTEXT, put_events, read_event


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("bus_in_queue", ["contact-1-opened", "contact-1-said", "contact-1-answered"]),
        ("sns_in_queue", ["contact-1-opened", "contact-1-said"]),
    ],
)
def test_events_that_others_wrapped_for_the_queue_are_taken(ingest, aws, name, ids):
    assert ingest.handler(read_event(name), CONTEXT) == {"batchItemFailures": []}
    assert [event["event_id"] for event in put_events(aws)] == ids
    assert aws.rejected() == []


def test_cloud_events_are_taken_one_by_one_and_as_a_list(ingest, aws):
    batch = read_event("cloudevents")
    queued = {"Records": [{"messageId": f"m-{number}", "body": json.dumps(one)} for number, one in enumerate(batch)]}

    answer = ingest.handler(batch, CONTEXT)
    ingest.handler(queued, CONTEXT)

    ids = ["contact-1-opened", "contact-1-said", "contact-1-answered"]
    assert (answer["accepted"], answer["rejected"]) == (ids, [])
    assert [event["event_id"] for event in put_events(aws)] == [*ids, *ids]


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"events": []}', '{"events": 7}', "7", '"x"', "[[]]"])
def test_message_without_an_event_is_stored_with_its_reason(ingest, aws, body):
    answer = ingest.handler({"Records": [{"messageId": "m", "body": body}]}, CONTEXT)

    (stored,) = aws.rejected()
    assert answer == {"batchItemFailures": []}
    assert stored["reason"] in ("no_event", "not_an_object", "malformed_json")


def test_stray_list_of_events_beside_an_event_loses_nothing(ingest, aws):
    event = read_event("direct")["events"][0]

    answer = ingest.handler({**event, "events": []}, CONTEXT)

    assert answer["accepted"] == ["contact-1-opened"]
    assert answer["unknown_fields"] == [{"index": 0, "event_id": "contact-1-opened", "fields": ["events"], "count": 1}]


@pytest.mark.parametrize(
    "event",
    [
        *(7, "text", "", None, True, 1.5, [], [7], {}, {"Records": 7}, {"Records": []}, {"Records": [7, None]}),
        *({"Records": [{"body": "{}"}]}, {"Records": [{"kinesis": {}}]}, {"detail-type": "t"}, {"preview": True}),
        *({"detail-type": "t", "detail": 7}, {"events": 7}, {"events": [[]]}, {"preview": None}),
    ],
    ids=json.dumps,
)
def test_wrong_shape_gets_an_answer(ingest, event):
    answer = ingest.handler(event, CONTEXT)

    assert answer["accepted"] == []
    assert all(one["reason"] and one["message"] for one in answer["rejected"])
    assert answer["rejected"]


@pytest.mark.parametrize("stranger", [7, None, [], {}, {"body": "{}"}, {"messageId": 7}, {"messageId": "n"}])
def test_message_of_a_wrong_shape_is_stored_and_the_others_are_taken(ingest, aws, stranger):
    batch = read_event("sqs_batch")["Records"][:1]

    answer = ingest.handler({"Records": [*batch, stranger]}, CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert [event["event_id"] for event in put_events(aws)] == ["contact-1-opened"]
    assert len(aws.rejected()) == 1


def test_batch_comes_again_when_a_message_without_an_id_cannot_be_stored(ingest, aws):
    aws.s3.failing = "SlowDown"

    with pytest.raises(DependencyError, match="found a failed message without an id"):
        ingest.handler({"Records": [{"messageId": "m", "body": "{}"}, 7]}, CONTEXT)


def test_message_of_too_many_events_is_one_object_and_stops_nothing(ingest, aws):
    good = read_event("sqs_batch")["Records"][0]
    body = json.dumps({"events": [1] * 131_000})

    answer = ingest.handler({"Records": [{"messageId": "m", "body": body}, good]}, CONTEXT)

    (stored,) = aws.rejected()
    assert answer == {"batchItemFailures": []}
    assert stored["reason"] == "too_many_events"
    assert b64decode(stored["raw_base64"]) == body.encode()
    assert len(put_events(aws)) == 1


def test_rejected_events_of_one_message_are_one_object(ingest, aws):
    ingest.handler({"Records": [{"messageId": "m", "body": json.dumps([1] * 1_000)}]}, CONTEXT)

    (key,) = aws.s3.buckets["rejected"]
    assert key.startswith("rejected/_invalid/m-0000-")
    assert len(aws.rejected()) == 1_000


def test_message_that_comes_again_is_stored_as_the_same_object(ingest, aws, monkeypatch):
    ingest.handler(read_event("sqs_batch"), CONTEXT)
    before = deepcopy(aws.s3)
    monkeypatch.setattr(ingest.inlet, "now", lambda: 1_795_165_999_000)

    ingest.handler(read_event("sqs_batch"), CONTEXT)

    assert aws.s3 == before


def test_message_id_that_is_no_plain_name_stays_one_segment(ingest, aws):
    ids = ["../../etc", "m" * 5_000, "\ud800", "店铺", " "]

    ingest.handler({"Records": [{"messageId": one, "body": "7"} for one in ids]}, CONTEXT)

    assert len(aws.rejected()) == len(ids)
    assert all(key.count("/") == 2 and len(key) < 100 for key in aws.s3.buckets["rejected"])


def test_what_the_time_does_not_suffice_for_is_handed_back_and_what_was_done_is_done(ingest, aws):
    left = iter([60_000, 1_000])
    event = read_event("direct")["events"][1]
    full = [json.dumps([{**event, "event_id": f"{name}-{number}"} for number in range(600)]) for name in "abcd"]
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: next(left))

    answer = ingest.handler({"Records": [{"messageId": f"m-{n}", "body": one} for n, one in enumerate(full)]}, context)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-2"}, {"itemIdentifier": "m-3"}]}
    assert len(put_events(aws)) == 1_200


def test_first_message_is_taken_however_little_time_is_left(ingest, aws):
    context = SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: 1)

    answer = ingest.handler(read_event("sqs_batch"), context)

    assert len(answer["batchItemFailures"]) == 3
    assert [event["event_id"] for event in put_events(aws)] == ["contact-1-opened"]


def test_small_messages_are_put_together(ingest, aws):
    (message,) = read_event("sqs_batch")["Records"][:1]

    ingest.handler({"Records": [{**message, "messageId": f"m-{number}"} for number in range(100)]}, CONTEXT)

    assert (len(put_events(aws)), aws.kinesis.calls) == (100, 1)


def test_message_whose_bad_event_cannot_be_stored_puts_nothing_before_it_comes_again(ingest, aws):
    aws.s3.failing = "SlowDown"
    body = json.dumps([read_event("direct")["events"][0], 7])

    answer = ingest.handler({"Records": [{"messageId": "m", "body": body}]}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert put_events(aws) == []
