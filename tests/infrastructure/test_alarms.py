"""The alarms: what each watches, that it says what to do, and that the runbook has a section for it."""

import re
from fnmatch import fnmatchcase

import pytest

from service_quality.adapters.telemetry import NAMESPACE
from tests.infrastructure.templates import FUNCTIONS, PROJECT, ROOT, Function

ALARMS = PROJECT.resources("AWS::CloudWatch::Alarm")
OURS = [name for name, one in ALARMS.items() if one["Namespace"] == NAMESPACE]
EACH = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
STREAMS = {"EventStreamArn", "AlertsStreamArn"}


def alarms_on(function: Function, metric: str) -> list[dict]:
    """The alarms of a stack on a metric that Lambda keeps of its function."""
    return [
        one
        for one in function.resources("AWS::CloudWatch::Alarm").values()
        if (one["Namespace"], one["MetricName"]) == ("AWS/Lambda", metric)
        and one["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": f"{function.title}Function"}}]
    ]


def watched(name: str) -> tuple[str, str, str]:
    """Namespace, metric and the value of an alarm's first dimension."""
    properties = ALARMS[name]
    value = properties["Dimensions"][0]["Value"]
    (shown,) = value.values() if isinstance(value, dict) else (value,)
    return properties["Namespace"], properties["MetricName"], shown


@EACH
def test_function_that_fails_or_is_throttled_rings(function: Function):
    assert len(alarms_on(function, "Errors")) == len(alarms_on(function, "Throttles")) == 1


@EACH
def test_function_that_falls_behind_its_stream_rings(function: Function):
    sources = {one["EventSourceArn"]["Ref"] for one in function.resources("AWS::Lambda::EventSourceMapping").values()}

    assert len(alarms_on(function, "IteratorAge")) == len(sources & STREAMS)


@EACH
def test_function_that_is_invoked_asynchronously_rings_when_events_are_dropped(function: Function):
    is_scheduled = bool(function.resources("AWS::Events::Rule"))

    assert not is_scheduled or alarms_on(function, "AsyncEventsDropped")


@pytest.mark.parametrize(
    ("alarm", "watches"),
    [
        ("StreamThrottlesAlarm", ("AWS/Kinesis", "WriteProvisionedThroughputExceeded", "EventStream")),
        ("WaitingMessagesAlarm", ("AWS/SQS", "ApproximateAgeOfOldestMessage", "EventQueue.QueueName")),
        ("ExpiringMessagesAlarm", ("AWS/SQS", "ApproximateAgeOfOldestMessage", "EventDeadLetterQueue.QueueName")),
        ("UndeliveredEventsAlarm", ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "EventDeadLetterQueue.QueueName")),
        ("FailedDeliveriesAlarm", ("AWS/SNS", "NumberOfNotificationsFailed", "AlertTopic.TopicName")),
        ("IngestEventsDroppedEventsAlarm", ("AWS/Lambda", "AsyncEventsDropped", "IngestEventsFunction")),
        ("GivenUpBatchesAlarm", ("AWS/S3", "PutRequests", "RejectedBucket")),
        ("RedeliveredEventsAlarm", (NAMESPACE, "RedeliveredWithoutConflict", "score_interactions")),
        ("RefusedModelsAlarm", (NAMESPACE, "RefusedModels", "score_interactions")),
        ("PreviewScoreRefusedModelsAlarm", (NAMESPACE, "RefusedModels", "preview_score")),
        ("ParkedRecordsAlarm", (NAMESPACE, "ParkedRecords", "score_interactions")),
        ("RejectedEventsAlarm", (NAMESPACE, "RejectedEvents", "ingest_events")),
        ("RejectedRecordsAlarm", (NAMESPACE, "RejectedEvents", "score_interactions")),
        ("RejectedAlertsAlarm", (NAMESPACE, "RejectedAlerts", "dispatch_outbox")),
        ("UnreadableArchiveRowsAlarm", (NAMESPACE, "UnreadableRows", "archive_outbox")),
        ("SweptRowsAlarm", (NAMESPACE, "SweptRows", "sweep_archive")),
        ("UnfilledGapsAlarm", (NAMESPACE, "UnfilledGaps", "sweep_archive")),
    ],
)
def test_alarm_watches(alarm, watches):
    assert watched(alarm) == watches


def test_message_in_the_dead_letter_queue_rings_before_it_is_deleted():
    kept = PROJECT.resources("AWS::SQS::Queue")["EventDeadLetterQueue"]["MessageRetentionPeriod"]

    assert ALARMS["ExpiringMessagesAlarm"]["Threshold"] <= kept - 3 * 86_400


@pytest.mark.parametrize("name", OURS)
def test_alarm_on_a_metric_of_ours_names_one_that_its_function_counts(name):
    (dimension,) = ALARMS[name]["Dimensions"]

    assert dimension["Name"] == "service"
    function = FUNCTIONS[dimension["Value"]]
    assert f'"{ALARMS[name]["MetricName"]}"' in function.source + function.imported_source
    assert f'Telemetry("{function.name}")' in function.source


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_tells_somebody_what_happened_and_what_to_do(name):
    happened, _, todo = ALARMS[name]["AlarmDescription"].partition(". ")

    assert ALARMS[name]["AlarmActions"] == [{"Ref": "AlarmTopicArn"}]
    assert len(happened.split()) >= 3
    assert re.match(r"[A-Z][a-z]+ ", todo), "after what happened comes what to do"
    assert len(ALARMS[name]["AlarmDescription"]) <= 1_024


def test_names_of_alarms_are_told_apart():
    declared = sum(len(one.get("Resources", {})) for one in PROJECT.stacks.values())
    names = {name for one in PROJECT.stacks.values() for name in one["Resources"]}

    assert len(names) == declared


def headings() -> list[str]:
    """The names of alarms in the headings of the runbook; one with a star is for those without a section."""
    page = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    section = page[page.index("## By alarm") : page.index("## By symptom")]
    return re.findall(r"`([\w*]+Alarm)`", " ".join(re.findall(r"^### .*$", section, re.MULTILINE)))


@pytest.mark.parametrize("name", ALARMS)
def test_runbook_has_a_section_for_the_alarm(name):
    assert [one for one in headings() if fnmatchcase(name, one)]


def test_runbook_has_no_section_for_an_alarm_that_nothing_rings():
    assert not [one for one in headings() if not any(fnmatchcase(name, one) for name in ALARMS)]
