"""Queue, bus and direct callers onto the stream."""

import json
from base64 import b64decode

import pytest

from service_quality.errors import DependencyError
from service_quality.instants import DAY, format_instant
from tests.unit.functions.conftest import CONTEXT, NOW, put_events, read_event


def compact(event: dict) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def test_direct_caller_learns_what_was_accepted_and_what_rejected(ingest, aws):
    answer = ingest.handler(read_event("direct"), CONTEXT)

    assert answer["accepted"] == ["contact-1-opened", "contact-1-said", "contact-1-answered"]
    assert answer["rejected"] == [
        {
            "index": 2,
            "event_id": "contact-9-opened",
            "reason": "unknown_kind",
            "message": "kind: found history_imported, expected one of agent_message, assigned, bot_message, "
            "cart_added, complaint_filed, conversation_opened, customer_message, internal_note, order_cancelled, "
            "order_placed, order_returned, page_viewed, rated, reopened, resolved, searched, status_changed, "
            "stock_counted, suggestion_made",
        }
    ]
    assert [event["event_id"] for event in put_events(aws)] == answer["accepted"]
    assert {record["PartitionKey"] for record in aws.kinesis.records} == {"shop-1"}


def test_inlet_stamps_the_arrival_whatever_the_source_says(ingest, aws):
    event = read_event("direct")["events"][0] | {"received_at": "2001-01-01T00:00:00Z"}

    ingest.handler({"events": [event]}, CONTEXT)

    assert put_events(aws)[0]["received_at"] == "2026-11-20T09:00:01.000Z"


def test_rejected_event_is_stored(ingest, aws):
    ingest.handler(read_event("direct"), CONTEXT)

    (stored,) = aws.rejected()
    assert (stored["shop_id"], stored["position"]) == ("shop-2", f"{CONTEXT.aws_request_id}-0002")
    assert json.loads(b64decode(stored["raw_base64"]))["kind"] == "history_imported"


def test_event_id_that_is_no_id_is_not_repeated(ingest):
    answer = ingest.handler({"events": [{"event_id": "x\x00" * 999}, 7]}, CONTEXT)

    assert [sorted(one) for one in answer["rejected"]] == [["index", "message", "reason"]] * 2


def test_bare_event_is_taken_as_one(ingest):
    assert ingest.handler(read_event("direct")["events"][0], CONTEXT)["accepted"] == ["contact-1-opened"]


def test_event_too_large_for_the_stream_keeps_what_fits_of_its_texts(ingest, aws):
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

    answer = ingest.handler({"Records": [{"messageId": "m", "body": compact(event)}]}, CONTEXT)

    assert answer == {"batchItemFailures": []}
    (put,) = put_events(aws)
    assert (put["query"], put["sku"], put["product"]) == ("😀" * 8000, event["sku"], "😀" * 128)
    assert 7_980 <= len(put["text"]) < 8_000
    assert aws.rejected() == []


def test_mail_larger_than_a_record_is_taken_with_the_beginning_of_its_text(ingest, aws):
    event = read_event("direct")["events"][1] | {"text": "it never came. " * 20_000}

    answer = ingest.handler({"events": [event]}, CONTEXT)

    assert answer["accepted"] == [event["event_id"]]
    assert put_events(aws)[0]["text"] == event["text"][:8_000]


def test_caller_learns_which_values_could_not_be_used(ingest, aws, capsys):
    event = read_event("direct")["events"][0] | {"agent_id": "x" * 300, "rating": "Good", "courtesy": 1}

    answer = ingest.handler({"events": [event]}, CONTEXT)

    assert answer["accepted"] == [event["event_id"]]
    (odd,) = answer["odd_fields"]
    assert odd == {"index": 0, "event_id": event["event_id"], "fields": ["agent_id", "rating"]}
    assert [one["fields"] for one in answer["unknown_fields"]] == [["courtesy"]]
    assert '"OddValues":[2.0]' in capsys.readouterr().out
    assert put_events(aws)[0].get("rating") == "Good"


def test_shop_and_ids_go_on_the_stream_in_their_one_spelling(ingest, aws):
    event = read_event("direct")["events"][0] | {"shop_id": "shop\u00a01 ", "event_id": "\ufeffe-1"}

    answer = ingest.handler({"events": [event]}, CONTEXT)

    assert (answer["accepted"], aws.kinesis.records[0]["PartitionKey"]) == (["e-1"], "shop 1")
    assert put_events(aws)[0]["shop_id"] == "shop 1"


def test_messages_of_a_queue_are_taken_and_bad_ones_are_done_with(ingest, aws):
    answer = ingest.handler(read_event("sqs_batch"), CONTEXT)

    assert answer == {"batchItemFailures": []}
    assert [event["event_id"] for event in put_events(aws)] == [
        "contact-1-opened",
        "contact-1-said",
        "contact-1-answered",
    ]
    assert [stored["reason"] for stored in aws.rejected()] == ["malformed_json", "unknown_kind"]


def test_only_messages_that_the_stream_did_not_take_fail(ingest, aws):
    aws.kinesis.refusing = {b"contact-1-answered"}

    answer = ingest.handler(read_event("sqs_batch"), CONTEXT)

    failed = read_event("sqs_batch")["Records"][2]["messageId"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed}]}


def test_message_whose_bad_event_cannot_be_stored_fails(ingest, aws):
    aws.s3.failing = "SlowDown"

    answer = ingest.handler(read_event("sqs_batch"), CONTEXT)

    messages = [message["messageId"] for message in read_event("sqs_batch")["Records"]]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [messages[1], messages[3]]
    assert len(put_events(aws)) == 3


def test_every_good_message_fails_while_the_stream_is_away(ingest, aws):
    aws.kinesis.failing = "ServiceUnavailable"

    answer = ingest.handler(read_event("sqs_batch"), CONTEXT)

    messages = [message["messageId"] for message in read_event("sqs_batch")["Records"]]
    assert [one["itemIdentifier"] for one in answer["batchItemFailures"]] == [messages[0], messages[2]]


def test_event_of_a_bus_is_taken(ingest, aws):
    assert ingest.handler(read_event("eventbridge"), CONTEXT)["accepted"] == ["contact-1-opened"]
    assert [event["event_id"] for event in put_events(aws)] == ["contact-1-opened"]


def test_events_in_one_detail_of_a_bus_are_taken(ingest, aws):
    envelope = read_event("eventbridge") | {"detail": {"events": read_event("direct")["events"]}}

    ingest.handler(envelope, CONTEXT)

    assert len(put_events(aws)) == 3


@pytest.mark.parametrize("event", [read_event("eventbridge"), read_event("direct")])
def test_caller_and_bus_hear_of_a_stream_that_takes_no_more(ingest, aws, event):
    aws.kinesis.refusing = {b"contact-1-opened"}

    with pytest.raises(DependencyError, match="found 1 events not taken"):
        ingest.handler(event, CONTEXT)


@pytest.mark.parametrize("wish", [True, "true", "false", 1, 0, None, [True]])
def test_call_for_a_preview_is_rejected_and_says_which_function_gives_them(ingest, aws, wish):
    answer = ingest.handler(read_event("direct") | {"preview": wish}, CONTEXT)

    (rejected,) = answer["rejected"]
    assert rejected["message"].endswith("expected no such field: the function preview_score gives previews")
    assert answer["accepted"] == put_events(aws) == []
    assert [stored["reason"] for stored in aws.rejected()] == ["misplaced_preview"]


@pytest.mark.parametrize("form", [lambda event: event, lambda event: [event], lambda event: {"events": [event]}])
def test_preview_that_nobody_would_answer_is_rejected(ingest, aws, form):
    event = {**read_event("direct")["events"][0], "preview": True}

    ingest.handler({"Records": [{"messageId": "m", "body": json.dumps(form(event))}]}, CONTEXT)

    assert put_events(aws) == []
    assert [stored["reason"] for stored in aws.rejected()] == ["misplaced_preview"]


def test_unknown_fields_are_named_to_the_caller_and_counted(ingest, capsys):
    event = read_event("direct")["events"][0] | {"custmer_id": "c", "Wo ist mein Paket": "?", "13812345678": 1}
    bad = {"event_id": "bad", "custmer_id": "c"}

    answer = ingest.handler({"events": [event, bad], "preveiw": True}, CONTEXT)

    assert answer["unknown_fields"] == [
        {"fields": ["preveiw"], "count": 1},
        {
            "index": 0,
            "event_id": "contact-1-opened",
            "fields": ["custmer_id", "a name of 11 characters", "a name of 17 characters"],
            "count": 3,
        },
        {"index": 1, "event_id": "bad", "fields": ["custmer_id"], "count": 1},
    ]
    assert '"UnknownFields":[5.0]' in capsys.readouterr().out


def test_unknown_fields_of_one_event_are_named_up_to_ten(ingest):
    event = read_event("direct")["events"][0] | {f"field_{number:05d}": 1 for number in range(1_000)}

    (unknown,) = ingest.handler(event, CONTEXT)["unknown_fields"]

    assert unknown["fields"] == [f"field_{number:05d}" for number in range(10)]
    assert unknown["count"] == 1_000


@pytest.mark.parametrize(("days", "reasons"), [(30, []), (31, ["older_than_retention"])])
def test_event_from_before_the_retention_is_rejected_where_it_enters(ingest, days, reasons):
    event = read_event("direct")["events"][0] | {"occurred_at": format_instant(NOW - days * DAY)}

    answer = ingest.handler({"events": [event]}, CONTEXT)

    assert [one["reason"] for one in answer["rejected"]] == reasons


def test_old_event_of_a_queue_is_stored_with_its_reason(ingest, aws):
    event = read_event("direct")["events"][0] | {"occurred_at": "2026-10-01T00:00:00Z"}

    ingest.handler({"Records": [{"messageId": "m", "body": json.dumps(event)}]}, CONTEXT)

    assert [stored["reason"] for stored in aws.rejected()] == ["older_than_retention"]


def test_event_of_long_chinese_texts_is_taken_in_every_form(ingest, aws):
    event = read_event("direct")["events"][1] | {"text": "包" * 8_000, "query": "裹" * 8_000}

    for form in (event, [event], {"events": [event]}, {"Records": [{"messageId": "m", "body": json.dumps([event])}]}):
        ingest.handler(form, CONTEXT)

    assert len(put_events(aws)) == 4


def test_log_holds_no_words_and_no_ids_of_persons(ingest, capsys, caplog):
    ingest.handler(read_event("direct"), CONTEXT)
    ingest.handler(read_event("sqs_batch"), CONTEXT)

    said = capsys.readouterr().out + "".join(str(vars(record)) for record in caplog.records)
    assert "events_taken_in" in said
    assert not any(name in said for name in ("customer-7", "agent-3", "contact-1", "包裹", "cut off"))
