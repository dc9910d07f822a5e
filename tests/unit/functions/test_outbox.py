"""What leaves through the outbox: alerts to the topic, archive rows to the archive."""

import gzip
import json
from base64 import b64decode, b64encode

import pytest

from service_quality.errors import SurroundingsError
from tests.unit.functions.conftest import CONTEXT, read_event


def alert_rows(*sequences: int, **changed) -> dict:
    """A batch with alerts of one subject, in order of their sequence."""
    event = read_event("dynamodb_stream")
    record = next(one for one in event["Records"] if one["dynamodb"]["NewImage"]["row_kind"]["S"] == "alert")
    body = json.loads(b64decode(record["dynamodb"]["NewImage"]["body"]["B"])) | changed
    records = []
    for sequence in sequences:
        data = json.dumps(body | {"message_id": f"{body['alert_id']}-{sequence}"}).encode()
        image = record["dynamodb"]["NewImage"] | {"body": {"B": b64encode(data).decode()}}
        records.append(record | {"dynamodb": record["dynamodb"] | {"NewImage": image}})
    return {"Records": records}


def told(message: dict) -> tuple[dict, str]:
    """The JSON and the mail of a published message."""
    parts = json.loads(message["Message"])
    return json.loads(parts["default"]), parts["email"]


def settings(aws, **values: str) -> None:
    stored = {name: {"S": value} for name, value in values.items()}
    aws.dynamodb.tables["alerts"]["settings", "shop-1"] = stored


def test_alert_rows_are_published_and_nothing_else(load, aws):
    load("dispatch_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    (message,) = aws.sns.published
    body, mail = told(message)
    assert message["MessageStructure"] == "json"
    assert message["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "high_risk"},
        "severity": {"DataType": "String", "StringValue": "critical"},
        "state": {"DataType": "String", "StringValue": "opened"},
        "shop_id": {"DataType": "String", "StringValue": "shop-1"},
        "score": {"DataType": "Number", "StringValue": "0.73106"},
    }
    assert message["Subject"] == "[critical] Conversation is likely to end dissatisfied (new) - shop-1"
    assert body["score"] == 0.73106
    assert "What to do" in mail


def test_ids_leave_as_stable_salted_hashes(load, aws):
    app = load("dispatch_outbox")
    app.handler(read_event("dynamodb_stream"), CONTEXT)
    app.handler(read_event("dynamodb_stream"), CONTEXT)
    aws.secretsmanager.secrets[aws.environment["ID_SALT_SECRET"]] = "another salt"
    load("dispatch_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    first, again, other = (told(message)[0] for message in aws.sns.published)
    names = ("alert_id", "message_id", "event_id")
    assert first == again
    assert all(first[name] != other[name] for name in names)
    assert first["subject"]["id"] != other["subject"]["id"]
    assert first["message_id"] == f"{first['alert_id']}-1"
    assert not any("contact-1" in message["Message"] for message in aws.sns.published)


def test_shop_may_ask_for_plain_ids_chinese_and_its_name(load, aws):
    settings(aws, language="zh", ids="plain", display_name="小店")

    load("dispatch_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    body, mail = told(aws.sns.published[0])
    assert body["subject"] == {"kind": "conversation", "id": "contact-1"}
    assert body["event_id"] == "contact-1-answered"
    assert "店铺：小店" in mail
    assert "建议措施" in mail


def test_messages_go_in_the_order_of_the_stream(load, aws):
    load("dispatch_outbox").handler(alert_rows(1, 2, 3), CONTEXT)

    assert [told(message)[0]["message_id"][-2:] for message in aws.sns.published] == ["-1", "-2", "-3"]


def test_alert_without_a_score_has_no_score_attribute(load, aws):
    load("dispatch_outbox").handler(alert_rows(1, score=None, reasons=[], model_version=None), CONTEXT)

    assert sorted(aws.sns.published[0]["MessageAttributes"]) == ["kind", "severity", "shop_id", "state"]


def test_failing_topic_raises_so_that_the_batch_comes_again(load, aws):
    app = load("dispatch_outbox")
    aws.sns.failing = "Throttled"

    with pytest.raises(SurroundingsError, match="Throttled at topic"):
        app.handler(alert_rows(1), CONTEXT)


def test_archive_rows_become_one_object_of_their_date(load, aws):
    load("archive_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    ((key, data),) = aws.s3.buckets["archive"].items()
    (row,) = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    assert key.startswith("archive/date=2026-11-20/")
    assert [entry["event"]["event_id"] for entry in row["entries"]] == [
        "contact-1-opened",
        "contact-1-said",
        "contact-1-answered",
    ]


def test_same_rows_again_overwrite_the_same_object(load, aws):
    app = load("archive_outbox")
    app.handler(read_event("dynamodb_stream"), CONTEXT)
    before = dict(aws.s3.buckets["archive"])

    app.handler(read_event("dynamodb_stream"), CONTEXT)

    assert aws.s3.buckets["archive"] == before


def test_batch_without_archive_rows_writes_nothing(load, aws):
    load("archive_outbox").handler(alert_rows(1), CONTEXT)

    assert aws.s3.buckets["archive"] == {}


def test_failing_bucket_raises_so_that_the_batch_comes_again(load, aws):
    app = load("archive_outbox")
    aws.s3.failing = "SlowDown"

    with pytest.raises(SurroundingsError, match="SlowDown at bucket archive"):
        app.handler(read_event("dynamodb_stream"), CONTEXT)
