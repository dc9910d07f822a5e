"""Queue, bus and direct callers to the event stream: validated, stamped with their arrival, answered."""

import os
import time
from collections import Counter
from collections.abc import Iterable
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
from service_quality.commit.preview import Foreseen, Preview, describe_preview
from service_quality.errors import RejectedEventError, SurroundingsError
from service_quality.events.intake import Intake, events_within, events_within_text, rejection_of, take_in
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.feature_set import FEATURES
from service_quality.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template gives this function."""

    event_stream: str
    rejected_bucket: str
    state_table: str
    alerts_table: str
    models_table: str
    models_bucket: str


settings = read_settings(Settings, os.environ)
logger = Logger(service="ingest_events")
metrics = Metrics(namespace="ServiceQuality", service="ingest_events")
dynamodb, s3 = make_client("dynamodb"), make_client("s3")
stream = EventStream(make_client("kinesis"), settings.event_stream)
rejected = RejectedStore(s3, settings.rejected_bucket)
store = StateTable(dynamodb, settings.state_table, settings.alerts_table, rejected.keep)
stream.check()
rejected.check()
store.check_reading()


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """Take events in from whoever calls; the answer is what that caller understands."""
    if "Records" in event:
        return take_messages(event["Records"])
    if "detail-type" in event:
        take_from_bus(event)
        return None
    if event.get("preview") is True:
        return preview(event)
    return take_from_caller(event, context.aws_request_id)


def take_messages(messages: list[dict[str, Any]]) -> dict[str, Any]:
    """A batch of a queue: a message fails only where the surroundings did; a bad event is kept and done with."""
    now = read_clock()
    intakes = {message["messageId"]: take_in(events_within_text(message["body"]), now=now) for message in messages}
    failed: set[str] = set()
    for message_id, intake in intakes.items():
        try:
            keep_refused(intake, message_id=message_id, now=now)
        except SurroundingsError:
            failed.add(message_id)
    origins = [(message_id, taken) for message_id, intake in intakes.items() for taken in intake.accepted.values()]
    try:
        left = stream.put([taken for _, taken in origins])
    except SurroundingsError:
        left = set(range(len(origins)))
    failed |= {origins[index][0] for index in left}
    report(len(origins) - len(left), intakes.values())
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in intakes if message_id in failed]}


def take_from_bus(event: dict[str, Any]) -> None:
    """One event of a bus; it comes again when this raises."""
    take(events_within(event), message_id=str(event.get("id", "bus")))


def take_from_caller(event: dict[str, Any], request_id: str) -> dict[str, Any]:
    """A direct call: which events were accepted, which rejected and why."""
    return answer(take(events_within(event), message_id=request_id))


def preview(event: dict[str, Any]) -> dict[str, Any]:
    """The scores that events would get now; nothing is put on the stream, kept or changed."""
    intake = take_in(events_within(event), now=read_clock())
    foreseen = foresee(intake.accepted)
    told = answer(intake)
    refused = {index: error for index, error in foreseen.items() if isinstance(error, RejectedEventError)}
    told["accepted"] = [taken.event_id for index, taken in intake.accepted.items() if index not in refused]
    told["rejected"] += [
        {
            "index": index,
            "event_id": intake.accepted[index].event_id,
            "reason": error.reason,
            "message": str(error),
        }
        for index, error in refused.items()
    ]
    metrics.add_metric("PreviewedEvents", MetricUnit.Count, len(foreseen))
    told["previews"] = [
        describe_preview(intake.accepted[index].event_id, scored, FEATURES)
        for index, scored in foreseen.items()
        if not isinstance(scored, RejectedEventError)
    ]
    return told


def take(events: list[bytes], *, message_id: str) -> Intake:
    """Validate, keep what is refused, put the rest on the stream; SurroundingsError when the stream takes no more."""
    now = read_clock()
    intake = take_in(events, now=now)
    keep_refused(intake, message_id=message_id, now=now)
    left = stream.put(list(intake.accepted.values()))
    report(len(intake.accepted) - len(left), [intake])
    if left:
        raise SurroundingsError(f"found {len(left)} events refused by the stream, expected none: send them all again")
    return intake


def foresee(accepted: dict[int, InteractionEvent]) -> dict[int, Foreseen]:
    """What each event would lead to, by its index; each shop's events one after the other."""
    by_shop: dict[str, list[int]] = {}
    for index, taken in accepted.items():
        by_shop.setdefault(taken.shop_id, []).append(index)
    if not by_shop:
        return {}
    looking = Preview(store, make_registry().champion(), FEATURES)
    found: dict[int, Foreseen] = {}
    for shop_id, indexes in by_shop.items():
        found |= zip(indexes, looking.foresee(shop_id, [accepted[index] for index in indexes]), strict=True)
    return dict(sorted(found.items()))


@cache
def make_registry() -> ModelRegistry:
    """The champion for previews. Only they need a model, so that events are taken in before the first promotion."""
    from service_quality.adapters.onnx_model import OnnxScorer  # noqa: PLC0415  # a quarter of a second for previews alone

    return ModelRegistry(
        dynamodb,
        s3,
        settings.models_table,
        settings.models_bucket,
        FEATURES.fingerprint,
        make_scorer=OnnxScorer,
        observe=lambda happened, fields: logger.info(happened, extra=fields),
    )


def keep_refused(intake: Intake, *, message_id: str, now: int) -> None:
    """Keep what was refused, under the message it came in."""
    rejected.keep([rejection_of(refused, message_id=message_id, now=now) for refused in intake.refused])


def answer(intake: Intake) -> dict[str, Any]:
    """What a direct caller is told."""
    return {
        "accepted": [taken.event_id for taken in intake.accepted.values()],
        "rejected": [
            {"index": one.index, "reason": one.reason, "message": one.message}
            | ({"event_id": one.event_id} if one.event_id else {})
            for one in intake.refused
        ],
    }


def report(accepted: int, intakes: Iterable[Intake]) -> None:
    """Say what was taken in, in one log entry and in metrics."""
    reasons = Counter(refused.reason for intake in intakes for refused in intake.refused)
    metrics.add_metric("AcceptedEvents", MetricUnit.Count, accepted)
    metrics.add_metric("RejectedEvents", MetricUnit.Count, reasons.total())
    for reason, count in reasons.items():
        with single_metric("RejectedEvents", MetricUnit.Count, count, namespace="ServiceQuality") as metric:
            metric.add_dimension("service", "ingest_events")
            metric.add_dimension("reason", reason)
    logger.info("events_taken_in", extra={"AcceptedEvents": accepted, "reasons": dict(reasons)})


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000
