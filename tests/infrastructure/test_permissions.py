"""Each function may do what it does, and nothing else."""

import pytest

from service_quality.adapters.archive_ledger import SWEEP
from service_quality.commit.archived_ranges import LEDGER
from tests.infrastructure.templates import FUNCTIONS, resources, statements

# The permissions of each role, as the code of its function and its event source need them.
EXPECTED = {
    "IngestEvents": {
        "EventQueueArn": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "EventStreamArn": {"kinesis:DescribeStreamSummary", "kinesis:PutRecords"},
        "StateTableArn": {"dynamodb:GetItem", "dynamodb:BatchGetItem"},
        "ModelsTableArn": {"dynamodb:GetItem"},
        "ModelsBucketArn": {"s3:ListBucket"},
        "${ModelsBucketArn}/models/*": {"s3:GetObject"},
        "${RejectedBucketArn}/rejected/*": {"s3:PutObject"},
        "IngestEventsLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "ScoreInteractions": {
        "EventStreamArn": {
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
            "kinesis:PutRecords",
        },
        "StateTableArn": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"},
        "AlertsTableArn": {"dynamodb:PutItem", "dynamodb:Query"},
        "ControlKeySecretArn": {"secretsmanager:GetSecretValue"},
        "ModelsTableArn": {"dynamodb:GetItem"},
        "ModelsBucketArn": {"s3:ListBucket"},
        "${ModelsBucketArn}/models/*": {"s3:GetObject"},
        "${RejectedBucketArn}/rejected/*": {"s3:PutObject"},
        "${RejectedBucketArn}/parked/*": {"s3:PutObject"},
        "${RejectedBucketArn}/aws/lambda/*": {"s3:PutObject"},
        "RejectedBucketArn": {"s3:ListBucket"},
        "ScoreInteractionsLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "DispatchOutbox": {
        "AlertsStreamArn": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        "AlertsTableArn": {"dynamodb:GetItem"},
        "IdSaltSecretArn": {"secretsmanager:GetSecretValue"},
        "AlertTopicArn": {"sns:GetTopicAttributes", "sns:Publish", "sns:PublishBatch"},
        "AlertKeyArn": {"kms:Decrypt", "kms:GenerateDataKey"},
        "${RejectedBucketArn}/outbox/alert/*": {"s3:PutObject"},
        "${RejectedBucketArn}/aws/lambda/*": {"s3:PutObject"},
        "RejectedBucketArn": {"s3:ListBucket"},
        "DispatchOutboxLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "ArchiveOutbox": {
        "AlertsStreamArn": {
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        },
        "${ArchiveBucketArn}/archive/*": {"s3:PutObject"},
        "AlertsTableArn": {"dynamodb:GetItem", "dynamodb:PutItem"},
        "${RejectedBucketArn}/outbox/archive/*": {"s3:PutObject"},
        "${RejectedBucketArn}/aws/lambda/*": {"s3:PutObject"},
        "RejectedBucketArn": {"s3:ListBucket"},
        "ArchiveOutboxLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
    "SweepArchive": {
        "AlertsTableArn": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"},
        "${ArchiveBucketArn}/archive/*": {"s3:PutObject"},
        "${RejectedBucketArn}/outbox/archive/*": {"s3:PutObject"},
        "SweepArchiveLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    },
}


def test_each_function_has_a_role_of_its_own_with_one_policy():
    roles = resources("AWS::IAM::Role")

    assert set(roles) == {f"{function}Role" for function in FUNCTIONS}
    assert all(len(role["Policies"]) == 1 and "ManagedPolicyArns" not in role for role in roles.values())
    for function in FUNCTIONS:
        assert resources("AWS::Lambda::Function")[f"{function}Function"]["Role"] == {"Ref": f"{function}RoleArn"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_policy_names_exactly_what_the_function_needs(function):
    allowed: dict[str, set[str]] = {}
    for statement in statements(function):
        (resource,) = statement["Resource"].values()
        allowed.setdefault(resource, set()).update(statement["Action"])

    assert allowed == EXPECTED[function]


@pytest.mark.parametrize(("function", "keys"), [("ArchiveOutbox", [LEDGER]), ("SweepArchive", [LEDGER, SWEEP])])
def test_archiver_and_sweep_write_their_own_rows_of_the_alerts_table_alone(function, keys):
    (writing,) = (one for one in statements(function) if "dynamodb:PutItem" in one["Action"])

    assert writing["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys}}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_policy_has_no_wildcard_but_behind_a_resource_of_ours(function):
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        (resource,) = statement["Resource"].values()
        assert "*" not in resource or resource.startswith("${")
