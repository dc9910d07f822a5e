"""Timers on the deployed line: a waiting turn rings, an answered one does not, a lost message is found by the sweep."""

import json
import time
from collections.abc import Iterator

import pytest

from cli.progress import wait_until
from infra.local.replaying import now_ms
from infra.local.subscribers import QueueSubscriber
from service_quality.commit.timers import GRACE_MS
from service_quality.instants import format_instant
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
