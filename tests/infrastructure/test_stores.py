"""What holds or carries data: encrypted, private, retained, and reached over TLS alone."""

import pytest

from service_quality.adapters.timer_table import INDEX
from tests.infrastructure.templates import PROJECT

ROOT_TEMPLATE, NESTED = PROJECT.template, PROJECT.stacks
resources = PROJECT.resources
HOLDS_DATA = (
    *("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Kinesis::Stream", "AWS::SQS::Queue"),
    "AWS::SecretsManager::Secret",
)


@pytest.mark.parametrize("table", resources("AWS::DynamoDB::Table"))
def test_table_is_on_demand_encrypted_and_recoverable(table):
    properties = resources("AWS::DynamoDB::Table")[table]

    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"]["SSEEnabled"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_alerts_table_streams_new_images_expires_and_knows_open_alerts_and_due_timers():
    table = resources("AWS::DynamoDB::Table")["AlertsTable"]

    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["open_alerts", "due_timers"]


def test_index_of_due_timers_is_the_one_that_is_read_and_tells_when_a_timer_was_written():
    table = resources("AWS::DynamoDB::Table")["AlertsTable"]
    (index,) = (one for one in table["GlobalSecondaryIndexes"] if one["IndexName"] == INDEX)

    assert [one["AttributeName"] for one in index["KeySchema"]] == ["due_slot", "due_at"]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["expires_at"]}


@pytest.mark.parametrize("bucket", resources("AWS::S3::Bucket"))
def test_bucket_is_private_and_encrypted(bucket):
    properties = resources("AWS::S3::Bucket")[bucket]

    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]


def test_what_holds_data_outlives_its_stack():
    holding = {
        name: resource
        for template in NESTED.values()
        for name, resource in template["Resources"].items()
        if resource["Type"] in HOLDS_DATA
    }

    assert {"EventStream", "IdSaltSecret", "ControlKeySecret", "EventDeadLetterQueue"} < set(holding)
    assert not [name for name, one in holding.items() if one["UpdateReplacePolicy"] != "Retain"]
    assert not [
        name for name, one in holding.items() if one["DeletionPolicy"] not in ("Retain", "RetainExceptOnCreate")
    ]


@pytest.mark.parametrize("table", resources("AWS::DynamoDB::Table"))
def test_table_is_protected_and_no_rollback_tries_to_delete_it(table):
    assert resources("AWS::DynamoDB::Table")[table]["DeletionProtectionEnabled"] is True
    assert NESTED["StorageStack"]["Resources"][table]["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize(
    ("kind", "policy", "where", "action"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket", "s3:*"),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
    ],
)
def test_nothing_is_sent_or_read_but_over_tls(kind, policy, where, action):
    for name in resources(kind):
        (found,) = (one for one in resources(policy).values() if one[where] in ({"Ref": name}, [{"Ref": name}]))
        (denied,) = (one for one in required_statements(found) if one["Effect"] == "Deny")

        assert (denied["Principal"], denied["Action"]) == ("*", action)
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert name in str(denied["Resource"])


def required_statements(policy: dict) -> list[dict]:
    """The statements of a policy where TLS is required."""
    statements = policy["PolicyDocument"]["Statement"]
    return [one["Fn::If"][1] if one.get("Fn::If", [""])[0] == "IsTlsRequired" else one for one in statements]


def test_tls_is_required_unless_a_deployment_says_otherwise():
    assert ROOT_TEMPLATE["Parameters"]["OnlyOverTls"]["Default"] == "true"
    conditions = {
        stack: one["Conditions"]["IsTlsRequired"]
        for stack, one in NESTED.items()
        if "IsTlsRequired" in one.get("Conditions", {})
    }

    assert set(conditions) == {"StorageStack", "StreamStack", "AlertsStack", "AlarmsStack", "TimersStack"}
    assert all(one == {"Fn::Equals": [{"Ref": "OnlyOverTls"}, "true"]} for one in conditions.values())


@pytest.mark.parametrize("queue", ["EventQueue", "EventDeadLetterQueue"])
def test_queue_takes_messages_of_the_bus_from_its_rule_alone(queue):
    policy = resources("AWS::SQS::QueuePolicy")[f"{queue}Policy"]
    (statement,) = (one for one in required_statements(policy) if one["Effect"] == "Allow")

    assert policy["Queues"] == [{"Ref": queue}]
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == {"Fn::GetAtt": f"{queue}.Arn"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "EventBusRule.Arn"}}}


def test_topics_are_encrypted_by_keys_that_their_publishers_may_use():
    topics = resources("AWS::SNS::Topic")

    assert topics["AlertTopic"]["KmsMasterKeyId"] == {"Ref": "AlertKey"}
    assert topics["AlarmTopic"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
