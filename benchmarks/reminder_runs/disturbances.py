"""Messages that are lost, doubled and early, and functions that are killed while they ring timers."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from infra.local.replaying import now_ms
from service_quality.instants import SECOND
from tests.integration.releases import Releases
from tests.integration.timed_line import TimedLine

_KILLED_EVERY_SECONDS = 2.0  # a new process needs one to start

#: Appended to the adapter of the queue: of a hundred timers 20 are lost, 20 come twice, and 20 come at once.
DISTURBED = {
    "adapters/timer_queue.py": """

import zlib

_sound_send = TimerQueue.send


class _AtOnce(TimerMessage):
    def delay_seconds(self, now):
        return 0


def _disturbed_send(self, messages):
    sent = []
    for one in messages:
        fate = zlib.crc32(f"{one.conversation_id} {one.due_at}".encode()) % 5
        sent += {0: [], 1: [one, one], 2: [_AtOnce(*one)]}.get(fate, [one])
    _sound_send(self, sent)


TimerQueue.send = _disturbed_send
"""
}


def disturb_dispatch(line: TimedLine) -> None:
    """Deploy the dispatcher with a queue that loses, doubles and hurries."""
    Releases(line.cloud, line.outputs, "DispatchOutboxFunctionName").deploy("disturbed", DISTURBED)


def hurry_queue(line: TimedLine, seconds: int) -> None:
    """Let messages of a killed function come again after seconds instead of minutes."""
    line.cloud.sqs.set_queue_attributes(
        QueueUrl=line.outputs["TimerQueueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
    )


def kill_ringing(line: TimedLine, *, since: int, until: int) -> int:
    """Kill every process of ring_timers again and again from one instant until another; the number killed."""
    killed = 0
    time.sleep(max(0, since - now_ms()) / SECOND)
    while now_ms() < until:
        for pid in _running(line.outputs["RingTimersFunctionName"], line.emulator_pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        time.sleep(_KILLED_EVERY_SECONDS)
    return killed


def _running(function: str, emulator_pid: int) -> Iterator[int]:
    """The processes of a function, children of the embedded AWS."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            variables = (path / "environ").read_bytes().split(b"\0")
            if parent == emulator_pid and f"AWS_LAMBDA_FUNCTION_NAME={function}".encode() in variables:
                yield int(path.name)
