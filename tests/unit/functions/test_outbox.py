"""The ways out of the outbox: alerts to the topic, archive rows to the archive."""

import gzip
import json
import zlib
from base64 import b64decode, b64encode

import pytest

from service_quality.errors import DependencyError
from tests.unit.functions.conftest import CONTEXT, read_event


def alert_record(number: int = 1, *, body: bytes | None = None, event: str = "INSERT", **changed) -> dict:
    """The record of an alert row of one subject, its body whole or with changed fields."""
    record = next(one for one in read_event("dynamodb_stream")["Records"] if kind_of(one) == "alert")
    image = record["dynamodb"]["NewImage"]
    stored = json.loads(b64decode(image["body"]["B"])) | changed
    key = {"stream_key": image["stream_key"], "sequence": {"S": f"01795165140000-{number:04d}"}}
    data = json.dumps(stored).encode() if body is None else body
    image = image | key | {"body": {"B": b64encode(data).decode()}}
    return record | {"eventName": event, "dynamodb": record["dynamodb"] | {"NewImage": image, "Keys": key}}


def kind_of(record: dict) -> str:
    return record["dynamodb"].get("NewImage", {}).get("row_kind", {}).get("S", "")


def batch(*records: dict) -> dict:
    return {"Records": list(records)}


def alert_rows(*numbers: int, **changed) -> dict:
    """A batch with alerts of one subject, in order of their numbers."""
    return batch(*(alert_record(number, **changed) for number in numbers))


def set_aside(aws, kind: str) -> list[dict]:
    """The rows of a kind that were set aside."""
    objects = aws.s3.buckets["rejected"].items()
    return [json.loads(data) for key, data in sorted(objects) if key.startswith(f"outbox/{kind}/")]


def sent(message: dict) -> tuple[dict, str]:
    """The JSON and the mail of a published message."""
    parts = json.loads(message["Message"])
    return json.loads(parts["default"]), parts["email"]


def stored_id(event: dict) -> str:
    """The public id of the alert in a batch, as the commit stored it."""
    record = next(one for one in event["Records"] if kind_of(one) == "alert")
    return record["dynamodb"]["NewImage"]["stream_key"]["S"].rpartition("\x1f")[2]


def settings(aws, **values: str) -> None:
    stored = {name: {"S": value} for name, value in values.items()}
    aws.dynamodb.tables["alerts"]["settings", "shop-1"] = stored


def test_alert_rows_are_published_and_nothing_else(load, aws):
    load("dispatch_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    (message,) = aws.sns.published
    body, mail = sent(message)
    assert message["MessageStructure"] == "json"
    assert message["MessageAttributes"] == {
        "kind": {"DataType": "String", "StringValue": "high_risk"},
        "severity": {"DataType": "String", "StringValue": "critical"},
        "state": {"DataType": "String", "StringValue": "opened"},
        "audience": {"DataType": "String.Array", "StringValue": '["operations"]'},
        "shop_id": {"DataType": "String", "StringValue": "shop-1"},
        "sequence": {"DataType": "Number", "StringValue": "17951651400001"},
        "score": {"DataType": "Number", "StringValue": "0.73106"},
    }
    assert message["Subject"] == "[critical] Conversation is likely to end dissatisfied (new) - shop-1"
    assert body["score"] == 0.73106
    assert "What to do" in mail


def test_ids_leave_as_stable_salted_hashes_and_the_alerts_own_as_it_was_committed(load, aws):
    app = load("dispatch_outbox")
    app.handler(read_event("dynamodb_stream"), CONTEXT)
    app.handler(read_event("dynamodb_stream"), CONTEXT)
    aws.secretsmanager.secrets[aws.environment["ID_SALT_SECRET"]] = "another salt"
    load("dispatch_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    first, again, other = (sent(message)[0] for message in aws.sns.published)
    assert first == again
    assert first["event_id"] != other["event_id"]
    assert first["subject"]["id"] != other["subject"]["id"]
    assert first["alert_id"] == other["alert_id"] == stored_id(read_event("dynamodb_stream"))
    assert first["message_id"] == f"{first['alert_id']}-01795165140000-0001"
    assert not any("contact-1" in message["Message"] for message in aws.sns.published)


def test_shop_may_ask_for_plain_ids_chinese_and_its_name(load, aws):
    settings(aws, language="zh", ids="plain", display_name="小店")

    load("dispatch_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    body, mail = sent(aws.sns.published[0])
    assert body["subject"] == {"kind": "conversation", "id": "contact-1"}
    assert body["event_id"] == "contact-1-answered"
    assert "店铺：小店" in mail
    assert "建议措施" in mail


def test_messages_go_in_the_order_of_the_stream(load, aws):
    load("dispatch_outbox").handler(alert_rows(1, 2, 3), CONTEXT)

    bodies = [sent(message)[0] for message in aws.sns.published]
    assert [body["message_id"][-2:] for body in bodies] == ["01", "02", "03"]
    assert [body["sequence"] - bodies[0]["sequence"] for body in bodies] == [0, 1, 2]


def test_alert_without_a_score_has_no_score_attribute(load, aws):
    load("dispatch_outbox").handler(alert_rows(1, score=None, reasons=[], model_version=None), CONTEXT)

    assert sorted(aws.sns.published[0]["MessageAttributes"]) == [
        "audience", "kind", "sequence", "severity", "shop_id", "state",
    ]  # fmt: skip


@pytest.mark.parametrize("event", ["MODIFY", "REMOVE"])
def test_row_that_is_written_again_or_removed_is_not_published_again(load, aws, event):
    app = load("dispatch_outbox")
    app.handler(alert_rows(1), CONTEXT)

    counts = app.handler(batch(alert_record(1, event=event)), CONTEXT)

    assert counts == {"PublishedAlerts": 0, "RejectedAlerts": 0, "SentTimers": 0}
    assert len(aws.sns.published) == 1


def test_alert_of_a_rule_that_no_longer_exists_is_published_with_what_it_carries(load, aws):
    row = alert_record(1, kind="renamed_rule", evidence={"renamed_feature_30d": 4}, severity="grave")

    load("dispatch_outbox").handler(batch(row, alert_record(2)), CONTEXT)

    body, mail = sent(aws.sns.published[0])
    assert (body["kind"], body["severity"], body["evidence"]) == ("renamed_rule", "grave", {"renamed_feature_30d": 4})
    assert "renamed_feature_30d: 4" in mail
    assert len(aws.sns.published) == 2


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (alert_record(2, body=b"{broken"), "malformed_json"),
        (alert_record(2, body=b"{}"), "missing_field"),
        (alert_record(2) | {"dynamodb": {"NewImage": {"row_kind": {"S": "alert"}}}}, "missing_field"),
    ],
)
def test_row_that_cannot_be_sent_is_stored_with_a_reason_and_the_others_go_out(load, aws, record, reason):
    counts = load("dispatch_outbox").handler(batch(alert_record(1), record, alert_record(3)), CONTEXT)

    assert counts == {"PublishedAlerts": 2, "RejectedAlerts": 1, "SentTimers": 0}
    assert [sent(message)[0]["message_id"][-2:] for message in aws.sns.published] == ["01", "03"]
    (aside,) = set_aside(aws, "alert")
    assert (aside["reason"], aside["Records"]) == (reason, [record])


@pytest.mark.parametrize("shop_id", ["", "x" * 2_000])
def test_row_of_a_shop_that_no_table_could_know_is_stored_before_its_settings_are_asked_for(load, aws, shop_id):
    record = alert_record(2)
    image = record["dynamodb"]["NewImage"] | {"shop_id": {"S": shop_id}}

    counts = load("dispatch_outbox").handler(
        batch(record | {"dynamodb": record["dynamodb"] | {"NewImage": image}}, alert_record(3)), CONTEXT
    )

    assert counts == {"PublishedAlerts": 1, "RejectedAlerts": 1, "SentTimers": 0}


def test_message_that_the_topic_calls_invalid_is_stored_and_the_others_go_out(load, aws):
    aws.sns.invalid = {"another_rule"}

    counts = load("dispatch_outbox").handler(batch(alert_record(1, kind="another_rule"), alert_record(2)), CONTEXT)

    assert counts == {"PublishedAlerts": 1, "RejectedAlerts": 1, "SentTimers": 0}
    assert set_aside(aws, "alert")[0]["reason"] == "invalid_message"


def test_defect_of_the_rendering_keeps_its_row_aside_and_says_nothing_of_it(load, aws, monkeypatch, caplog):
    app = load("dispatch_outbox")
    sound = app.publication_of

    def defective(row, shop, *, salt):
        if row.sequence.endswith("0001"):
            raise KeyError(row.body)
        return sound(row, shop, salt=salt)

    monkeypatch.setattr(app, "publication_of", defective)

    app.handler(batch(alert_record(1), alert_record(2)), CONTEXT)

    said = [vars(record) for record in caplog.records]
    assert len(aws.sns.published) == 1
    assert set_aside(aws, "alert")[0]["reason"] == "rendering_failed"
    assert [one["error"] for one in said if one["msg"] == "rendering_failed"] == ["KeyError"]
    assert "contact-1" not in str(said)


def test_row_that_was_stored_is_sent_by_invoking_the_function_with_what_was_stored(load, aws):
    app = load("dispatch_outbox")
    aws.sns.invalid = {"high_risk"}
    app.handler(alert_rows(1), CONTEXT)
    aws.sns.invalid = set()

    counts = app.handler(set_aside(aws, "alert")[0], CONTEXT)

    assert counts == {"PublishedAlerts": 1, "RejectedAlerts": 0, "SentTimers": 0}


@pytest.mark.parametrize(
    "event", [None, [], "text", {}, {"Records": None}, {"Records": [1, None, {}, {"dynamodb": 1}]}]
)
def test_what_is_no_batch_is_answered_with_zero(load, aws, event):
    assert load("dispatch_outbox").handler(event, CONTEXT) == {
        "PublishedAlerts": 0,
        "RejectedAlerts": 0,
        "SentTimers": 0,
    }


def test_failing_topic_raises_so_that_the_batch_comes_again(load, aws):
    app = load("dispatch_outbox")
    aws.sns.failing = "Throttled"

    with pytest.raises(DependencyError, match=r"topic .*: Throttled"):
        app.handler(alert_rows(1), CONTEXT)


def test_archive_rows_become_one_object_of_their_date_and_bucket(load, aws):
    load("archive_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    ((key, data),) = aws.s3.buckets["archive"].items()
    (row,) = [json.loads(line) for line in gzip.decompress(data).splitlines()]
    assert key.startswith("archive/date=2026-11-20/bucket=00/")
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

    with pytest.raises(DependencyError, match="bucket archive: SlowDown"):
        app.handler(read_event("dynamodb_stream"), CONTEXT)


@pytest.mark.parametrize("event", ["MODIFY", "REMOVE"])
def test_archive_row_that_is_written_again_or_removed_is_not_archived_again(load, aws, event):
    (record,) = [one for one in read_event("dynamodb_stream")["Records"] if kind_of(one) == "archive"]

    counts = load("archive_outbox").handler(batch(record | {"eventName": event}), CONTEXT)

    assert counts == {"ArchivedRows": 0, "UnreadableRows": 0}
    assert aws.s3.buckets["archive"] == {}


def test_archived_row_is_in_its_shops_ledger(load, aws):
    load("archive_outbox").handler(read_event("dynamodb_stream"), CONTEXT)

    ((follows, last),) = json.loads(aws.dynamodb.tables["alerts"]["archive_ledger", "shop-1"]["body"]["B"])
    assert follows == ""
    assert last.startswith("0001-")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not packed", "malformed_body"),
        (zlib.compress(b"{broken"), "malformed_body"),
        (zlib.compress(b"[]"), "not_an_object"),
        (zlib.compress(b'{"shop_id":"shop-2","follows":"","last":"1","entries":[]}'), "wrong_row"),
        (zlib.compress(b'{"shop_id":"shop-1","follows":"","last":"","entries":[]}'), "wrong_row"),
    ],
)
def test_archive_row_that_cannot_be_read_is_stored_and_the_others_are_archived(load, aws, body, reason):
    (record,) = [one for one in read_event("dynamodb_stream")["Records"] if kind_of(one) == "archive"]
    image = record["dynamodb"]["NewImage"] | {"body": {"B": b64encode(body).decode()}}
    broken = record | {"dynamodb": record["dynamodb"] | {"NewImage": image}}

    counts = load("archive_outbox").handler(batch(broken, record), CONTEXT)

    assert counts == {"ArchivedRows": 1, "UnreadableRows": 1}
    assert [one["reason"] for one in set_aside(aws, "archive")] == [reason]
    assert len(aws.s3.buckets["archive"]) == 1


@pytest.mark.parametrize("written_at", [float("nan"), float("inf"), 1e300, -1, "now", None])
def test_row_of_which_the_table_gives_no_time_is_archived_with_the_others(load, aws, written_at):
    (record,) = [one for one in read_event("dynamodb_stream")["Records"] if kind_of(one) == "archive"]
    strange = record | {"dynamodb": record["dynamodb"] | {"ApproximateCreationDateTime": written_at}}

    counts = load("archive_outbox").handler(batch(strange), CONTEXT)

    assert counts == {"ArchivedRows": 1, "UnreadableRows": 0}
