"""A day on the line: events of several shops on the embedded AWS, what was sent and what was folded of it."""

import json
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.progress import wait_until
from infra.local.archive import list_objects, read_archive_rows
from infra.local.cloud import Cloud
from infra.local.replaying import put_events
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from tests.integration.line_steps import read_rejected
from tests.integration.undisturbed import by_subject

SECONDS = 60
SHOPS = ("north", "south", "east")
EVENTS = Path(__file__).resolve().parents[1] / "events"


@dataclass
class Day:
    """A day on the line: what was sent so far, in its order, and what was seen on the way."""

    cloud: Cloud
    outputs: dict[str, str]
    sent: list[InteractionEvent] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)

    def send(self, phase: str, *shops: str, count: int = 4, sent_by: str = "stream") -> list[InteractionEvent]:
        """Conversations of each shop: opened, asked, answered, asked again, over and over."""
        made = [
            self._event(f"{phase}-{shop}-{number}", shop, number) for number in range(count) for shop in shops or SHOPS
        ]
        self.sent += made
        if sent_by == "stream":
            put_events(self.cloud, self.outputs["EventStreamName"], made)
        return made

    def _event(self, event_id: str, shop: str, number: int) -> InteractionEvent:
        now = int(time.time() * 1000)
        kinds = ("conversation_opened", "customer_message", "agent_message", "customer_message")
        return InteractionEvent(
            event_id=event_id,
            shop_id=shop,
            kind=kinds[number % 4],
            occurred_at=now + number - 1000,
            received_at=now,
            conversation_id=f"{event_id.rpartition('-')[0]} conversation {number // 4}",
            agent_id=f"agent-{number % 2}",
            customer_id=f"customer-{number // 4 % 3}",
            category="Returns",
        )

    def rows(self) -> list[dict]:
        """Every row of the archive; second copies left out."""
        rows = read_archive_rows(self.cloud, self.outputs["ArchiveBucketName"])
        return list({(row["shop_id"], row["follows"]): row for row in rows}.values())

    def archived(self) -> list[dict]:
        """Every entry of the archive, with its shop."""
        return entries_of(self.rows())

    def folded(self) -> Counter[str]:
        """The number of times that each event was folded."""
        entries = self.archived()
        return Counter(one["event"]["event_id"] for one in entries if "event_id" in one.get("event", {}))

    def await_folded(self, events: Sequence[InteractionEvent], *, seconds: float = SECONDS) -> bool:
        """Whether all of them came into the archive in time."""
        wanted = {event.event_id for event in events}
        return self.wait(lambda: wanted <= self.folded().keys(), seconds=seconds)

    def await_set_aside(self, shop: str, reason: str, count: int) -> None:
        found = Counter[tuple[str, str]]()

        def come() -> bool:
            found.clear()
            found.update((one["shop_id"], one["reason"]) for one in self.set_aside())
            return found[shop, reason] >= count

        assert self.wait(come), f"found {dict(found)}, expected {count} of {shop} for {reason}"

    def wait(self, come: Callable[[], bool], *, seconds: float = SECONDS) -> bool:
        return wait_until(come, title="bad day", state=lambda: "still waiting", seconds=seconds)

    def set_aside(self) -> list[dict]:
        """The records that lie under rejected/ and parked/."""
        bucket = self.outputs["RejectedBucketName"]
        bodies = [
            self.cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in list_objects(self.cloud, bucket, "parked/")
        ]
        return read_rejected(self.cloud, bucket) + [json.loads(line) for body in bodies for line in body.splitlines()]

    def give_up(self, events: Sequence[InteractionEvent]) -> None:
        """An event source gives up on a batch of the stream."""
        form = json.loads((EVENTS / "given_up_batch.json").read_text("utf-8"))
        like = json.loads(form["payload"])["Records"][0]
        batch = [like | {"kinesis": kinesis_form(event, number)} for number, event in enumerate(events)]
        self._keep_given_up(form, batch, "shardId-000000000000")

    def give_up_archive_row(self) -> None:
        """An event source gives up on a batch of the outbox."""
        form = json.loads((EVENTS / "given_up_rows.json").read_text("utf-8"))
        like = json.loads(form["payload"])["Records"][0]
        row = next(item for item in _items_of(self, "AlertsTableName") if item["row_kind"]["S"] == "archive")
        image = {**row, "body": {"B": b64encode(bytes(row["body"]["B"])).decode()}}
        function = self.cloud.functions.get_function_configuration(
            FunctionName=self.outputs["ArchiveOutboxFunctionName"]
        )
        form["requestContext"]["functionArn"] = function["FunctionArn"]
        self._keep_given_up(
            form, [like | {"dynamodb": like["dynamodb"] | {"NewImage": image}}], "shardId-00000001573689"
        )

    def _keep_given_up(self, form: dict[str, Any], batch: list[dict[str, Any]], shard: str) -> None:
        """Lambda keeps a batch that was given up on; the embedded AWS does not, so its object is put here by hand."""
        body = json.dumps(form | {"payload": json.dumps({"Records": batch})}).encode()
        key = f"aws/lambda/5f7b5a1e/{shard}/2026/11/26/2026-11-26T08.59.31-c9b8fa9f"
        self.cloud.s3.put_object(Bucket=self.outputs["RejectedBucketName"], Key=key, Body=body)


def entries_of(rows: list[dict]) -> list[dict]:
    return [{**entry, "shop_id": row["shop_id"]} for row in rows for entry in row["entries"]]


def kinesis_form(event: InteractionEvent, number: int) -> dict[str, object]:
    return {
        "partitionKey": event.shop_id,
        "sequenceNumber": str(number),
        "data": b64encode(event_to_json(event)).decode(),
        "approximateArrivalTimestamp": event.received_at / 1000,
    }


def read_state(day: Day) -> dict[str, bytes]:
    """The items of the state table by their keys."""
    return {item["item_key"]["S"]: bytes(item["data"]["B"]) for item in _items_of(day, "StateTableName")}


def read_alerts(day: Day) -> dict[str, object]:
    """The messages of alerts in their table, by rule, subject and number."""
    return by_subject(_alert_bodies(day))


def read_messages(day: Day) -> list[dict[str, Any]]:
    """The messages of alerts in their table, as they are sent."""
    return [json.loads(body) for body in _alert_bodies(day)]


def _alert_bodies(day: Day) -> list[bytes]:
    items = _items_of(day, "AlertsTableName")
    return [bytes(item["body"]["B"]) for item in items if item["row_kind"]["S"] == "alert"]


def _items_of(day: Day, table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table, which an output of the stack names."""
    for page in day.cloud.dynamodb.get_paginator("scan").paginate(TableName=day.outputs[table]):
        yield from page["Items"]
