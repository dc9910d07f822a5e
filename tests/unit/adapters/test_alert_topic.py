"""Publications on SNS, and what it takes to make them: settings of shops and the salt."""

import json

import pytest

from service_quality.adapters.alert_topic import AlertTopic
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.shop_settings_table import ShopSettingsTable
from service_quality.errors import DeploymentError, SurroundingsError
from service_quality.publications import Publication, ShopSettings

ARN = "arn:aws:sns:eu-west-1:123456789012:alerts"
ATTRIBUTES = {"kind": "high_risk", "severity": "critical", "state": "opened", "shop_id": "店"}


def publication(score: float | None) -> Publication:
    return Publication('{"a":1}', "[critical] risk", "文本", ATTRIBUTES, score)


def expected(score: str | None) -> dict[str, object]:
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in ATTRIBUTES.items()}
    if score is not None:
        attributes["score"] = {"DataType": "Number", "StringValue": score}
    return {
        "TopicArn": ARN,
        "Subject": "[critical] risk",
        "MessageStructure": "json",
        "Message": json.dumps({"default": '{"a":1}', "email": "文本"}, ensure_ascii=False),
        "MessageAttributes": attributes,
    }


@pytest.mark.parametrize(("score", "told"), [(0.73106, "0.73106"), (None, None)])
def test_publication_carries_json_mail_and_at_most_five_attributes(sns, score, told):
    sns.add_response("publish", {"MessageId": "m"}, expected(told))

    AlertTopic(sns.client, ARN).publish(publication(score))


def test_failing_topic_is_one_of_the_surroundings(sns):
    sns.add_client_error("publish", "Throttled", http_status_code=429)

    with pytest.raises(SurroundingsError, match="Throttled at topic"):
        AlertTopic(sns.client, ARN).publish(publication(None))


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

    with pytest.raises(DeploymentError, match="expected a salt"):
        read_secret(secretsmanager.client, "arn:salt")
