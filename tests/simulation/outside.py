"""The outside of the simulation: tables, buckets, a wall clock, and the doors through which workers call them."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from botocore.exceptions import ClientError, ReadTimeoutError

from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.adapters.state_table import StateTable
from service_quality.commit.shop_item import decode_shop
from service_quality.commit.store import Store
from service_quality.events.log_records import PARKED
from tests.simulation.event_source import EventSource
from tests.simulation.sharded_stream import ShardedStream
from tests.stand_ins.aws_services import S3, refusal
from tests.stand_ins.living_tables import LivingTables

STATE, ALERTS, STREAM = "state", "alerts", "events"
REJECTED, ARCHIVE = "rejected", "archive"

_MOST_PUTS = 12  # a throttled shard refuses for longer than the adapter asks

#: How a call can end, by its name; the first is as it should be.
ENDS = {
    "get_item": ("ok", "throttled", "never lands"),
    "batch_get_item": ("ok", "throttled", "never lands", "half"),
    "query": ("ok", "throttled", "never lands"),
    "transact_write_items": (
        *("ok", "throttled", "never lands", "conflict"),
        *("answer lost", "lands later") * 3,
    ),
    "put_object": ("ok", "throttled", "never lands", "answer lost", "lands later"),
    "list_shards": ("ok", "throttled", "never lands"),
    "put_records": (
        "ok",
        "throttled",
        "never lands",
        *("answer lost", "lands later", "half") * 2,
        *("half to the end",) * 6,
    ),
}


class Killed(BaseException):  # not an error that the code under test may catch
    """The worker ends here and now."""


@dataclass(frozen=True, eq=False)
class Attempt:
    """One attempt of a worker, and what it folds with: the model and the rules by name, the version of the fold."""

    model: str
    rules: str
    features: str
    fold: str


class Landed(NamedTuple):
    """A transaction that landed: the key of the shop's item, whose it was, and the position to which it goes."""

    item_key: str
    attempt: Attempt
    last_position: str


class LandedRejection(NamedTuple):
    """A record in the rejected store, which attempt rejected it, and whether its worker once found no such shop."""

    shop_id: str
    attempt: Attempt
    position: str
    found_no_shop: bool


@dataclass(frozen=True)
class UnderWay:
    """A call that timed out for its caller, and that may still arrive."""

    name: str
    act: Callable[[], object]


@dataclass
class Outside:
    """Everything that outlives a worker. `wall` is the wall clock in milliseconds."""

    wall: int
    stale: Callable[[], bool]
    stream: ShardedStream
    champion: str = "one"
    journal: list[Landed] = field(default_factory=list)
    landed_rejections: list[LandedRejection] = field(default_factory=list)
    under_way: list[UnderWay] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    tables: LivingTables = field(init=False)
    s3: S3 = field(init=False)

    def __post_init__(self) -> None:
        self.tables = LivingTables({STATE: {}, ALERTS: {}}, lambda: self.wall, self.stale)
        self.s3 = S3({REJECTED: {}, ARCHIVE: {}})

    def archive_bucket(self) -> ArchiveBucket:
        return ArchiveBucket(self.s3, ARCHIVE)  # type: ignore[arg-type]  # a stand-in of the client

    def land(self, index: int) -> None:
        """The call under way arrives now; no caller gets its answer."""
        call = self.under_way.pop(index)
        self.counts[f"landed later: {call.name}"] += 1
        try:
            call.act()
        except Exception as failure:  # the service's refusal, which no caller receives
            self.counts[f"landed later in vain: {type(failure).__name__}"] += 1


@dataclass
class Door:
    """One worker's clients of AWS. `pause` lets others go first, and says how the call shall end."""

    outside: Outside
    pause: Callable[[str], str]
    attempt: Callable[[], Attempt]
    folding: str = ""
    _known: dict[str, Any] = field(default_factory=dict)
    _absent: set[str] = field(default_factory=set)
    _halves: int = 0

    def get_item(self, **request: Any) -> Any:
        answer = self._call("get_item", lambda: self.outside.tables.get_item(**request))
        item_key = request["Key"]["item_key"]["S"]
        self._known[item_key] = answer.get("Item")
        if "Item" not in answer:
            self._absent.add(item_key)
        return answer

    def torn(self) -> bool:
        """Whether another worker moved the shop that is folded since its item was read or written here."""
        item_key = f"{self.folding}\x1fshop"
        return self.outside.tables.tables[STATE].get((item_key,)) != self._known.get(item_key)

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> Any:
        order = self.pause("batch_get_item")
        if order != "half":
            return self._end("batch_get_item", order, lambda: self._read_all(RequestItems))
        (table, request), *others = RequestItems.items()
        assert not others
        keys = request["Keys"]
        early = {table: {**request, "Keys": keys[: (len(keys) + 1) // 2]}}
        late = {table: {**request, "Keys": keys[(len(keys) + 1) // 2 :]}}
        answer = self._end("batch_get_item", "ok", lambda: self._read_all(early))
        self.outside.counts["read in halves"] += 1
        return {**answer, "UnprocessedKeys": late if late[table]["Keys"] else {}}

    def query(self, **request: Any) -> Any:
        return self._call("query", lambda: self.outside.tables.query(**request))

    def transact_write_items(self, *, TransactItems: list[Any]) -> Any:
        attempt, first = self.attempt(), TransactItems[0]["Put"]["Item"]

        def write() -> None:
            try:
                self.outside.tables.transact_write_items(TransactItems=TransactItems)
            except ClientError:
                self.outside.counts["conflicts"] += 1
                raise
            if "version" in first:
                position = decode_shop(first["data"]["B"]).last_position
                self.outside.journal.append(Landed(first["item_key"]["S"], attempt, position))

        answer = self._call("transact_write_items", write)
        if "version" in first:
            self._known[first["item_key"]["S"]] = first
        return answer

    def put_object(self, **request: Any) -> Any:
        attempt, forms = self.attempt(), [json.loads(line) for line in request["Body"].splitlines()]
        rejections = [
            LandedRejection(form["shop_id"], attempt, form["position"], f"{form['shop_id']}\x1fshop" in self._absent)
            for form in forms
            if form["reason"] != PARKED
        ]

        def write() -> None:
            self.outside.s3.put_object(**request)
            self.outside.landed_rejections += rejections

        return self._call("put_object", write)

    def list_shards(self, **request: Any) -> Any:
        return self._call("list_shards", lambda: {"Shards": [_listed(shard) for shard in self.outside.stream.shards]})

    def end_halves(self) -> None:
        """The stream takes all again, until the next order."""
        self._halves = 0

    def put_records(self, *, StreamName: str, Records: list[Any]) -> Any:
        order = self.pause("put_records")
        if order == "half to the end":
            self._halves = _MOST_PUTS
        if self._halves:
            order, self._halves = "half" if order in ("ok", "half to the end") else order, self._halves - 1
        taken = Records if order != "half" else Records[: len(Records) // 2]

        def write() -> Any:
            for record in taken:
                part = record["PartitionKey"], record["Data"]
                self.outside.stream.put([part], now=self.outside.wall, went_back=True)
                self.outside.counts["records gone back"] += 1
            refused = len(Records) - len(taken)
            code = "ProvisionedThroughputExceededException"
            return {"Records": [{"SequenceNumber": "1"}] * len(taken) + [{"ErrorCode": code}] * refused}

        return self._end("put_records", order, write)

    def _read_all(self, request: dict[str, Any]) -> Any:
        return self.outside.tables.batch_get_item(RequestItems=request)

    def _call(self, name: str, act: Callable[[], Any]) -> Any:
        return self._end(name, self.pause(name), act)

    def _end(self, name: str, order: str, act: Callable[[], Any]) -> Any:
        self.outside.counts["calls"] += 1
        if order == "kill":
            raise Killed
        if order == "throttled":
            raise refusal("ThrottlingException")
        if order == "conflict":
            raise refusal("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
        if order == "never lands":
            raise ReadTimeoutError(endpoint_url=name)
        if order == "lands later":
            self.outside.under_way.append(UnderWay(name, act))
            raise ReadTimeoutError(endpoint_url=name)
        answer = act()
        if order == "answer lost":
            raise ReadTimeoutError(endpoint_url=name)
        return answer


def _listed(shard: EventSource) -> dict[str, Any]:
    hashes = {"StartingHashKey": str(shard.first_key), "EndingHashKey": str(shard.last_key)}
    return {"ShardId": shard.shard_id, "HashKeyRange": hashes}


def rejected_behind(door: Door) -> RejectedStore:
    """The real adapter over a door."""
    return RejectedStore(door, REJECTED)  # type: ignore[arg-type]  # a stand-in of the client


def store_behind(door: Door) -> Store:
    """The real adapters over a door."""
    return StateTable(
        door,  # type: ignore[arg-type]  # a stand-in of the client
        STATE,
        ALERTS,
        rejected_behind(door).put,
        now=lambda: door.outside.wall / 1000,
        pause=lambda seconds: None,
    )
