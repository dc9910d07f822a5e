"""Queue, bus and direct callers to the event stream: events are validated, stamped with their arrival, answered."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.adapters.event_stream import EventStream
from service_quality.adapters.model_registry import ModelRegistry
from service_quality.adapters.state_table import StateTable
from service_quality.commit.preview import Preview, Previewer, describe_preview
from service_quality.conversations.conversation import RETENTION
from service_quality.errors import DependencyError, RejectedEventError
from service_quality.events.carriers import Contents, open_carrier, reject_carrier
from service_quality.events.intake import Intake, describe_intake, rejection_of, take_in
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.queue_messages import message_id_of, messages_within, read_message
from service_quality.events.shown_values import shown
from service_quality.features.feature_set import FEATURES
from service_quality.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """The variables that the template sets for this function."""

    event_stream: str
    rejected_bucket: str
    state_table: str
    alerts_table: str
    models_table: str
    models_bucket: str


EVENTS_AT_ONCE = 500  # what one request to the stream holds
LEAST_MILLISECONDS = 25_000  # for a message and those that wait with it, when calls are slow

settings = read_settings(Settings, os.environ)
logger = Logger(service="ingest_events")
metrics = Metrics(namespace="ServiceQuality", service="ingest_events")
dynamodb, s3 = make_client("dynamodb"), make_client("s3")
stream = EventStream(make_client("kinesis"), settings.event_stream)
rejected_store = RejectedStore(s3, settings.rejected_bucket)
store = StateTable(dynamodb, settings.state_table, settings.alerts_table, rejected_store.put)
stream.check()
rejected_store.check()
store.check_reading()


@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """Take events in from any caller; the answer has the caller's form."""
    messages = messages_within(event)
    if messages is not None:
        return take_messages(messages, context)
    if not isinstance(event, dict) or "preview" not in event:
        return take_from_caller(open_carrier(event), context.aws_request_id)
    payload = {name: value for name, value in event.items() if name != "preview"}
    if event["preview"] is True:
        return preview(payload)
    contents = open_carrier(payload) if event["preview"] is False else reject_carrier(event, bad_preview(event))
    return take_from_caller(contents, context.aws_request_id)


def bad_preview(event: dict[str, object]) -> RejectedEventError:
    """The rejection of a call whose `preview` is neither true nor false."""
    return RejectedEventError("wrong_type", field="preview", found=shown(event["preview"]), expected="true or false")


@dataclass(slots=True, eq=False)
class Delivery:
    """A message of a queue's batch, its intake, and whether it must be retried."""

    message_id: str
    intake: Intake
    failed: bool = False


def take_messages(messages: list[object], context: LambdaContext) -> dict[str, Any]:
    """A batch of a queue: a message fails only where a dependency failed; a bad event is stored and done with.

    Messages for which the time does not suffice are handed back, all but the first.
    """
    deliveries: list[Delivery] = []
    waiting: list[Delivery] = []
    for number, message in enumerate(messages):
        if number and context.get_remaining_time_in_millis() < LEAST_MILLISECONDS:
            break
        waiting.append(receive_message(message, name=f"{context.aws_request_id}-{number}"))
        if sum(len(one.intake.accepted) for one in waiting) >= EVENTS_AT_ONCE:
            put_messages(waiting)
            deliveries += waiting
            waiting = []
    put_messages(waiting)
    deliveries += waiting
    accepted = sum(len(one.intake.accepted) for one in deliveries if not one.failed)
    report([one.intake for one in deliveries], accepted=accepted)
    metrics.add_metric("PostponedMessages", MetricUnit.Count, len(messages) - len(deliveries))
    failed = [one.message_id for one in deliveries if one.failed]
    failed += [message_id_of(message) for message in messages[len(deliveries) :]]
    if "" in failed:
        raise DependencyError("found a failed message without an id; the batch will be retried")
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def receive_message(message: object, *, name: str) -> Delivery:
    """Open a message and store what is rejected of it; the message fails where the store fails."""
    now = read_clock()
    read = read_message(message)
    delivery = Delivery(read.message_id, take_in(read.contents, now=now, retention=RETENTION))
    try:
        store_rejected(delivery.intake, message_id=read.message_id or name, arrived_at=read.sent_at or now)
    except DependencyError:
        delivery.failed = True
    return delivery


def put_messages(deliveries: list[Delivery]) -> None:
    """Put the events of messages on the stream; a message fails unless the stream takes all of its events."""
    origins = [(one, event) for one in deliveries if not one.failed for event in one.intake.accepted.values()]
    try:
        left = stream.put([event for _, event in origins])
    except DependencyError:
        left = set(range(len(origins)))
    for index in left:
        origins[index][0].failed = True


def take_from_caller(contents: Contents, request_id: str) -> dict[str, Any]:
    """The answer to a direct call: accepted events, rejected ones with reasons. DependencyError: send all again."""
    now = read_clock()
    intake = take_in(contents, now=now, retention=RETENTION)
    store_rejected(intake, message_id=request_id, arrived_at=now)
    left = stream.put(list(intake.accepted.values()))
    report([intake], accepted=len(intake.accepted) - len(left))
    if left:
        raise DependencyError(
            f"stream {settings.event_stream}: found {len(left)} events not taken; send them all again"
        )
    return describe_intake(intake)


def preview(payload: dict[str, object]) -> dict[str, Any]:
    """The scores that events would get now; nothing is put on the stream, stored or changed."""
    intake = take_in(open_carrier(payload), now=read_clock(), retention=RETENTION)
    previews = preview_accepted(intake.accepted)
    answer: dict[str, Any] = describe_intake(intake)
    rejected = {index: error for index, error in previews.items() if isinstance(error, RejectedEventError)}
    answer["accepted"] = [taken.event_id for index, taken in intake.accepted.items() if index not in rejected]
    answer["rejected"] += [
        {
            "index": index,
            "event_id": intake.accepted[index].event_id,
            "reason": error.reason,
            "message": str(error),
        }
        for index, error in rejected.items()
    ]
    metrics.add_metric("PreviewedEvents", MetricUnit.Count, len(previews))
    answer["previews"] = [
        describe_preview(intake.accepted[index].event_id, scored, FEATURES)
        for index, scored in previews.items()
        if not isinstance(scored, RejectedEventError)
    ]
    return answer


def preview_accepted(accepted: dict[int, InteractionEvent]) -> dict[int, Preview]:
    """The preview of each event, by its index; each shop's events one after the other."""
    by_shop: dict[str, list[int]] = {}
    for index, taken in accepted.items():
        by_shop.setdefault(taken.shop_id, []).append(index)
    if not by_shop:
        return {}
    previewer = Previewer(store, make_registry().champion(), FEATURES)
    found: dict[int, Preview] = {}
    for shop_id, indexes in by_shop.items():
        found |= zip(indexes, previewer.preview(shop_id, [accepted[index] for index in indexes]), strict=True)
    return dict(sorted(found.items()))


@cache
def make_registry() -> ModelRegistry:
    """The champion for previews, read at the first: events are taken in before the first promotion, too."""
    from service_quality.adapters.onnx_model import OnnxScorer  # noqa: PLC0415  # a quarter of a second for previews alone

    return ModelRegistry(
        dynamodb,
        s3,
        settings.models_table,
        settings.models_bucket,
        make_scorer=OnnxScorer,
        observe=observe_model,
    )


def observe_model(happened: str, fields: dict[str, str]) -> None:
    """Log an event of the champion; a refused model is counted at once, since it may come before any batch."""
    logger.info(happened, extra=fields)
    if happened == "model_refused":
        with single_metric("RefusedModels", MetricUnit.Count, 1, namespace="ServiceQuality") as metric:
            metric.add_dimension("service", "ingest_events")


def store_rejected(intake: Intake, *, message_id: str, arrived_at: int) -> None:
    """Store what was rejected, under the message it came in."""
    rejected_store.put([rejection_of(one, message_id=message_id, arrived_at=arrived_at) for one in intake.rejected])


def report(intakes: Sequence[Intake], *, accepted: int) -> None:
    """Report the intakes in one log entry and in metrics."""
    reasons = Counter(one.reason for intake in intakes for one in intake.rejected)
    unknown = sum(len(one.names) for intake in intakes for one in intake.unknown)
    metrics.add_metric("AcceptedEvents", MetricUnit.Count, accepted)
    metrics.add_metric("RejectedEvents", MetricUnit.Count, reasons.total())
    metrics.add_metric("UnknownFields", MetricUnit.Count, unknown)
    for reason, count in reasons.items():
        with single_metric("RejectedEvents", MetricUnit.Count, count, namespace="ServiceQuality") as metric:
            metric.add_dimension("service", "ingest_events")
            metric.add_dimension("reason", reason)
    counts = {"AcceptedEvents": accepted, "UnknownFields": unknown, "reasons": dict(reasons)}
    logger.info("events_taken_in", extra=counts)


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000
