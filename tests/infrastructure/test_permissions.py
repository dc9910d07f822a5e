"""Each function may do what it does, and nothing else."""

import pytest

from service_quality.adapters.archive_ledger import SWEEP
from service_quality.commit.archived_ranges import LEDGER
from tests.infrastructure.permissions import CALLS, allowed, needed, unknown_adapters
from tests.infrastructure.templates import FUNCTIONS, PROJECT, Function
from tests.infrastructure.test_aws_calls import calls_of_adapters

EACH = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@EACH
def test_function_has_a_role_of_its_own_with_one_policy(function: Function):
    (role,) = function.resources("AWS::IAM::Role").values()

    assert len(role["Policies"]) == 1
    assert "ManagedPolicyArns" not in role
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert function.properties["Role"] == {"Fn::GetAtt": f"{function.title}Role.Arn"}


@EACH
def test_policy_names_exactly_what_the_function_needs(function: Function):
    assert not unknown_adapters(function), "tests/infrastructure/permissions.py says what an adapter calls"
    assert allowed(function.statements) == needed(function)


def test_needs_are_read_from_the_code():
    assert needed(FUNCTIONS["preview_score"]) == {
        "StateTableArn": {"dynamodb:GetItem", "dynamodb:BatchGetItem"},
        "ModelsTableArn": {"dynamodb:GetItem"},
        "ModelsBucketArn": {"s3:ListBucket"},
        "${ModelsBucketArn}/models/*": {"s3:GetObject"},
        "PreviewScoreLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }
    assert needed(FUNCTIONS["ingest_events"]) == {
        "EventQueueArn": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
        "EventStreamArn": {"kinesis:DescribeStreamSummary", "kinesis:PutRecords"},
        "${RejectedBucketArn}/rejected/*": {"s3:PutObject"},
        "IngestEventsLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
    }


def test_every_action_is_a_call_of_an_adapter():
    granted = {action for calls in CALLS.values() for actions in calls.values() for action in actions}
    called = {name.replace("_", "") for name in calls_of_adapters()}

    left = {action for action in granted if action.partition(":")[2].lower() not in called}

    # Asked of a bucket for a missing file, of the topic's key, and by AWS of a batch of publications or messages.
    assert left == {"s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey", "sns:Publish", "sqs:SendMessage"}


@pytest.mark.parametrize(("name", "keys"), [("archive_outbox", [LEDGER]), ("sweep_archive", [LEDGER, SWEEP])])
def test_archiver_and_sweep_write_their_own_rows_of_the_alerts_table_alone(name, keys):
    (writing,) = (one for one in FUNCTIONS[name].statements if "dynamodb:PutItem" in one["Action"])

    assert writing["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys}}


@EACH
def test_policy_has_no_wildcard_but_behind_a_resource_of_ours(function: Function):
    for statement in function.statements:
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        (resource,) = statement["Resource"].values()
        assert "*" not in resource or resource.startswith("${")


def test_failed_deliveries_may_be_logged_and_nothing_else():
    (policy,) = PROJECT.resources("AWS::IAM::Policy").values()

    assert policy["Roles"] == [{"Ref": "FailedDeliveriesRole"}]
    assert allowed(policy["PolicyDocument"]["Statement"]) == {
        "FailedDeliveriesLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"}
    }
