"""Timers on the deployed line: a waiting turn rings, an answered one does not, a lost message is found by the sweep."""

import csv
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.progress import wait_until
from infra.local.cloud import for_embedded
from infra.local.module_runs import run_module
from infra.local.replaying import now_ms
from infra.local.subscribers import QueueSubscriber
from service_quality.commit.timers import GRACE_MS
from service_quality.instants import MINUTE, format_instant
from spark_jobs.sources.mapping_file import load_mapping
from tests.integration.line_steps import read_rejected
from tests.integration.timed_line import SECONDS, TimedLine, timed_line

pytestmark = [pytest.mark.aws, pytest.mark.slow]

LIMIT_MS = 4_000


@pytest.fixture(scope="module")
def line(tmp_path_factory) -> Iterator[TimedLine]:
    with timed_line(tmp_path_factory.mktemp("emulator"), limit_ms=LIMIT_MS) as found:
        yield found


def await_empty_queue(line: TimedLine) -> None:
    assert wait_until(lambda: not line.messages(), title="queue", state=lambda: "not empty yet", seconds=SECONDS)


def test_waiting_turn_rings_and_its_deadline_is_on_the_log_and_raises_the_alert(line):
    asked = now_ms()

    with QueueSubscriber(line.cloud, line.outputs["AlertTopicArn"], "waiting") as people:
        line.put("customer_message", "patient", asked)
        reached = line.await_reached("patient")
        people.inbox.wait_for(1, seconds=SECONDS)

    bodies = [json.loads(one.body) for one in people.inbox.messages.values()]
    assert [(one["kind"], one["state"]) for one in bodies] == [("waiting_too_long", "opened")]
    assert reached["due_at"] == format_instant(asked + LIMIT_MS)
    assert (reached["round"], reached["turn"], reached["stage"]) == (1, 1, f"waiting_ms:{LIMIT_MS}")
    line.await_timer("patient", pending=False)
    assert not read_rejected(line.cloud, line.outputs["RejectedBucketName"])


def test_answered_turn_is_dropped_when_its_message_comes(line):
    asked = now_ms()
    line.put("customer_message", "answered", asked)
    line.await_timer("answered", pending=True)

    line.put("agent_message", "answered", now_ms())
    line.await_timer("answered", pending=False)
    time.sleep(max(0, asked + LIMIT_MS + GRACE_MS + 3_000 - now_ms()) / 1000)

    await_empty_queue(line)
    assert "answered" not in {one["conversation_id"] for one in line.on_the_stream()}


def test_sweep_finds_nothing_while_every_message_comes(line):
    line.put("customer_message", "swept", now_ms())
    line.await_timer("swept", pending=True)

    answer = line.sweep()

    assert (answer["SentTimers"], answer["OverdueTimers"], answer["finished"]) == (0, 0, True)


def export_of(folder: Path, *, reported: datetime) -> Path:
    """An export of a contact that nobody has answered, and of one that somebody has."""
    asked, answered = (at.strftime("%d/%m/%Y %H:%M") for at in (reported, reported + timedelta(minutes=2)))
    path = folder / "contacts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        columns = list(load_mapping("contacts").resources[0].fields)
        waits = {"Unique id": "imported"}
        over = {"Unique id": "over", "issue_responded": answered, "Agent_name": "Ann Example"}
        writer.writerow(columns)
        writer.writerows(
            [(row | {"Issue_reported at": asked}).get(name, "") for name in columns] for row in (waits, over)
        )
    return path


@pytest.mark.long
def test_wait_that_an_import_brings_rings_though_no_event_comes(line, tmp_path):
    reported = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=40)
    export = export_of(tmp_path, reported=reported)
    tables = ("--state-table", line.outputs["StateTableName"], "--alerts-table", line.outputs["AlertsTableName"])
    stream = ("--event-stream", line.outputs["EventStreamName"])
    target = ("--control-key-secret", line.outputs["ControlKeySecretArn"], "--archive", "nothing-archived")
    lake, as_of = ("--lake", tmp_path / "lake"), (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    of_import = ("--as-of", as_of, *tables, *stream, *target, "--json", tmp_path / "imported.json")
    of_export = (export, "--mapping", "contacts", "--shop", "imported-shop", "--time-zone", "UTC", *lake)
    jobs = ["import_events", *of_export, "then", "materialize_histories", *of_import]

    run_module("import", ["spark_jobs", *jobs, *lake], for_embedded(os.environ, line.endpoint))

    assert json.loads((tmp_path / "imported.json").read_text("utf-8"))["timers"] == 1
    ends = time.monotonic() + SECONDS
    while not (found := line.reached_of("imported")) and time.monotonic() < ends:
        line.sweep()  # a timer that rang before the import counted is asked again
        time.sleep(1)
    due_at = format_instant(round(reported.timestamp() * 1000) + 30 * MINUTE)
    assert due_at in [one["due_at"] for one in found]  # then it rings at the stage of this release's rule, too
    assert not line.reached_of("over")


@pytest.mark.long
def test_lost_message_is_found_by_the_sweep_a_minute_later(line):
    line.put("customer_message", "first", now_ms())  # a function's first start may take longer than the limit
    line.await_reached("first")
    await_empty_queue(line)
    asked = now_ms()
    line.put("customer_message", "lost", asked)
    assert wait_until(line.messages, title="queue", state=lambda: "no message yet", seconds=SECONDS)
    line.cloud.sqs.purge_queue(QueueUrl=line.outputs["TimerQueueUrl"])
    time.sleep(max(0, asked + LIMIT_MS + GRACE_MS + 61_000 - now_ms()) / 1000)
    assert "lost" not in {one["conversation_id"] for one in line.on_the_stream()}

    first = line.sweep()

    assert first["OverdueTimers"] == 1
    assert line.await_reached("lost")["due_at"] == format_instant(asked + LIMIT_MS)
    line.await_timer("lost", pending=False)
    assert line.sweep()["OverdueTimers"] == 0
