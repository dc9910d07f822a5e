"""The simulated world: stream, workers, tables, buckets and outlets, and the time that passes for all of them."""

import json
import zlib
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

from service_quality.adapters.buckets.rejected_store import PARKED_FOLDER, REJECTED_FOLDER
from service_quality.commit import log_reader, transaction_builder, transactions
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.put_back import RejectedRecord, put_back_parked, put_back_rejected
from service_quality.commit.shop_item import ShopItem, decode_shop
from service_quality.commit.state_items import stored_days
from service_quality.conversations import conversation
from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.control_parsing import VALID_FOR
from service_quality.events.control_records import ControlRecord, RecordPutBack, StateRebuilt
from service_quality.events.control_signatures import sign_control
from service_quality.facts.conversation_fold import step_conversation
from service_quality.instants import DAY, HOUR, SECOND, parse_instant
from tests.properties.feature_sets import DEPLOYED, SETS
from tests.properties.import_packs import Backfill, Known
from tests.properties.online_run import SCORER
from tests.properties.random_findings import finding_in
from tests.properties.random_logs import DOINGS_WITH_SETTINGS, START, Choices, LogWriter, RandomLog, readable
from tests.properties.random_rules import RulesWriter
from tests.properties.random_settings import SettingsWriter, settings_in
from tests.properties.random_times import time_in
from tests.simulation.bells import Bells
from tests.simulation.event_source import GIVES_UP_AFTER, SENT_AGAIN_WITHIN, Carrier, EventSource, Part, stamped
from tests.simulation.models import RULES, Release
from tests.simulation.outlets import Outlets
from tests.simulation.outside import ALERTS, REJECTED, STATE, Killed, Outside
from tests.simulation.settings import RESERVED_EVENTS, Setting
from tests.simulation.sharded_stream import ShardedStream
from tests.simulation.workers import Deployment, Worker
from tests.stand_ins.control import KEY, control_key, record_json
from tests.stand_ins.living_tables import Item
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.rebuilding import Rebuild, rebuild

_WORKERS = 3
#: The versions of the fold; releases go forward and back between them.
FOLDS = ("1", "2")
_NOT_FOLDED = ("state_rebuilt", "shop_unparked")
#: Records that are set aside are put back within so long: a record that is older comes with another arrival.
_MENDED_WITHIN = 5 * DAY
#: Runs that put back what was set aside, once nothing is in its way.
_MOST_RUNS = 5
#: A function's own limit is 15 minutes.
_STANDS_STILL = 12 * HOUR
PACKS_KEPT = 427 * DAY
#: Shops of noise: one that it names, and a partition key that no shop has.
STRAYS = ("elsewhere", "any")


class WorkerFailedError(AssertionError):
    """A worker ended with what no function may end with."""


@dataclass
class World:
    """Everything of one schedule; `close` it in any case."""

    setting: Setting
    make_commit: Callable[..., OnlineCommit] = OnlineCommit
    outside: Outside = field(init=False)
    writers: dict[str, LogWriter] = field(init=False)
    workers: list[Worker] = field(init=False)
    outlets: Outlets = field(init=False)
    bells: Bells = field(init=False)
    expired: list[tuple[str, Item]] = field(default_factory=list)
    rules: str = RULES[0]
    #: What new workers serve, by its name, and the version of the fold that they have.
    deployed: str = field(init=False)
    fold: str = FOLDS[0]
    #: What the rebuilds of each shop wrote.
    rebuilt: dict[str, dict[str, bytes]] = field(default_factory=lambda: defaultdict(dict))
    failure: BaseException | None = None
    #: The records that a function acknowledged.
    answered: set[Carrier] = field(default_factory=set)
    runs: int = 0
    #: Rejected records that were put back, by shop and position.
    returned: set[tuple[str, str]] = field(default_factory=set)
    release: Release = field(init=False)
    dice: Choices = field(default_factory=lambda: Choices(0))
    _bounds: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        setting = self.setting
        self.deployed = setting.features
        stream = ShardedStream.of(setting.shards)
        self.outside = Outside(START + setting.replayed, lambda: self.dice.of((True, False)), stream)
        self.writers = {shop_id: self._new_writer(shop_id) for shop_id in self.shops}
        self.workers = [self._new_worker() for _ in range(_WORKERS)]
        self.outlets = Outlets(self.outside)
        self.bells = Bells(self.outside)
        self._bounds.enter_context(mock.patch.object(transactions, "MAX_ITEMS", setting.most_items))
        self._bounds.enter_context(mock.patch.object(conversation, "MAX_EVENTS", setting.most_events))
        self._bounds.enter_context(mock.patch.object(conversation, "RESERVED_EVENTS", RESERVED_EVENTS))
        self._bounds.enter_context(mock.patch.object(transaction_builder, "MAX_ITEM_BYTES", setting.most_item_bytes))
        # A row also declares what its vectors mean.
        most_row_bytes = setting.most_item_bytes + 4_000
        self._bounds.enter_context(mock.patch.object(transaction_builder, "MAX_ROW_BYTES", most_row_bytes))
        self.release = Release(setting.ill_of, torn=self._is_torn if setting.touchy else lambda: False)
        self._bounds.enter_context(mock.patch.object(log_reader, "step_conversation", self.release.step_conversation))

    def _new_writer(self, shop_id: str) -> LogWriter:
        def present() -> str | None:
            shop = self.stored_shop(shop_id)
            return shop.policies[-1] if shop is not None and shop.policies else None

        def present_rules() -> str | None:
            shop = self.stored_shop(shop_id)
            return shop.rules.revision if shop is not None and shop.rules is not None else None

        features = SETS[self.setting.features][0]
        settings = SettingsWriter(present, rules=RulesWriter(present_rules))
        return LogWriter(RandomLog(shop_id), features, know=self._know, doings=DOINGS_WITH_SETTINGS, settings=settings)

    def count(self, what: str, number: int = 1) -> None:
        self.outside.counts[what] += number

    @property
    def shops(self) -> tuple[str, ...]:
        """Every shop that has a log: those that write, and those that noise may name or lie under."""
        return *self.setting.shops, *STRAYS

    @property
    def stream(self) -> ShardedStream:
        return self.outside.stream

    @property
    def source(self) -> EventSource:
        """The only shard, where there is one."""
        (shard,) = self.stream.shards
        return shard

    @property
    def log_time(self) -> int:
        """The wall clock, or what it was when that happened which is replayed now."""
        return self.outside.wall - self.setting.replayed

    def close(self) -> None:
        """End every strand and give the bounds back."""
        for index in range(len(self.workers)):
            self.kill(index)
        self._bounds.close()

    def finish(self) -> None:
        """Let everything that is under way come to its end, and deliver all that is left."""
        for worker in self.workers:
            self.run(worker)
        while self.outside.under_way:
            self.outside.land(0)
        self.catch_up()
        for _ in range(_MOST_RUNS):
            if not self.set_aside() and not self.unbuilt_shops():
                break
            self.mend()
        else:
            raise WorkerFailedError("what a sound release is given back is set aside again and again")
        self.release.bad = False
        self.outlets.drain()

    def mend(self) -> None:
        """Deploy the latest release to every worker, rebuild what another fold left, put back what was set aside."""
        for index, worker in enumerate(self.workers):
            if worker.deployment.fold != self.fold:
                self.kill(index)
        for shop_id in self.unbuilt_shops():
            self.rebuild(shop_id)
        self.catch_up()
        self.put_back()
        self.catch_up()

    def unbuilt_shops(self) -> list[str]:
        """The shops whose state another version of the fold left."""
        items = {shop_id: self.stored_shop(shop_id) for shop_id in self.shops}
        return [shop_id for shop_id, item in items.items() if item is not None and item.fold_version != self.fold]

    def stored_shop(self, shop_id: str) -> ShopItem | None:
        item = self.outside.tables.tables[STATE].get((f"{shop_id}\x1fshop",))
        return decode_shop(item["data"]["B"]) if item else None

    def rebuild(self, shop_id: str, most: int | None = None) -> None:
        """Rebuild a shop by the latest release; the job may end after so many items."""
        shop = self.stored_shop(shop_id)
        assert shop is not None
        made = self._made_anew(shop_id, shop)
        written = list(made.items.items())[:most]
        for key, data in written:
            days = stored_days(key)
            assert days is not None  # a rebuild writes no policy
            self._store(shop_id, key, data, expires_at=self.outside.wall + days * DAY)
        self.rebuilt[shop_id] |= dict(written)
        self.count("rebuilds")
        if most is None or most >= len(made.items):
            now = self.outside.wall
            self.stream.put([(shop_id, sign_control(made.record, KEY, issued_at=now))], now=now)
            self.count("rebuild records")

    def _made_anew(self, shop_id: str, shop: ShopItem) -> Rebuild:
        """What the job makes: a calm run of what the archive holds of the log as far as it is folded."""
        features = DEPLOYED[self.deployed][0]
        positions = {
            entry["position"]
            for link in self._links(shop_id)
            for entry in link["entries"]
            if entry["position"] <= shop.folded_until and "event" in entry and entry["event"]["kind"] not in _NOT_FOLDED
        }
        records = [record for record in self.stream.log_of(shop_id) if record.position in positions]
        calm = MemoryStore(items=dict(self.writers[shop_id].log.packs))
        worker = OnlineCommit(calm, lambda: SCORER, features, (), control_key, fold_version=self.fold)
        with mock.patch.object(log_reader, "step_conversation", step_conversation):
            worker.advance_shop(shop_id, records)
        lived = {
            key.partition("\x1f")[2]: item["data"]["B"]
            for (key, *_), item in self.outside.tables.tables[STATE].items()
            if key.startswith(f"{shop_id}\x1f")
        }
        made_of = (shop_id, shop.generation, shop.folded_until, self.fold, self.deployed)
        rebuild_id = f"{zlib.crc32('|'.join(made_of).encode()):08x}"
        if not records:  # every record of it was set aside or rejected
            empty = StateRebuilt(
                shop_id=shop_id, rebuild_id=rebuild_id, fold_version=self.fold, follows=shop.folded_until, clock=0,
                received_clock=0, columns=features.plan.columns,
            )  # fmt: skip
            return Rebuild(empty)
        return rebuild(calm, shop, lived, features, shop_id=shop_id, rebuild_id=rebuild_id)

    def _is_torn(self) -> bool:
        """Whether the worker that folds now reads what others have moved."""
        return any(worker.strand is not None and worker.strand.runs and worker.door.torn() for worker in self.workers)

    def stored(self, folder: str) -> list[RejectedRecord]:
        """The content of a folder of the bucket."""
        bodies = [body for key, body in self.outside.s3.buckets[REJECTED].items() if key.startswith(f"{folder}/")]
        forms = [json.loads(line) for body in bodies for line in body.splitlines()]
        return [
            RejectedRecord(
                shop_id=form["shop_id"],
                position=form["position"],
                reason=form["reason"],
                arrived_at=parse_instant(form["arrived_at"]),
                data=b64decode(form["raw_base64"]),
            )
            for form in forms
        ]

    def parked_shops(self) -> list[str]:
        """The shops that are parked, by their stored items."""
        return [shop_id for shop_id in self.shops if self.parked_until(shop_id)]

    def parked_until(self, shop_id: str) -> str:
        """Where the log had the last record that a shop has set aside, by its stored item; empty without any."""
        shop = self.stored_shop(shop_id)
        parked = shop.parked if shop is not None else None
        return parked.until if parked is not None else ""

    def failed(self) -> list[RejectedRecord]:
        """Records that were rejected because the fold failed, and were not put back yet."""
        stored = self.stored(REJECTED_FOLDER)
        return [
            one for one in stored if one.reason == "fold_failed" and (one.shop_id, one.position) not in self.returned
        ]

    def set_aside(self) -> bool:
        """Whether anything waits to be put back."""
        return bool(self.parked_shops() or self.failed())

    def put_back(self, most: int | None = None, *, mended: bool = True) -> None:
        """Put back what was set aside, in order, of a release that is `mended` or not yet.

        The writer may end after so many records.
        """
        self.release.bad = self.release.bad and not mended
        now = self.outside.wall
        records: list[ControlRecord] = []
        for shop_id in self.parked_shops():
            self.runs += 1
            parked = [one for one in self.stored(PARKED_FOLDER) if one.shop_id == shop_id]
            until = self.parked_until(shop_id)
            records += put_back_parked(parked, run=f"run{self.runs}", now=now, until=until)
        records += put_back_rejected(self.failed(), now=now)
        for record in records[:most]:
            if isinstance(record, RecordPutBack) and not record.run:
                self.returned.add((record.shop_id, record.order))
            self.stream.put([(record.shop_id, sign_control(record, KEY, issued_at=now))], now=now)
            self.count("put back")
        if most is None or most >= len(records):
            self.count("runs put back whole")

    def _know(self, writer: LogWriter, choices: Choices) -> Known:
        """What a job knows of a shop that reads the archive now: the chain so far, perhaps without its last link, and
        never less of it than an earlier import was made from."""
        shop_id = writer.log.shop_id
        links = self._links(shop_id)
        seen = max((one.until for one in writer.log.backfills.values()), default="")
        if links and choices.of((0, 0, 1)) == 1 and links[-1]["follows"] >= seen:
            links.pop()
        accepted = {entry["position"] for link in links for entry in link["entries"] if "event" in entry}
        records = [record for record in self.stream.log_of(shop_id) if record.position in accepted]
        entries = readable(replace(writer.log, records=records))
        return Known(entries, [*writer.log.backfills.values()], links[-1]["last"] if links else "")

    def _links(self, shop_id: str) -> list[dict[str, Any]]:
        """The shop's archive rows so far."""
        return [
            json.loads(zlib.decompress(change.item["body"]["B"]))
            for change in self.outside.tables.changes
            if change.table == ALERTS
            and change.item["row_kind"]["S"] == "archive"
            and change.item["shop_id"]["S"] == shop_id
        ]

    def put(self, shop_id: str, data: bytes) -> None:
        """A record onto the stream under its shop's id."""
        self.put_parts([(shop_id, self.prepared(shop_id, data))])

    def put_parts(self, parts: Sequence[Part], *, carrier_key: str = "", onto: int | None = None) -> None:
        """Prepared records onto the stream under any keys; with a carrier's key as one aggregate."""
        for carried in [parts] if carrier_key else [[part] for part in parts]:
            self.stream.put(carried, carrier_key=carrier_key, onto=onto, now=self.outside.wall)

    def prepared(self, shop_id: str, data: bytes) -> bytes:
        """A record as it is or with a new stamp; before an import record its packs are written, as the job does."""
        backfill = self._backfill(shop_id, data)
        for key, pack in backfill.packs.items() if backfill else ():
            self._store(shop_id, key, pack, expires_at=self.outside.wall + PACKS_KEPT)
            self.count("packs written")
        if backfill is not None:
            return record_json(backfill.import_record, issued_at=self.outside.wall)
        settings, time, finding = settings_in(data), time_in(data), finding_in(data)
        if settings is not None:
            return record_json(settings, issued_at=self.outside.wall)
        if time is not None:
            return record_json(time, issued_at=self._issued(time.due_at))
        if finding is not None:
            return record_json(finding, issued_at=self._issued(finding.as_of))
        return stamped(data, now=self.log_time)

    def _issued(self, at: int) -> int:
        """When a record of an instant is signed: now, but for one so long ago that no sender would, which expires.

        What it is about might be deleted by the wall clock, while the log's own time, which only moves to the instant,
        still counts it.
        """
        is_late = self.log_time - at > SENT_AGAIN_WITHIN
        return self.outside.wall - VALID_FOR - 1 if is_late else self.outside.wall

    def _store(self, shop_id: str, key: str, data: bytes, *, expires_at: int) -> None:
        """An item that a job writes, until then by the wall clock."""
        item = {
            "item_key": {"S": f"{shop_id}\x1f{key}"},
            "data": {"B": data},
            "expires_at": {"N": str(expires_at // SECOND)},
        }
        self.outside.tables.put_item(TableName=STATE, Item=item)

    def _backfill(self, shop_id: str, data: bytes) -> Backfill | None:
        """The backfill that an import record names, whenever it was signed."""
        try:
            import_id = json.loads(data)["import_id"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        return self.writers[shop_id].log.backfills.get(import_id)

    def let_time_pass(self, to: int) -> None:
        """The wall clock goes on. What would grow too old on the stream is taken or given up before.

        Workers that pause for too long end first: what they put back waits on the stream like all else.
        """
        aside = [one.arrived_at for one in (*self.stored(PARKED_FOLDER), *self.failed())] if self.set_aside() else []
        if aside and to - min(aside) > _MENDED_WITHIN:
            self.mend()
        for index, worker in enumerate(self.workers):
            if worker.strand is not None and to - worker.started_at > _STANDS_STILL:
                if self.dice.of((True, True, False)):
                    self.run(worker)
                else:
                    self.count("killed by its time limit")
                    self.kill(index)
        if to - self.outside.wall > HOUR:
            self._land_puts()
        for shard in list(self.stream.shards):
            oldest = shard.oldest_arrival()
            if oldest is None or to - oldest <= GIVES_UP_AFTER:
                continue
            if self.dice.of((True,) * 7 + (False,)):
                self.catch_up()
            else:
                self.give_up(shard, len(shard.records))
        self.outside.wall = to

    def sweep(self, *, spares: Callable[[], bool]) -> None:
        """Time to live deletes what has expired, but for what it spares this time."""
        expired = self.outside.tables.expire(spares=spares)
        self.expired += expired
        self.count("state items expired", sum(table == STATE for table, _ in expired))

    def _land_puts(self) -> None:
        """Records on their way to the stream arrive; no request travels for hours."""
        for call in [one for one in self.outside.under_way if one.name == "put_records"]:
            self.outside.land(self.outside.under_way.index(call))

    def give_up(self, shard: EventSource, size: int) -> None:
        self.count("given up", len(shard.give_up(size)))

    def catch_up(self) -> None:
        """Deliver what is left without trouble; paused workers may stay paused."""
        while waiting := self.stream.behind():
            worker = next((one for one in self.workers if one.strand is None), self.workers[0])
            self.run(worker)
            shard, before = waiting[0], waiting[0].checkpoint
            worker.start(shard.batch(before, 12))
            self.run(worker)
            if self.release.bad and shard.behind and shard.checkpoint == before:
                self.release.bad = False  # what stops a batch of a bad release ends with it
                continue
            if shard.behind and shard.checkpoint == before:
                raise WorkerFailedError("a batch without trouble was not taken") from self.failure

    def run(self, worker: Worker) -> None:
        """Let a worker go on to the end of its invocation, without trouble."""
        self.see_end(worker, heard=True)
        while worker.strand is not None:
            self.go_on(worker, "ok", heard=True)

    def go_on(self, worker: Worker, order: str, *, heard: bool) -> None:
        """One call of a worker ends as ordered; `heard` says whether the event source hears of the invocation's end."""
        assert worker.strand is not None
        landed = len(self.outside.journal)
        worker.strand.go_on(order)
        if len(self.outside.journal) > landed and any(one.strand for one in self.workers if one is not worker):
            self.count("committed while another stood still")
        self.see_end(worker, heard=heard)

    def see_end(self, worker: Worker, *, heard: bool) -> None:
        """Take note of an invocation that has ended."""
        strand, batch = worker.strand, worker.batch
        if strand is None or batch is None or not strand.done:
            return
        worker.strand = None
        if strand.failure is None:
            self.answered.update(batch.records)
        if strand.failure is None and heard:
            batch.source.taken(batch)
        elif strand.failure is None:
            self.count("answer to the event source lost")
        elif isinstance(strand.failure, DependencyError | DeploymentError):
            self.count("invocations failed")
            self.count("bad releases", isinstance(strand.failure, DeploymentError))
            self.failure = strand.failure
        else:
            raise WorkerFailedError(f"a worker ended with {strand.failure!r}") from strand.failure

    def kill(self, index: int) -> None:
        """A worker ends where it stands, and a cold one takes its place."""
        strand = self.workers[index].strand
        if strand is not None and not strand.done:
            strand.go_on("kill")
            assert isinstance(strand.failure, Killed), f"a killed worker goes on: {strand.failure}"
        self.workers[index] = self._new_worker()

    def _new_worker(self) -> Worker:
        setting = self.setting
        deployment = Deployment(self.deployed, setting.cursed_of, self.fold, self.make_commit)
        return Worker(self.outside, deployment, self.rules)
