"""Stream, score_interactions, its tables and the rejected bucket in memory, as an operator's commands meet them.

The commit is the real one; a read of a shop's item lets it take what was put on the stream before.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from types import ModuleType
from typing import Any, cast

import pytest

from infra.operations import settings_commands
from infra.operations.lease import Lease
from infra.operations.outbox_batches import OutboxBatches
from infra.operations.parked_shops import ParkedShop
from infra.operations.put_back import PutBack
from infra.operations.rejected_objects import RejectedObjects
from infra.operations.selection import Selection
from infra.operations.shop_logs import ShopLog
from infra.operations.stream_writer import StreamWriter
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.adapters.state_table import StateReader
from service_quality.commit.batches import BatchCommit, BatchOutcome
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.transactions import Commit
from service_quality.errors import ShopTroubleError
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.aws_services import S3, refusal
from tests.stand_ins.control import control_key
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer
from tests.unit.core.sample_events import NOON, event

BUCKET, TABLE, STREAM = "rejected", "state", "events"


class KilledError(BaseException):
    """The process of the command is killed."""


class Store(MemoryStore):
    """Refuses what changes the state of the shops in trouble; stores what is rejected in the bucket."""

    def __init__(self, put: Callable[..., None]) -> None:
        super().__init__()
        self.troubled: set[str] = set()
        self._put = put

    def commit(self, commit: Commit) -> None:
        if commit.shop_id in self.troubled and commit.items:
            raise ShopTroubleError("found ValidationException, expected a transaction that the tables take")
        super().commit(commit)

    def store_rejected(self, rejections: Any) -> None:
        self._put(rejections)


class Bucket(S3):
    """Objects with the time of their last writing, listed in pages of two."""

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__({BUCKET: {}})
        self.before = before
        self.modified: dict[str, datetime] = {}
        self.read: list[str] = []
        self._writes = 0

    def put_object(self, **request: Any) -> None:
        super().put_object(**request)
        self._writes += 1
        self.modified[request["Key"]] = datetime.fromtimestamp(self._writes, UTC)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, BytesIO]:
        self.before()
        self.read.append(Key)
        return super().get_object(Bucket=Bucket, Key=Key)

    def get_paginator(self, operation: str) -> "Bucket":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str = ""):
        self.before()
        keys = sorted(key for key in self.buckets[Bucket] if key.startswith(Prefix))
        if Delimiter:
            folders = {Prefix + key.removeprefix(Prefix).partition(Delimiter)[0] + Delimiter for key in keys}
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}
            return
        for first in range(0, len(keys), 2):
            yield {"Contents": [{"Key": k, "LastModified": self.modified[k]} for k in keys[first : first + 2]]}

    def delete_objects(self, *, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        self.before()
        for one in Delete["Objects"]:
            self.buckets[Bucket].pop(one["Key"], None)
        return {}


@dataclass
class OperatedLine:
    """The system of an operator; `kill_at` ends the command before its call of this number, to any service."""

    now: int = NOON
    kill_at: int | None = None
    calls: int = 0
    records: list[tuple[str, bytes]] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    on_put: Callable[[int], None] = lambda number: None
    invoked: list[dict[str, Any]] = field(default_factory=list)
    failing_functions: bool = False
    on_invoke: Callable[[], None] = lambda: None
    leases: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_outcome: BatchOutcome | None = None
    takes: bool = True
    takes_at_read: int = 1  # every so many reads of a shop's item
    _taken: int = 0
    _reads: int = 0
    _mine: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.s3 = cast("Any", Bucket(self.call))
        self.store = Store(RejectedStore(self.s3, BUCKET).put)

    def call(self) -> None:
        """One call of the command to AWS."""
        self.calls += 1
        if self.calls == self.kill_at:
            raise KilledError

    # The stream and what reads it.

    def put_record(self, *, StreamName: str, Data: bytes, PartitionKey: str, **ordering: str) -> dict[str, str]:
        self.call()
        assert StreamName == STREAM
        before = [n for n, (key, _) in enumerate(self.records) if key == PartitionKey and n in self._mine]
        assert ordering.get("SequenceNumberForOrdering") in (None, *map(str, before[-1:]))
        self.records.append((PartitionKey, Data))
        self.arrivals.append(self.now)
        number = len(self.records) - 1
        self._mine.append(number)
        self.on_put(number)
        return {"SequenceNumber": str(number)}

    def send(self, *events: InteractionEvent) -> None:
        """A source puts events on the stream."""
        for one in events:
            self.records.append((one.shop_id, event_to_json(one)))
            self.arrivals.append(self.now)

    def advance(self) -> None:
        """Score_interactions takes what came since, as one batch."""
        logs: dict[str, list[LogRecord]] = {}
        for number in range(self._taken, len(self.records)):
            key, data = self.records[number]
            logs.setdefault(key, []).append(LogRecord(str(Position(1, number)), data, self.arrivals[number]))
        self._taken = len(self.records)
        commit = BatchCommit(OnlineCommit(self.store, FixedScorer, SMALL, SMALL_RULES, control_key))
        self.last_outcome = commit.advance(logs)
        assert self.last_outcome.error is None

    # The state table: shops' items and leases.

    def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> dict[str, Any]:
        self.call()
        assert (TableName, ConsistentRead) == (TABLE, True)
        shop_id, _, name = Key["item_key"]["S"].partition("\x1f")
        if name != "shop":
            return {"Item": self.leases[shop_id]} if shop_id in self.leases else {}
        self._reads += 1
        if self.takes and self._reads % self.takes_at_read == 0:
            self.advance()
        return {"Item": {"data": {"B": self.store.shops[shop_id]}}} if shop_id in self.store.shops else {}

    def batch_get_item(self, *, RequestItems: Any) -> dict[str, Any]:
        self.call()
        keys = [one["item_key"]["S"] for one in RequestItems[TABLE]["Keys"]]
        held = {f"{shop_id}\x1f{key}": data for (shop_id, key), data in self.store.items.items()}
        found = [{"item_key": {"S": key}, "data": {"B": held[key]}} for key in keys if key in held]
        return {"Responses": {TABLE: found}}

    def put_item(self, *, Item: Any, ExpressionAttributeValues: Any, ConditionExpression: str, **_: Any) -> None:
        self.call()
        assert ConditionExpression == "attribute_not_exists(item_key) OR #owner = :owner OR expires_at <= :now"
        shop_id = Item["item_key"]["S"].partition("\x1f")[0]
        held, now = self.leases.get(shop_id), int(ExpressionAttributeValues[":now"]["N"])
        if held and held["owner"] != Item["owner"] and int(held["expires_at"]["N"]) > now:
            raise refusal("ConditionalCheckFailedException")
        self.leases[shop_id] = Item

    def delete_item(self, *, Key: Any, ExpressionAttributeValues: Any, **_: Any) -> None:
        self.call()
        shop_id = Key["item_key"]["S"].partition("\x1f")[0]
        if shop_id not in self.leases or self.leases[shop_id]["owner"] != ExpressionAttributeValues[":owner"]:
            raise refusal("ConditionalCheckFailedException")
        del self.leases[shop_id]

    # Lambda, for batches of the outbox.

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, str]:
        self.call()
        self.invoked.append({"function": FunctionName, "event": json.loads(Payload)})
        self.on_invoke()
        return {"FunctionError": "Unhandled"} if self.failing_functions else {}

    # The command.

    def pause(self, seconds: float) -> None:
        self.now += round(seconds * 1000)

    def command(self, run: str = "r1", *, selection: Selection | None = None, is_dry: bool = False) -> PutBack:
        """A run of `put-back`, as its command line makes it."""
        self._mine.clear()
        client: Any = self
        objects = RejectedObjects(self.s3, BUCKET)
        writer = StreamWriter(client, STREAM, control_key, now=lambda: self.now)

        def open_log(shop_id: str) -> ShopLog:
            state = StateReader(client, TABLE)
            return ShopLog(shop_id, state, patience=60, pause=self.pause, clock=self.seconds)

        def open_shop(log: ShopLog) -> ParkedShop:
            lease = Lease(client, TABLE, log.shop_id, run, now=self.seconds, pause=self.pause)
            return ParkedShop(run, objects, writer, log, lease)

        names = {"dispatch_function": "dispatch-outbox", "archive_function": "archive-outbox"}
        outbox = OutboxBatches(objects, lambda: client, names)
        return PutBack(selection or Selection(), objects, writer, outbox, open_log, open_shop, 1, is_dry)

    def seconds(self) -> float:
        return self.now / 1000

    # The outcome.

    def shop(self, shop_id: str) -> ShopItem:
        return self.store.read_shop(shop_id) or ShopItem()

    def stored(self, folder: str = "") -> list[dict[str, Any]]:
        """The stored records below a folder, object by object."""
        objects = self.s3.buckets[BUCKET]
        bodies = [objects[key] for key in sorted(objects) if key.startswith(folder)]
        return [json.loads(line) for body in bodies for line in body.splitlines()]

    def folded(self, shop_id: str) -> list[str]:
        """The ids of the events folded, in the order of the log."""
        entries = archived_entries(self.store.rows, shop_id)
        return [entry["event"]["event_id"] for entry in entries if "event_id" in entry.get("event", {})]


def operated_line(monkeypatch: pytest.MonkeyPatch, commands: ModuleType) -> OperatedLine:
    """A line with one shop, which these commands call, and which they need not wait for."""
    line = OperatedLine()
    line.send(event("conversation_opened", 0))
    line.advance()
    client: Any = line

    class Clients:
        dynamodb = kinesis = line

        def read_secret(self, secret: str) -> bytes:
            assert secret == "arn"
            return control_key()

    monkeypatch.setattr(commands, "Clients", Clients)
    monkeypatch.setattr(
        settings_commands,
        "ShopLog",
        lambda shop_id, state, patience: ShopLog(shop_id, state, patience, line.pause, line.seconds),
    )
    monkeypatch.setattr(
        settings_commands, "StreamWriter", lambda _, name, key: StreamWriter(client, name, key, lambda: line.now)
    )
    return line
