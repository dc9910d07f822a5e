"""The references between the stacks, and the properties that only the real cloud applies."""

import ast
import json

import pytest

from service_quality.commit.archived_ranges import OUTBOX_DAYS
from tests.infrastructure.templates import (
    FUNCTIONS,
    NESTED,
    ROOT,
    ROOT_TEMPLATE,
    app_tree,
    folder,
    resources,
    variables,
)

OUTPUTS = {
    "EventStreamName", "StateTableName", "AlertsTableName", "ModelsTableName", "ArchiveBucketName", "ModelsBucketName",
    "RejectedBucketName", "LakeBucketName", "AlertTopicArn", "EventQueueUrl", "EventBusName",
    "IngestEventsFunctionName", "ScoreInteractionsFunctionName", "DispatchOutboxFunctionName",
    "ArchiveOutboxFunctionName", "SweepArchiveFunctionName", "ControlKeySecretArn",
}  # fmt: skip
NAMES = ("TableName", "BucketName", "FunctionName", "QueueName", "TopicName", "RoleName", "LogGroupName")
SOURCES = resources("AWS::Lambda::EventSourceMapping")
STREAM_SOURCES = ("ScoreStreamSource", "DispatchOutboxSource", "ArchiveOutboxSource")


def settings_fields(function: str) -> set[str]:
    declared = next(n for n in app_tree(function).body if isinstance(n, ast.ClassDef) and n.name == "Settings")
    return {ast.unparse(n.target).upper() for n in declared.body if isinstance(n, ast.AnnAssign)}


def test_root_gives_every_output_that_others_read():
    assert set(ROOT_TEMPLATE["Outputs"]) == OUTPUTS


@pytest.mark.parametrize("stack", NESTED)
def test_stack_is_given_exactly_its_parameters(stack):
    given = ROOT_TEMPLATE["Resources"][stack]["Properties"].get("Parameters", {})

    assert set(given) == set(NESTED[stack].get("Parameters", {}))


def test_every_output_that_is_asked_of_a_stack_exists():
    asked = [
        value["Fn::GetAtt"]
        for stack in ROOT_TEMPLATE["Resources"].values()
        for value in stack["Properties"].get("Parameters", {}).values()
        if "Fn::GetAtt" in value
    ] + [output["Value"]["Fn::GetAtt"] for output in ROOT_TEMPLATE["Outputs"].values()]

    missing = [path for path in asked if path.split(".")[2] not in NESTED[path.split(".")[0]]["Outputs"]]

    assert asked
    assert not missing


@pytest.mark.parametrize("function", FUNCTIONS)
def test_template_gives_a_function_exactly_its_settings(function):
    given = {name for name in variables(function) if not name.startswith("POWERTOOLS_")}

    assert given == settings_fields(function)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_folder_holds_only_its_app(function):
    assert {path.name for path in folder(function).iterdir()} - {"__pycache__"} == {"app.py", "requirements.txt"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_runs_where_its_layer_was_built_for(function):
    properties = resources("AWS::Lambda::Function")[f"{function}Function"]

    assert (properties["Runtime"], properties["Architectures"]) == ("python3.12", ["x86_64"])
    assert properties["Layers"] == [{"Ref": "SharedLayer"}]


def test_nothing_has_a_name_that_a_second_deployment_would_clash_with():
    named = [
        (name, key)
        for template in NESTED.values()
        for name, resource in template["Resources"].items()
        for key in NAMES
        if isinstance(resource["Properties"].get(key), str)
    ]

    assert not named


def test_logs_are_not_kept_for_ever():
    assert len(resources("AWS::Logs::LogGroup")) == len(FUNCTIONS)
    assert all(group["RetentionInDays"] for group in resources("AWS::Logs::LogGroup").values())


@pytest.mark.parametrize("table", resources("AWS::DynamoDB::Table"))
def test_table_is_on_demand_encrypted_and_recoverable(table):
    properties = resources("AWS::DynamoDB::Table")[table]

    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["SSESpecification"]["SSEEnabled"]
    assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]


def test_alerts_table_streams_new_images_expires_and_knows_open_alerts():
    table = resources("AWS::DynamoDB::Table")["AlertsTable"]

    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["open_alerts"]


@pytest.mark.parametrize("bucket", resources("AWS::S3::Bucket"))
def test_bucket_is_private_and_encrypted(bucket):
    properties = resources("AWS::S3::Bucket")[bucket]

    assert all(properties["PublicAccessBlockConfiguration"].values())
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]


def test_what_holds_data_outlives_its_stack():
    for template in NESTED.values():
        for name, resource in template["Resources"].items():
            if resource["Type"] in ("AWS::S3::Bucket", "AWS::DynamoDB::Table"):
                assert resource["DeletionPolicy"] == "RetainExceptOnCreate", name
                assert resource["UpdateReplacePolicy"] == "Retain", name


@pytest.mark.parametrize("source", STREAM_SOURCES)
def test_stream_source_starts_at_the_horizon_and_keeps_what_it_gives_up_on(source):
    properties = SOURCES[source]

    assert properties["StartingPosition"] == "TRIM_HORIZON"
    assert properties["MaximumRetryAttempts"] >= 100
    assert properties["DestinationConfig"] == {"OnFailure": {"Destination": {"Ref": "RejectedBucketArn"}}}


def test_events_are_scored_in_batches_that_come_again_whole():
    source = SOURCES["ScoreStreamSource"]

    assert source["BatchSize"] == 100
    assert "FunctionResponseTypes" not in source
    assert source["BisectBatchOnFunctionError"] is False  # a half of a bad release looks like one shop's trouble
    assert source.get("ParallelizationFactor", 1) == 1


def test_event_source_gives_up_before_its_stream_forgets():
    kept_hours = resources("AWS::Kinesis::Stream")["EventStream"]["RetentionPeriodHours"]

    assert SOURCES["ScoreStreamSource"]["MaximumRecordAgeInSeconds"] < kept_hours * 3600
    assert SOURCES["DispatchOutboxSource"]["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert SOURCES["ArchiveOutboxSource"]["MaximumRecordAgeInSeconds"] < 24 * 3600


def test_alerts_leave_at_once_and_archive_rows_in_large_objects():
    dispatch, archive = SOURCES["DispatchOutboxSource"], SOURCES["ArchiveOutboxSource"]

    assert "MaximumBatchingWindowInSeconds" not in dispatch
    assert archive["MaximumBatchingWindowInSeconds"] == 60


@pytest.mark.parametrize(
    ("source", "row_kind"), [("DispatchOutboxSource", "alert"), ("ArchiveOutboxSource", "archive")]
)
def test_row_leaves_when_it_is_inserted_and_never_when_it_is_rewritten_or_removed(source, row_kind):
    (one,) = SOURCES[source]["FilterCriteria"]["Filters"]

    assert json.loads(one["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"row_kind": {"S": [row_kind]}}},
    }


def test_archive_is_swept_every_hour_while_rows_are_in_the_table():
    rule = resources("AWS::Events::Rule")["SweepArchiveRule"]
    limit = resources("AWS::Lambda::Function")["SweepArchiveFunction"]["Timeout"]
    patience = ROOT_TEMPLATE["Parameters"]["SweepAfterMinutes"]

    assert rule["ScheduleExpression"] == "rate(1 hour)"
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": "SweepArchiveFunction.Arn"}]
    assert resources("AWS::Lambda::Permission")["SweepArchivePermission"]["SourceArn"] == {
        "Fn::GetAtt": "SweepArchiveRule.Arn"
    }
    assert limit < 3600
    assert 0 < patience["Default"] < patience["MaxValue"] < OUTBOX_DAYS * 24 * 60


def test_queue_is_answered_message_by_message():
    source = SOURCES["IngestQueueSource"]
    queue = resources("AWS::SQS::Queue")["EventQueue"]
    limit = resources("AWS::Lambda::Function")["IngestEventsFunction"]["Timeout"]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert queue["VisibilityTimeout"] >= 6 * limit
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": "EventDeadLetterQueue.Arn"}


def test_bus_sends_every_event_to_the_queue_and_invokes_nothing():
    rule = resources("AWS::Events::Rule")["EventBusRule"]
    (target,) = rule["Targets"]
    invoked = [one["FunctionName"] for one in resources("AWS::Lambda::Permission").values()]

    assert rule["EventPattern"] == {"source": [{"prefix": ""}]}
    assert target["Arn"] == {"Fn::GetAtt": "EventQueue.Arn"}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "EventDeadLetterQueue.Arn"}}
    assert {"Ref": "IngestEventsFunction"} not in invoked


@pytest.mark.parametrize("queue", ["EventQueue", "EventDeadLetterQueue"])
def test_queue_takes_messages_of_the_bus_from_its_rule_alone(queue):
    policy = resources("AWS::SQS::QueuePolicy")[f"{queue}Policy"]
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert policy["Queues"] == [{"Ref": queue}]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == {"Fn::GetAtt": f"{queue}.Arn"}
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "EventBusRule.Arn"}}}


@pytest.mark.parametrize(
    ("alarm", "service"), [("RejectedEventsAlarm", "ingest_events"), ("RejectedRecordsAlarm", "score_interactions")]
)
def test_alarm_counts_rejected_records_and_not_their_objects(alarm, service):
    properties = resources("AWS::CloudWatch::Alarm")[alarm]

    assert (properties["Namespace"], properties["MetricName"]) == ("ServiceQuality", "RejectedEvents")
    assert properties["Dimensions"] == [{"Name": "service", "Value": service}]


def test_alarms_tell_somebody():
    alarms = resources("AWS::CloudWatch::Alarm")

    assert {"RejectedRecordsAlarm", "GivenUpBatchesAlarm", "ScoreInteractionsLagAlarm"} < set(alarms)
    assert {"RejectedAlertsAlarm", "UnreadableArchiveRowsAlarm", "SweptRowsAlarm", "UnfilledGapsAlarm"} < set(alarms)
    assert {f"{function}ErrorsAlarm" for function in FUNCTIONS} < set(alarms)
    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())


@pytest.mark.parametrize(
    "alarm",
    [name for name, one in resources("AWS::CloudWatch::Alarm").items() if one["Namespace"] == "ServiceQuality"],
)
def test_alarm_on_a_metric_of_ours_names_one_that_its_function_counts(alarm):
    properties = resources("AWS::CloudWatch::Alarm")[alarm]
    (dimension,) = properties["Dimensions"]
    source = (ROOT / "functions" / dimension["Value"] / "app.py").read_text("utf-8")

    assert dimension["Name"] == "service"
    assert f'"{properties["MetricName"]}"' in source
    assert 'namespace="ServiceQuality"' in source


def test_topics_are_encrypted_by_keys_that_their_publishers_may_use():
    topics = resources("AWS::SNS::Topic")

    assert topics["AlertTopic"]["KmsMasterKeyId"] == {"Ref": "AlertKey"}
    assert topics["AlarmTopic"]["KmsMasterKeyId"] == {"Ref": "AlarmKey"}
