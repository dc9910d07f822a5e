"""The alarms: what each watches, that it says what to do, and that the runbook has a section for it."""

import re
from collections import Counter
from fnmatch import fnmatchcase

import pytest

from service_quality.adapters.telemetry import NAMESPACE
from tests.infrastructure.templates import FUNCTIONS, PROJECT, ROOT, Function

ALARMS = PROJECT.resources("AWS::CloudWatch::Alarm")
OURS = [name for name, one in ALARMS.items() if one["Namespace"] == NAMESPACE]
EACH = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text("utf-8")
STREAMS = {"EventStreamArn", "AlertsStreamArn"}


def alarms_on(function: Function, metric: str) -> list[dict]:
    """The alarms of a stack on a metric that Lambda keeps of its function."""
    return [
        one
        for one in function.resources("AWS::CloudWatch::Alarm").values()
        if (one["Namespace"], one["MetricName"]) == ("AWS/Lambda", metric)
        and one["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": f"{function.title}Function"}}]
    ]


def assert_rings(function: Function, metric: str, expected: int) -> None:
    """A function's stack has so many alarms on a metric that Lambda keeps of it."""
    found = len(alarms_on(function, metric))
    wanted = {0: "none", 1: "one"}.get(expected, expected)
    assert found == expected, f"{function.name}: found {found or 'no'} alarm on {metric}, expected {wanted}"


def watched(name: str) -> tuple[str, str, str]:
    """Namespace, metric and the value of an alarm's first dimension."""
    properties = ALARMS[name]
    value = properties["Dimensions"][0]["Value"]
    (shown,) = value.values() if isinstance(value, dict) else (value,)
    return properties["Namespace"], properties["MetricName"], shown


@EACH
def test_function_that_fails_or_is_throttled_rings(function: Function):
    assert_rings(function, "Errors", 1)
    assert_rings(function, "Throttles", 1)


@EACH
def test_function_that_falls_behind_its_stream_rings(function: Function):
    sources = {one["EventSourceArn"]["Ref"] for one in function.resources("AWS::Lambda::EventSourceMapping").values()}

    assert_rings(function, "IteratorAge", len(sources & STREAMS))


@EACH
def test_function_that_is_invoked_asynchronously_rings_when_events_are_dropped(function: Function):
    is_scheduled = bool(function.resources("AWS::Events::Rule"))

    if is_scheduled:
        assert_rings(function, "AsyncEventsDropped", 1)


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
        ("MissingCalendarsAlarm", (NAMESPACE, "MissingCalendars", "score_interactions")),
        ("ParkedRecordsAlarm", (NAMESPACE, "ParkedRecords", "score_interactions")),
        ("RejectedEventsAlarm", (NAMESPACE, "RejectedEvents", "ingest_events")),
        ("RejectedRecordsAlarm", (NAMESPACE, "RejectedEvents", "score_interactions")),
        ("RejectedAlertsAlarm", (NAMESPACE, "RejectedAlerts", "dispatch_outbox")),
        ("UnreadableArchiveRowsAlarm", (NAMESPACE, "UnreadableRows", "archive_outbox")),
        ("SweptRowsAlarm", (NAMESPACE, "SweptRows", "sweep_archive")),
        ("UnfilledGapsAlarm", (NAMESPACE, "UnfilledGaps", "sweep_archive")),
        ("WaitingTimersAlarm", ("AWS/SQS", "ApproximateAgeOfOldestMessage", "TimerQueue.QueueName")),
        ("GivenUpTimersAlarm", ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "TimerDeadLetterQueue.QueueName")),
        ("OverdueTimersAlarm", (NAMESPACE, "OverdueTimers", "sweep_timers")),
        ("UnfinishedTimerSweepsAlarm", (NAMESPACE, "UnfinishedSweeps", "sweep_timers")),
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
    names = Counter(name for one in PROJECT.stacks.values() for name in one["Resources"])
    twice = [
        f"{name} in {', '.join(stack for stack, one in PROJECT.stacks.items() if name in one['Resources'])}"
        for name, count in names.items()
        if count > 1
    ]

    assert not twice, f"found {'; '.join(twice)}, expected each name in one stack: delete or rename the copy's"


def test_parameter_that_a_text_names_exists():
    texts = {name: one["AlarmDescription"] for name, one in ALARMS.items()}
    texts["docs/runbook.md"] = " ".join(re.findall(r"`\w+Concurrency`", RUNBOOK))
    named = {(place, name) for place, text in texts.items() for name in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", text)}
    missing = sorted(
        f"{name} in {place}"
        for place, name in named
        if name not in PROJECT.template["Parameters"]
        if not name.endswith("Error")
    )

    assert len(named) > len(FUNCTIONS)
    assert not missing, f"found {'; '.join(missing)}, expected parameters of template.yaml"


def headings() -> list[str]:
    """The names of alarms in the headings of the runbook; one with a star is for those without a section."""
    section = RUNBOOK[RUNBOOK.index("## By alarm") : RUNBOOK.index("## By symptom")]
    return re.findall(r"`([\w*]+Alarm)`", " ".join(re.findall(r"^### .*$", section, re.MULTILINE)))


@pytest.mark.parametrize("name", ALARMS)
def test_runbook_has_a_section_for_the_alarm(name):
    assert [one for one in headings() if fnmatchcase(name, one)], (
        f"{name}: found no section in docs/runbook.md, expected one below 'By alarm'"
    )


def test_runbook_has_no_section_for_an_alarm_that_nothing_rings():
    assert not [one for one in headings() if not any(fnmatchcase(name, one) for name in ALARMS)]
