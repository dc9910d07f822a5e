"""A deployed line whose rule waits for seconds: customers ask and are answered, timers ring."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.progress import wait_until
from infra.local.archive import read_archive_rows
from infra.local.cloud import Cloud
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.replaying import put_events
from service_quality.commit.timers import PENDING, timer_key
from service_quality.events.interaction_event import InteractionEvent
from tests.integration.releases import Releases
from tests.integration.test_deployment import promote_tiny_model

SHOP = "timed-shop"
SECONDS = 60


def impatient_rules(limit_ms: int) -> dict[str, str]:
    """Code for a release whose rule about waiting begins after so many milliseconds, and no other rule."""
    code = f"""

from dataclasses import replace

_IMPATIENT = replace(shipped_rules()[0], tiers=(("warning", AtLeast("waiting_ms", {limit_ms})),))


def shipped_rules():
    return (_IMPATIENT,)
"""
    return {"alerts/shipped_rules.py": code}


@dataclass(frozen=True)
class TimedLine:
    """The line, and how it is used and looked at."""

    cloud: Cloud
    outputs: dict[str, str]
    emulator_pid: int
    endpoint: str

    def put(self, kind: str, conversation_id: str, at: int, *, shop_id: str = SHOP) -> None:
        """An event of a conversation that occurs, and is received, at an instant."""
        put_events(self.cloud, self.outputs["EventStreamName"], [event_of(kind, conversation_id, at, shop_id=shop_id)])

    def timer(self, conversation_id: str, *, shop_id: str = SHOP) -> dict[str, Any] | None:
        """The row of a conversation's timer."""
        key = {"stream_key": {"S": timer_key(shop_id, conversation_id)}, "sequence": {"S": PENDING}}
        return self.cloud.dynamodb.get_item(
            TableName=self.outputs["AlertsTableName"], Key=key, ConsistentRead=True
        ).get("Item")

    def await_timer(self, conversation_id: str, *, pending: bool, shop_id: str = SHOP) -> None:
        """Wait until a conversation has a timer's row, with a deadline or without one."""

        def come() -> bool:
            row = self.timer(conversation_id, shop_id=shop_id)
            return row is not None and ("due_at" in row) == pending

        assert wait_until(come, title="timer", state=lambda: "no such row yet", seconds=SECONDS)

    def reached(self) -> list[dict[str, Any]]:
        """The archived records that a deadline is reached and that were folded, in the archive's order."""
        rows = read_archive_rows(self.cloud, self.outputs["ArchiveBucketName"])
        events = (entry["event"] for row in rows for entry in row["entries"] if "event" in entry)
        return [event for event in events if event["kind"] == "time_reached"]

    def await_reached(self, conversation_id: str) -> dict[str, Any]:
        """Wait until a conversation's deadline is archived as reached."""
        assert wait_until(
            lambda: bool(self.reached_of(conversation_id)),
            title="archive",
            state=lambda: "no deadline reached yet",
            seconds=SECONDS,
        )
        return self.reached_of(conversation_id)[0]

    def reached_of(self, conversation_id: str) -> list[dict[str, Any]]:
        """The same of one conversation."""
        return [one for one in self.reached() if one["conversation_id"] == conversation_id]

    def on_the_stream(self) -> list[dict[str, Any]]:
        """The records on the stream that a deadline is reached."""
        stream = self.outputs["EventStreamName"]
        (shard,) = self.cloud.kinesis.list_shards(StreamName=stream)["Shards"]
        iterator = self.cloud.kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found = []
        while records := (answer := self.cloud.kinesis.get_records(ShardIterator=iterator))["Records"]:
            found += [json.loads(record["Data"]) for record in records]
            iterator = answer["NextShardIterator"]
        return [one for one in found if one["kind"] == "time_reached"]

    def messages(self) -> int:
        """About how many messages the timers' queue holds, delayed or not."""
        queue = {"QueueUrl": self.outputs["TimerQueueUrl"]}
        found = self.cloud.sqs.get_queue_attributes(**queue, AttributeNames=["All"])["Attributes"]
        return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesDelayed"])

    def limit_ringing(self, at_once: int) -> None:
        """Let so many of ring_timers run at once; the embedded AWS does not take it from a template."""
        function = self.outputs["RingTimersFunctionName"]
        (source,) = self.cloud.functions.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        self.cloud.functions.update_event_source_mapping(
            UUID=source["UUID"], ScalingConfig={"MaximumConcurrency": at_once}
        )

    def sweep(self) -> dict[str, Any]:
        """Invoke the sweep; its answer."""
        answer = self.cloud.functions.invoke(FunctionName=self.outputs["SweepTimersFunctionName"], Payload=b"{}")
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        assert not answer.get("FunctionError"), found
        return found


def event_of(kind: str, conversation_id: str, at: int, *, shop_id: str = SHOP) -> InteractionEvent:
    """An event that nobody has sent before."""
    return InteractionEvent(
        event_id=f"{conversation_id} {kind} {at}",
        shop_id=shop_id,
        kind=kind,
        occurred_at=at,
        received_at=at,
        conversation_id=conversation_id,
        agent_id="agent-1" if kind == "agent_message" else None,
    )


@contextmanager
def timed_line(folder: Path, *, limit_ms: int) -> Iterator[TimedLine]:
    """The line deployed with a rule that waits so long."""
    with Emulator(folder) as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator.cloud, outputs)
        Releases(emulator.cloud, outputs).deploy("impatient", impatient_rules(limit_ms))
        yield TimedLine(emulator.cloud, outputs, emulator.pid, emulator.endpoint)
