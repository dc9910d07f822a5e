"""Queue, bus and direct callers to the event stream: events are validated, stamped with their arrival, answered."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.adapters.event_stream import EventStream
from service_quality.adapters.telemetry import Telemetry
from service_quality.by_fields import value_class
from service_quality.conversations.conversation import RETENTION
from service_quality.errors import DependencyError
from service_quality.events.carriers import open_carrier
from service_quality.events.inlet import Inlet
from service_quality.events.intake import Intake, describe_intake
from service_quality.events.queue_messages import messages_within
from service_quality.settings import read_settings


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets for this function."""

    event_stream: str
    rejected_bucket: str


LEAST_MILLISECONDS = 25_000  # for a message and those that wait with it, when calls are slow


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("ingest_events")
stream = EventStream(make_client("kinesis"), settings.event_stream)
rejected_store = RejectedStore(make_client("s3"), settings.rejected_bucket)
inlet = Inlet(stream.put, rejected_store.put, read_clock, RETENTION)
stream.check()
rejected_store.check()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Take events in from any caller; the answer has the caller's form."""
    messages = messages_within(event)
    return take_call(event, context) if messages is None else take_messages(messages, context)


def take_call(event: object, context: LambdaContext) -> dict[str, Any]:
    """The answer to a direct call: accepted events, rejected ones with reasons. DependencyError: send all again."""
    intake, left = inlet.take_call(open_carrier(event), name=context.aws_request_id)
    report([intake], accepted=len(intake.accepted) - left)
    if left:
        raise DependencyError(f"stream {settings.event_stream}: found {left} events not taken; send them all again")
    return describe_intake(intake)


def take_messages(messages: Sequence[object], context: LambdaContext) -> dict[str, Any]:
    """The answer to a queue: the messages that it must send again."""
    batch = inlet.take_messages(
        messages,
        name=context.aws_request_id,
        has_time=lambda: context.get_remaining_time_in_millis() >= LEAST_MILLISECONDS,
    )
    report(batch.intakes, accepted=batch.accepted)
    telemetry.count({"PostponedMessages": batch.postponed})
    if "" in batch.failed:
        raise DependencyError("found a failed message without an id; the batch will be retried")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch.failed]}


def report(intakes: Sequence[Intake], *, accepted: int) -> None:
    """Report the intakes in one log entry and in metrics."""
    reasons = Counter(one.reason for intake in intakes for one in intake.rejected)
    unknown = sum(len(one.names) for intake in intakes for one in intake.unknown)
    odd = sum((intake.odd_by_field() for intake in intakes), Counter[str]())
    counts = {"AcceptedEvents": accepted, "UnknownFields": unknown, "OddValues": odd.total()}
    telemetry.count({**counts, "RejectedEvents": reasons.total()})
    telemetry.count_by_reason("RejectedEvents", reasons)
    telemetry.logger.info("events_taken_in", extra={**counts, "reasons": dict(reasons), "odd_fields": dict(odd)})
