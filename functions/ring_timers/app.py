"""Timers' queue to event stream: what a conversation still waits for is put on its shop's log as reached."""

import os
import time
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.event_stream import EventStream
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.telemetry import Telemetry
from service_quality.adapters.timer_queue import TimerQueue
from service_quality.adapters.timer_table import TimerRows
from service_quality.by_fields import value_class
from service_quality.commit.timer_messages import TimerMessage
from service_quality.commit.timer_rings import read_batch, sort_rings, split_by_wait
from service_quality.errors import DependencyError, UnreadableRowError
from service_quality.events.control_signatures import sign_control
from service_quality.events.log_records import StreamEntry
from service_quality.settings import read_settings


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets for this function."""

    event_stream: str
    alerts_table: str
    timer_queue: str
    control_key_secret: str


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def log_unreadable(error: UnreadableRowError) -> None:
    """Log why a row of the table is no timer."""
    telemetry.logger.warning("timer_unreadable", extra={"reason": error.reason, "found": str(error)})


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("ring_timers")
stream = EventStream(make_client("kinesis"), settings.event_stream)
rows = TimerRows(make_client("dynamodb"), settings.alerts_table, log_unreadable)
queue = TimerQueue(make_client("sqs"), settings.timer_queue)
control_key = read_secret(make_client("secretsmanager"), settings.control_key_secret)
stream.check()
rows.check()
queue.check()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Ring the timers of a queue's batch; the answer names the messages that the queue must send again.

    It raises where the table or the queue fails: the whole batch will be sent again.
    """
    batch = read_batch(event)
    telemetry.count({"UnreadableTimers": len(batch.unreadable)})
    at_once, soon = split_by_wait(batch.messages.values(), read_clock())
    failed = ring(at_once)
    if soon:  # a queue delays by whole seconds
        time.sleep(max(0, max(one.rings_at for one in soon) - read_clock()) / 1000)
        failed += ring(soon)
    again = [*batch.unreadable, *batch.ids_of(failed)]
    if "" in again:
        raise DependencyError("found a failed message without an id; the batch will be retried")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in again]}


def ring(messages: Sequence[TimerMessage]) -> list[TimerMessage]:
    """Put what is still waited for on the log, and send what came too early again; what the stream did not take."""
    if not messages:
        return []
    pending = rows.read(messages)
    now = read_clock()
    rings = sort_rings(messages, pending, now)
    due = list(rings.due)
    records = [timer.reached for timer in rings.due.values()]
    entries = [StreamEntry(one.shop_id, sign_control(one, control_key, issued_at=now)) for one in records]
    failed = [due[index] for index in sorted(stream.offer(entries))]
    queue.send(rings.early)
    counts = {
        "RungTimers": len(due) - len(failed),
        "DroppedTimers": rings.dropped,
        "EarlyTimers": len(rings.early),
        "FailedTimers": len(failed),
    }
    telemetry.count(counts)
    latest = max((now - one.rings_at for one in due), default=0)
    telemetry.logger.info("timers_rung", extra={**counts, "latest_ms": latest})
    return failed
