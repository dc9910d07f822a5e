"""Event stream to state: every shop's new events are folded, scored and committed, with the rows of the outbox."""

import gc

gc.disable()  # no object of a start is garbage, and repeated collections cost a tenth of it

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.shard_map import ShardMap
from service_quality.adapters.state_table import StateTable
from service_quality.adapters.telemetry import Telemetry
from service_quality.adapters.wiring import EntityModels, make_registry
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.by_fields import value_class
from service_quality.commit.batch_report import batch_counts
from service_quality.commit.batches import BatchCommit
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.log_records import Rejection
from service_quality.events.routing import route_batch
from service_quality.events.stream_batches import BatchRecord, read_batch
from service_quality.features.feature_set import FEATURES
from service_quality.settings import read_settings

if TYPE_CHECKING:
    from service_quality.adapters.event_stream import EventStream

MOST_LOGGED = 10  # failures of a batch: a bad model fails on every event in the same way
COLLECTIONS = 10_000, 20, 50  # little of a batch is garbage: Python's own thresholds cost a twentieth of an event's CPU


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets; `stream_generation` rises when the stream is replaced."""

    event_stream: str
    state_table: str
    alerts_table: str
    models_table: str
    models_bucket: str
    rejected_bucket: str
    control_key_secret: str
    id_salt_secret: str
    stream_generation: int
    shops_at_once: int


@cache
def read_control_key() -> bytes:
    """The key that signs control records, read for the first of them: few batches hold one."""
    return read_secret(make_client("secretsmanager"), settings.control_key_secret)


@cache
def read_id_salt() -> bytes:
    """The salt of the alerts' public ids, read when the first alert opens."""
    return read_secret(make_client("secretsmanager"), settings.id_salt_secret)


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("score_interactions")
dynamodb, s3 = make_client("dynamodb"), make_client("s3")
rejected_store = RejectedStore(s3, settings.rejected_bucket)
store = StateTable(dynamodb, settings.state_table, settings.alerts_table, rejected_store.put)
registry = make_registry(dynamodb, s3, telemetry, table=settings.models_table, bucket=settings.models_bucket)
entity_models = EntityModels.beside(registry)
executor = ThreadPoolExecutor(settings.shops_at_once, "shop")
online_commit = OnlineCommit(
    store,
    registry.champion,
    FEATURES,
    shipped_rules(),
    control_key=read_control_key,
    id_salt=read_id_salt,
    entity_scorers=entity_models.scorers,
)
commit = BatchCommit(online_commit, executor)
for checked in [
    executor.submit(check) for check in (store.check, rejected_store.check, registry.champion, entity_models.scorers)
]:
    checked.result()
gc.freeze()  # nor will any of these become garbage
gc.set_threshold(*COLLECTIONS)
gc.enable()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, int]:
    """Advance every shop in the batch; the counts of its records and of those that are no record of a stream.

    It raises where a dependency or the release fails: the batch will be retried.
    """
    batch = read_batch(event)
    records = [record for record in batch if record is not None]
    counts = {"ReceivedRecords": len(batch), "UnreadableRecords": len(batch) - len(records)}
    telemetry.count(counts)
    routed = route_batch(records, generation=settings.stream_generation, is_held=is_held)
    outcome = commit.advance(routed.logs)
    outcome.stats.add(reject_records(routed.rejected))
    report(outcome.stats, rerouted=len(routed.rerouted))
    if outcome.error is not None:
        raise outcome.error
    if routed.rerouted:  # last, so that a retried batch does not fill the stream each time
        make_stream().put_entries(routed.rerouted)
    return counts


def is_held(record: BatchRecord, key: str) -> bool:
    """Whether the record's shard holds a partition key.

    The stream names the shard of every record. A batch made by hand may not: then a key is held by its shard if it is
    the stream record's own.
    """
    return make_shards().holds(record.shard_id, key) if record.shard_id else key == record.partition_key


@cache
def make_shards() -> ShardMap:
    """The stream's shards, made for the first batch."""
    return ShardMap(make_kinesis(), settings.event_stream)


@cache
def make_stream() -> "EventStream":
    """The stream for records that go back, made for the first of them."""
    from service_quality.adapters.event_stream import EventStream  # noqa: PLC0415  # few batches send records back

    return EventStream(make_kinesis(), settings.event_stream)


@cache
def make_kinesis() -> Any:
    """The one client of the stream."""
    return make_client("kinesis")


def reject_records(rejections: list[Rejection]) -> CommitStats:
    """Store records that name no shop: they belong to no log."""
    rejected_store.put(rejections)
    return CommitStats(rejected=dict(Counter(rejection.reason for rejection in rejections)))


def report(stats: CommitStats, *, rerouted: int) -> None:
    """Report counts and failures in log entries and in metrics."""
    counts = batch_counts(stats, rerouted=rerouted)
    telemetry.count(counts)
    telemetry.count_by_reason("RejectedEvents", stats.rejected)
    telemetry.count_by_field("OddValues", stats.odd)
    for failure in stats.failures[:MOST_LOGGED]:
        telemetry.logger.error("step_failed", extra=failure.fields())
    telemetry.logger.info("batch_committed", extra={**counts, "reasons": stats.rejected, "odd_fields": stats.odd})
