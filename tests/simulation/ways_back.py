"""Records that sources put on any shard under any key, and the judge of their way to their shop's log."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from service_quality.errors import RejectedEventError
from service_quality.events.control_records import ControlRecord
from service_quality.events.identifiers import NO_SHOP
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_record
from service_quality.instants import parse_instant
from tests.properties.random_logs import Choices
from tests.simulation.event_source import EventSource, Part
from tests.simulation.evidence import require
from tests.simulation.outside import REJECTED
from tests.simulation.sharded_stream import LAST_KEY, Foreign, ShardedStream, hash_of
from tests.simulation.world import World
from tests.stand_ins.control import control_key

_ANY_KEY = "any"
#: What becomes of a record that comes before the instant that it names, and the field that holds this.
_EARLY = {"from_the_future due_at": "due_at", "from_the_future as_of": "as_of"}


@dataclass
class Way:
    """How a source puts records on the stream: mostly as it should, else under other keys, hashed by hand, aggregated.

    `onto` is a hash key made by hand; `keys` are partition keys by turns instead of the shops' ids.
    """

    world: World
    name: str
    onto: int | None
    keys: Iterator[str] | None
    says_receipt: bool

    @classmethod
    def of(cls, world: World, dice: Choices) -> "Way":
        name = dice.of(("as it should be",) * 9 + ("by hand", "other key", "aggregate", "aggregate", "mixed aggregate"))
        onto = dice.of((None, 0, LAST_KEY, hash_of(world.setting.shops[0]), LAST_KEY // 2))
        keys = cycle(dice.of(((_ANY_KEY, *world.setting.shops, "a\x1fb"), (*world.setting.shops, "a\x1fb"))))
        says_receipt = bool(world.setting.replayed) or dice.of((True, True, False))
        if name in ("as it should be", "other key"):
            onto = None
        return cls(world, name, onto, keys if name in ("other key", "mixed aggregate") else None, says_receipt)

    @property
    def is_aggregate(self) -> bool:
        return self.name.endswith("aggregate")

    def put(self, records: Sequence[Part]) -> None:
        """Records, each with its shop; one where they are no aggregate."""
        if not records:
            return
        self.world.count(self.name)
        parts = []
        for shop_id, data in records:
            prepared = self.world.prepared(shop_id, data)
            key = next(self.keys) if self.keys else shop_id
            parts.append((key, prepared if self.says_receipt else _without_receipt(prepared)))
        self.world.put_parts(parts, carrier_key=_ANY_KEY if self.is_aggregate else "", onto=self.onto)


def _without_receipt(data: bytes) -> bytes:
    """The record as a source writes it that leaves the arrival to the stream."""
    try:
        form = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(form, dict) or "received_at" not in form:
        return data
    return json.dumps({name: value for name, value in form.items() if name != "received_at"}).encode()


def judge_ways_back(world: World) -> None:
    """A record on another shard than its shop's, or under another key, is on the shop's log, received when it came.

    Nothing went back twice, and what names no shop is stored. What the event source gave up on is left out.
    """
    logs = {shop_id: list(map(_outcome, world.stream.log_of(shop_id))) for shop_id in world.shops}
    stored = set(_stored_without_shop(world))
    for shard in world.stream.shards:
        for one in _taken_from(world.stream, shard):
            require(not one.carrier.went_back, f"went back twice: {one.record.position}")
            if one.shop_id is None:
                require((one.record.position, one.record.data) in stored, f"not stored: {one.record.position}")
                continue
            is_there = any(outcome in logs[one.shop_id] for outcome in _outcomes(one.record))
            require(is_there, f"lost on its way: {one.record.position}")
            world.count("ways back judged")


def _taken_from(stream: ShardedStream, shard: EventSource) -> Iterator[Foreign]:
    given_up = set(shard.failures)
    return (one for one in stream.foreign(shard) if one.carrier not in given_up)


def _outcomes(record: LogRecord) -> Iterator[InteractionEvent | ControlRecord | str]:
    """What may become of a record on its shop's log: what comes too early here may be due by then."""
    outcome = _outcome(record)
    yield outcome
    if isinstance(outcome, str) and outcome in _EARLY:
        yield _outcome(record._replace(arrived_at=parse_instant(json.loads(record.data)[_EARLY[outcome]])))


def _outcome(record: LogRecord) -> InteractionEvent | ControlRecord | str:
    """The content of a record, or the reason why it has none; the same on any shard."""
    form = json.loads(record.data) if record.data[:1] == b"{" and record.data[-1:] == b"}" else {}
    try:
        return parse_record(record.data, arrived_at=record.arrived_at, shop_id=form.get("shop_id", ""), key=control_key)
    except RejectedEventError as error:
        return f"{error.reason} {error.field}"


def _stored_without_shop(world: World) -> Iterator[tuple[str, bytes]]:
    for body in world.outside.s3.buckets[REJECTED].values():
        for form in map(json.loads, body.splitlines()):
            if form["shop_id"] == NO_SHOP:
                require(form["reason"] == "no_shop", f"stored for another reason: {form['reason']}")
                yield form["position"], b64decode(form["raw_base64"])
