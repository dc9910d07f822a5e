"""Queue, bus and direct callers onto the stream; previews that change nothing."""

import json
from base64 import b64decode
from copy import deepcopy

import pytest

from service_quality.errors import SurroundingsError
from tests.unit.functions.conftest import CONTEXT, MODEL, read_event


@pytest.fixture
def app(load, monkeypatch):
    loaded = load("ingest_events")
    monkeypatch.setattr(loaded, "read_clock", lambda: 1_795_165_201_000)
    monkeypatch.setattr(loaded.stream, "_pause", lambda seconds: None)
    return loaded


def put(aws) -> list[dict]:
    return [json.loads(record["Data"]) for record in aws.kinesis.records]


def compact(event: dict) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def test_direct_caller_is_told_what_was_accepted_and_what_rejected(app, aws):
    answer = app.handler(read_event("direct"), CONTEXT)

    assert answer["accepted"] == ["contact-1-opened", "contact-1-said", "contact-1-answered"]
    assert answer["rejected"] == [
        {
            "index": 2,
            "event_id": "contact-9-opened",
            "reason": "unknown_kind",
            "message": "kind: found history_imported, expected a known kind",
        }
    ]
    assert [event["event_id"] for event in put(aws)] == answer["accepted"]
    assert {record["PartitionKey"] for record in aws.kinesis.records} == {"shop-1"}


def test_inlet_stamps_the_arrival_whatever_the_source_says(app, aws):
    event = read_event("direct")["events"][0] | {"received_at": "2001-01-01T00:00:00Z"}

    app.handler({"events": [event]}, CONTEXT)

    assert put(aws)[0]["received_at"] == "2026-11-20T09:00:01.000Z"


def test_rejected_event_is_kept(app, aws):
    app.handler(read_event("direct"), CONTEXT)

    (kept,) = aws.rejected()
    assert (kept["shop_id"], kept["position"]) == ("shop-2", f"{CONTEXT.aws_request_id}-0002")
    assert json.loads(b64decode(kept["raw_base64"]))["kind"] == "history_imported"


def test_event_id_that_is_none_is_not_repeated(app):
    answer = app.handler({"events": [{"event_id": "x\x00" * 999}, 7]}, CONTEXT)

    assert [sorted(one) for one in answer["rejected"]] == [["index", "message", "reason"]] * 2


def test_bare_event_is_taken_as_one(app):
    assert app.handler(read_event("direct")["events"][0], CONTEXT)["accepted"] == ["contact-1-opened"]


def test_event_that_its_stamp_makes_too_large_is_rejected(app, aws):
    wide = {
        "text": "😀" * 8000,
        "query": "😀" * 8000,
        "product": "😀" * 128,
        "channel": "😀" * 128,
        "agent_shift": "s" * 128,
    }
    event = read_event("direct")["events"][1] | wide
    event["sku"] = "s" * (65_490 - len(compact(event | {"sku": ""}).encode()))
    assert 1 <= len(event["sku"]) <= 128

    answer = app.handler({"Records": [{"messageId": "m", "body": compact(event)}]}, CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert put(aws) == []
    assert [kept["reason"] for kept in aws.rejected()] == ["too_large"]


def test_messages_of_a_queue_are_taken_and_bad_ones_are_done_with(app, aws):
    answer = app.handler(read_event("sqs_batch"), CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert [event["event_id"] for event in put(aws)] == ["contact-1-opened", "contact-1-said", "contact-1-answered"]
    assert [kept["reason"] for kept in aws.rejected()] == ["malformed_json", "unknown_kind"]


def test_only_messages_that_the_stream_refused_fail(app, aws):
    aws.kinesis.refusing = {b"contact-1-answered"}

    answer = app.handler(read_event("sqs_batch"), CONTEXT)

    failed = read_event("sqs_batch")["Records"][2]["messageId"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed}]}


def test_message_whose_bad_event_cannot_be_kept_fails(app, aws):
    aws.s3.failing = "SlowDown"

    answer = app.handler(read_event("sqs_batch"), CONTEXT)

    messages = [message["messageId"] for message in read_event("sqs_batch")["Records"]]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [messages[1], messages[3]]
    assert len(put(aws)) == 3


def test_every_good_message_fails_while_the_stream_is_away(app, aws):
    aws.kinesis.failing = "ServiceUnavailable"

    answer = app.handler(read_event("sqs_batch"), CONTEXT)

    messages = [message["messageId"] for message in read_event("sqs_batch")["Records"]]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [messages[0], messages[2]]


def test_event_of_a_bus_is_taken(app, aws):
    assert app.handler(read_event("eventbridge"), CONTEXT) is None
    assert [event["event_id"] for event in put(aws)] == ["contact-1-opened"]


def test_events_in_one_detail_of_a_bus_are_taken(app, aws):
    envelope = read_event("eventbridge") | {"detail": {"events": read_event("direct")["events"]}}

    app.handler(envelope, CONTEXT)

    assert len(put(aws)) == 3


@pytest.mark.parametrize("event", [read_event("eventbridge"), read_event("direct")])
def test_caller_and_bus_hear_of_a_stream_that_takes_no_more(app, aws, event):
    aws.kinesis.refusing = {b"contact-1-opened"}

    with pytest.raises(SurroundingsError, match="found 1 events refused by the stream"):
        app.handler(event, CONTEXT)


def test_preview_gives_score_and_reasons_and_changes_nothing(app, aws):
    before = deepcopy((aws.dynamodb, aws.s3))

    answer = app.handler(read_event("direct") | {"preview": True}, CONTEXT)

    previews = {one["event_id"]: one for one in answer["previews"]}
    assert answer["accepted"] == ["contact-1-opened", "contact-1-said", "contact-1-answered"]
    assert [one["reason"] for one in answer["rejected"]] == ["unknown_kind"]
    assert previews["contact-1-opened"] == {
        "event_id": "contact-1-opened",
        "score": 0.37754,
        "reasons": [],
        "model_version": MODEL,
    }
    assert previews["contact-1-answered"]["score"] == 0.73106
    assert previews["contact-1-answered"]["reasons"] == [{"feature": "answered", "value": 1, "contribution": 1.5}]
    assert aws.kinesis.records == []
    assert (aws.dynamodb, aws.s3) == before


def test_preview_is_what_the_stream_then_serves(load, app, aws):
    score_interactions = load("score_interactions")
    score_interactions.handler(read_event("kinesis_batch"), CONTEXT)
    event = {**read_event("direct")["events"][1], "event_id": "later", "occurred_at": "2026-11-20T09:00:00Z"}

    preview = app.handler({"events": [event], "preview": True}, CONTEXT)["previews"][0]

    assert preview["score"] == 0.73106


def test_preview_refuses_what_the_fold_would_refuse(app):
    event = read_event("direct")["events"][0] | {"occurred_at": "2026-10-01T00:00:00Z"}

    answer = app.handler({"events": [event], "preview": True}, CONTEXT)

    assert answer["accepted"] == answer["previews"] == []
    assert answer["rejected"][0]["reason"] == "older_than_retention"


def test_log_holds_no_words_and_no_ids_of_persons(app, capsys, caplog):
    app.handler(read_event("direct"), CONTEXT)
    app.handler(read_event("sqs_batch"), CONTEXT)

    said = capsys.readouterr().out + "".join(str(vars(record)) for record in caplog.records)
    assert "events_taken_in" in said
    assert not any(name in said for name in ("customer-7", "agent-3", "contact-1", "包裹", "cut off"))
