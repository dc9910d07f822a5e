"""Publications on SNS, and what it takes to make them: settings of shops and the salt."""

import json

import pytest

from service_quality.adapters.alert_topic import AlertTopic
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.shop_settings_table import ShopSettingsTable
from service_quality.alerts.publications import Publication
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.errors import DependencyError, DeploymentError

ARN = "arn:aws:sns:eu-west-1:123456789012:alerts"
ATTRIBUTES = {"kind": "high_risk", "severity": "critical", "state": "opened", "shop_id": "店"}


def publication(score: float | None = None, *, alert_id: str = "a", body: str = '{"a":1}') -> Publication:
    numbers = {"sequence": 17_951_651_400_001, "score": score}
    known = {name: number for name, number in numbers.items() if number is not None}
    return Publication(
        alert_id, body, "[critical] risk", "文本", ATTRIBUTES, known, {"audience": ("operations", "team")}
    )


def expected(score: str | None) -> dict[str, object]:
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in ATTRIBUTES.items()}
    attributes["audience"] = {"DataType": "String.Array", "StringValue": '["operations", "team"]'}
    attributes["sequence"] = {"DataType": "Number", "StringValue": "17951651400001"}
    if score is not None:
        attributes["score"] = {"DataType": "Number", "StringValue": score}
    entry = {
        "Id": "0",
        "Subject": "[critical] risk",
        "MessageStructure": "json",
        "Message": json.dumps({"default": '{"a":1}', "email": "文本"}, ensure_ascii=False),
        "MessageAttributes": attributes,
    }
    return {"TopicArn": ARN, "PublishBatchRequestEntries": [entry]}


def taken(count: int) -> dict[str, object]:
    return {"Successful": [{"Id": str(number), "MessageId": "m"} for number in range(count)], "Failed": []}


@pytest.mark.parametrize(("score", "sent"), [(0.73106, "0.73106"), (None, None)])
def test_publication_carries_json_mail_its_number_and_what_to_filter_by(sns, score, sent):
    sns.add_response("publish_batch", taken(1), expected(sent))

    AlertTopic(sns.client, ARN).publish([publication(score)])


@pytest.mark.parametrize(
    ("publications", "calls"),
    [
        ([publication(alert_id=str(number)) for number in range(12)], [10, 2]),
        ([publication(alert_id=name) for name in "abab"], [2, 2]),  # a resolved never overtakes its opened
        ([publication(alert_id=name, body="x" * 90_000) for name in "abc"], [2, 1]),
    ],
)
def test_a_call_holds_ten_messages_one_of_an_alert_and_what_the_topic_takes(sns, publications, calls):
    for count in calls:
        sns.add_response("publish_batch", taken(count))

    AlertTopic(sns.client, ARN).publish(publications)

    sns.assert_no_pending_responses()


def test_failing_topic_is_a_dependency_error(sns):
    sns.add_client_error("publish_batch", "Throttled", http_status_code=429)

    with pytest.raises(DependencyError, match=r"topic .*: Throttled"):
        AlertTopic(sns.client, ARN).publish([publication()])


def test_message_that_is_not_taken_raises_before_any_later_call(sns):
    rejected = {"Id": "1", "Code": "InternalError", "SenderFault": False}
    sns.add_response("publish_batch", {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": [rejected]})

    with pytest.raises(DependencyError, match="InternalError for 1 of 2 messages"):
        AlertTopic(sns.client, ARN).publish([publication(alert_id=name) for name in "abab"])


def test_message_that_the_topic_calls_invalid_is_named_and_holds_no_other_back(sns):
    rejected = {"Id": "1", "Code": "InvalidParameter", "SenderFault": True}
    sns.add_response("publish_batch", {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": [rejected]})
    sns.add_response("publish_batch", {"Successful": [{"Id": "2", "MessageId": "m"}], "Failed": []})

    refused_ones = AlertTopic(sns.client, ARN).publish([publication(alert_id=name) for name in "aba"])

    assert refused_ones == {1: "InvalidParameter"}


def test_call_that_fails_for_one_invalid_message_is_made_for_each_alone(sns):
    sns.add_client_error("publish_batch", "InvalidParameterValue")
    sns.add_response("publish_batch", {"Successful": [{"Id": "0", "MessageId": "m"}], "Failed": []})
    sns.add_client_error("publish_batch", "InvalidParameterValue")

    refused_ones = AlertTopic(sns.client, ARN).publish([publication(alert_id=name) for name in "ab"])

    assert refused_ones == {1: "InvalidParameterValue"}


def test_throttled_message_beside_an_invalid_one_brings_both_again(sns):
    failed = [
        {"Id": "0", "Code": "InvalidParameter", "SenderFault": True},
        {"Id": "1", "Code": "Throttled", "SenderFault": True},
    ]
    sns.add_response("publish_batch", {"Successful": [], "Failed": failed})

    with pytest.raises(DependencyError, match="Throttled for 2 of 2 messages"):
        AlertTopic(sns.client, ARN).publish([publication(alert_id=name) for name in "ab"])


def test_missing_topic_is_named(sns):
    sns.add_client_error("get_topic_attributes", "NotFound")

    with pytest.raises(DeploymentError, match=ARN):
        AlertTopic(sns.client, ARN).check()


def test_settings_are_read_once_a_minute(dynamodb):
    clock = [0.0]
    stored = {"Item": {"language": {"S": "zh"}, "ids": {"S": "plain"}, "display_name": {"S": "小店"}}}
    asked = {"TableName": "alerts", "Key": {"stream_key": {"S": "settings"}, "sequence": {"S": "s"}}}
    dynamodb.add_response("get_item", stored, asked)
    dynamodb.add_response("get_item", {}, asked)
    shops = ShopSettingsTable(dynamodb.client, "alerts", now=lambda: clock[0])

    first = [shops.read("s"), shops.read("s")]
    clock[0] = 60.0
    later = shops.read("s")

    assert first == [ShopSettings("zh", "plain", "小店")] * 2
    assert later == ShopSettings("en", "hashed", None)


def test_missing_settings_table_is_named(dynamodb):
    dynamodb.add_client_error("get_item", "ResourceNotFoundException")

    with pytest.raises(DeploymentError, match="table alerts"):
        ShopSettingsTable(dynamodb.client, "alerts").check()


def test_secret_is_read_as_bytes(secretsmanager):
    secretsmanager.add_response("get_secret_value", {"SecretString": "盐"}, {"SecretId": "arn:salt"})

    assert read_secret(secretsmanager.client, "arn:salt") == "盐".encode()


def test_forbidden_secret_is_named(secretsmanager):
    secretsmanager.add_client_error("get_secret_value", "AccessDeniedException")

    with pytest.raises(DeploymentError, match="secret arn:salt"):
        read_secret(secretsmanager.client, "arn:salt")


def test_empty_secret_is_refused(secretsmanager):
    secretsmanager.add_response("get_secret_value", {})

    with pytest.raises(DeploymentError, match="expected its bytes"):
        read_secret(secretsmanager.client, "arn:salt")
