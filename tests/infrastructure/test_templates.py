"""The references between the stacks, and the properties that only the real cloud applies."""

import ast
import json
import re

import pytest

from infra.local import status
from infra.operations import deployment
from service_quality.commit.archived_ranges import OUTBOX_DAYS
from service_quality.commit.timer_messages import AHEAD_MS, BEHIND_MS
from service_quality.commit.timer_sweep import SWEEP_MS
from service_quality.instants import MINUTE
from tests.infrastructure.templates import FUNCTIONS, PROJECT, ROOT, Function

ROOT_TEMPLATE, NESTED = PROJECT.template, PROJECT.stacks
resources = PROJECT.resources
NAMES = ("TableName", "BucketName", "FunctionName", "QueueName", "TopicName", "RoleName", "LogGroupName")
SOURCES = resources("AWS::Lambda::EventSourceMapping")
STREAM_SOURCES = ("ScoreStreamSource", "DispatchOutboxSource", "ArchiveOutboxSource")
#: Variables that libraries read, not the app.
LIBRARIES = ("POWERTOOLS_", "OPENBLAS_")
EACH = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def test_root_gives_every_output_that_others_read():
    read = {*deployment.OUTPUTS.values(), *status.TABLES.values(), *status.BUCKETS.values()}
    for folder in ("infra", "tests/integration", "tests/cluster"):
        for path in (ROOT / folder).rglob("*.py"):
            read |= set(re.findall(r'outputs\["(\w+)"\]', path.read_text("utf-8")))

    assert {"EventStreamName", "PreviewScoreFunctionName", "ControlKeySecretArn"} <= read
    assert not read - set(ROOT_TEMPLATE["Outputs"])


@EACH
def test_function_is_included_as_a_stack_of_its_own(function: Function):
    assert PROJECT.given_to(function)


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


@EACH
def test_stack_gives_a_function_exactly_its_settings(function: Function):
    given = {name for name in function.variables if not name.startswith(LIBRARIES)}

    assert given == function.settings, (
        f"{function.name}: found {', '.join(sorted(given ^ function.settings))} in the stack's variables or in the"
        " app's Settings alone, expected both"
    )


@EACH
def test_function_folder_holds_only_its_app_and_its_stack(function: Function):
    assert {path.name for path in function.folder.iterdir()} - {"__pycache__"} == {"app.py", "stack.yaml"}


@EACH
def test_function_is_built_from_its_folder_and_runs_where_its_layers_were_built_for(function: Function):
    (resource,) = (one for one in function.stack["Resources"].values() if one["Type"] == "AWS::Lambda::Function")

    assert resource["Metadata"] == {"BuildMethod": "makefile", "ContextPath": "infra/bundles"}
    assert function.properties["Code"] == "."
    assert (function.properties["Runtime"], function.properties["Architectures"]) == ("python3.12", ["x86_64"])


@EACH
def test_only_functions_that_score_carry_the_layer_for_it(function: Function):
    scores = {"make_registry"} & {name.id for name in ast.walk(function.app) if isinstance(name, ast.Name)}

    assert function.properties["Layers"] == [
        {"Ref": name} for name in ("CoreLayerArn", *["ScoringLayerArn"] * len(scores))
    ]


@EACH
def test_concurrency_is_reserved_by_parameter(function: Function):
    given = PROJECT.given_to(function)["ReservedConcurrency"]

    assert given in ({"Ref": f"{function.title}Concurrency"}, "")
    assert function.properties["ReservedConcurrentExecutions"] == {
        "Fn::If": ["IsReserved", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
    }


def test_no_concurrency_is_reserved_unless_somebody_says_so():
    reserved = {name: one for name, one in ROOT_TEMPLATE["Parameters"].items() if name.endswith("Concurrency")}

    assert reserved
    assert {one["Default"] for one in reserved.values()} == {""}


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
    assert len(resources("AWS::Logs::LogGroup")) == len(FUNCTIONS) + 1  # and that of failed deliveries
    assert all(group["RetentionInDays"] for group in resources("AWS::Logs::LogGroup").values())


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


def patterns(source: str) -> list[dict]:
    return [json.loads(one["Pattern"]) for one in SOURCES[source]["FilterCriteria"]["Filters"]]


def inserted(row_kind: str) -> dict:
    return {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"row_kind": {"S": [row_kind]}}}}


def test_archive_row_leaves_when_it_is_inserted_and_never_when_it_is_rewritten_or_removed():
    assert patterns("ArchiveOutboxSource") == [inserted("archive")]


def test_alert_leaves_when_it_is_inserted_and_a_timer_whenever_it_is_put_with_a_deadline():
    pending = {"row_kind": {"S": ["timer"]}, "due_at": {"N": [{"exists": True}]}}

    assert patterns("DispatchOutboxSource") == [
        inserted("alert"),
        {"eventName": ["INSERT", "MODIFY"], "dynamodb": {"NewImage": pending}},
    ]


def test_timers_are_swept_as_often_as_the_sweep_reckons_with():
    rule = resources("AWS::Events::Rule")["SweepTimersRule"]
    limit = resources("AWS::Lambda::Function")["SweepTimersFunction"]["Timeout"]

    assert rule["ScheduleExpression"] == f"rate({SWEEP_MS // MINUTE} minutes)"
    assert [target["Arn"] for target in rule["Targets"]] == [{"Fn::GetAtt": "SweepTimersFunction.Arn"}]
    assert limit * 1000 < SWEEP_MS < AHEAD_MS


def test_timers_are_answered_message_by_message_at_once_and_kept_for_a_day():
    source = SOURCES["TimerQueueSource"]
    queue = resources("AWS::SQS::Queue")["TimerQueue"]
    limit = resources("AWS::Lambda::Function")["RingTimersFunction"]["Timeout"]

    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BatchSize"] <= 10
    assert "MaximumBatchingWindowInSeconds" not in source
    assert queue["VisibilityTimeout"] >= 6 * limit
    assert queue["MessageRetentionPeriod"] * 1000 >= BEHIND_MS
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": "TimerDeadLetterQueue.Arn"}


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
