"""The results of a schedule, read from the outside alone: log, archive, rows, rejected records."""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

from service_quality.adapters.buckets.rejected_store import PARKED_FOLDER, REJECTED_FOLDER
from service_quality.commit.archived_ranges import FIRST_ROW
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.put_back import RejectedRecord
from service_quality.commit.shop_item import ShopItem, decode_shop
from service_quality.errors import RejectedEventError
from service_quality.events.control_records import RecordPutBack, StateRebuilt
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.features.declarations import FeatureSet
from tests.properties.feature_sets import CHURN_OF, DEPLOYED
from tests.properties.import_packs import Backfill
from tests.properties.naive_reader import Deployed, NaiveEntry, NaiveReader, Reading, Rebuilt
from tests.properties.random_logs import RandomLog, parsed, read_record, readable
from tests.simulation.outside import ALERTS, ARCHIVE, STATE, Attempt
from tests.simulation.settings import RESERVED_EVENTS
from tests.simulation.sharded_stream import hash_of
from tests.simulation.world import World
from tests.stand_ins.archive_chain import archive_links

#: Reasons that are decided while a batch is taken, by what else is in it or by how large an item has become.
DECIDED = ("fold_failed", "parked", "item_full")


class ViolationError(AssertionError):
    """A broken rule; the message says what was found."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise ViolationError(what)


@dataclass(frozen=True)
class Evidence:
    """The results of one shop's log, read from the outside alone."""

    world: World
    shop_id: str

    @cached_property
    def attempts(self) -> list[Attempt]:
        """The attempts that committed the links, in their order."""
        landed = (one for one in self.world.outside.journal if one.item_key == f"{self.shop_id}\x1fshop")
        attempts = [one.attempt for one in landed]
        require(len(attempts) == len(self.links), "links and transactions differ in number")
        return attempts

    @property
    def features(self) -> FeatureSet:
        """What the latest link was folded by that was not set aside for a rebuild."""
        folded = [one.features for link, one in self._links_with_attempts if link["fold_version"] == one.fold]
        return DEPLOYED[folded[-1] if folded else self.world.setting.features][0]

    @property
    def _links_with_attempts(self) -> list[tuple[dict, Attempt]]:
        return list(zip(self.links, self.attempts, strict=True))

    def deployed(self) -> Iterator[tuple[str, Deployed]]:
        """Where the shop came under another release's features, by the position of the first record under them."""
        before = ""
        for link, attempt in self._links_with_attempts:
            features = attempt.features if link["fold_version"] == attempt.fold else before
            require(("declared" in link) == (features != before), "a link declares no or needless features")
            if features != before:
                tasks = {CHURN_OF[features].name: CHURN_OF[features].features}
                yield link["entries"][0]["position"], Deployed(DEPLOYED[features][0], tasks)
            before = features

    def rebuilt(self) -> Iterator[tuple[str, Rebuilt]]:
        """Where the shop was rebuilt, and the columns that its new histories hold."""
        for entry in self.entries:
            if entry.get("event", {}).get("kind") == StateRebuilt.kind:
                names = set(entry["event"]["columns"].split())
                plans = [features.plan for features, _ in DEPLOYED.values()]
                columns = [plan.column_of[name] for plan in plans for name in names & plan.column_of.keys()]
                yield entry["position"], Rebuilt(frozenset((one.entity, one.window, one.fact) for one in columns))

    @cached_property
    def log(self) -> list[LogRecord]:
        """Every record that was ever put where the shop's log is."""
        return self.world.stream.log_of(self.shop_id)

    @cached_property
    def links(self) -> list[dict]:
        """The chain as a reader of the archive's objects finds it."""
        rows: dict[tuple[str, str], OutboxRow] = {}
        for data in self.world.outside.s3.buckets[ARCHIVE].values():
            for line in gzip.decompress(data).splitlines():
                link = json.loads(line)
                key = (link["shop_id"], link["follows"] or FIRST_ROW)
                row = OutboxRow(*key, "archive", zlib.compress(line, 1), link["shop_id"])
                require(rows.setdefault(key, row) == row, f"two copies that differ follow {key}")
        try:
            return archive_links(rows, self.shop_id)
        except AssertionError as gap:
            raise ViolationError(f"the archive has a gap: {gap}") from gap

    @cached_property
    def entries(self) -> list[dict]:
        return [entry for link in self.links for entry in link["entries"]]

    @cached_property
    def taken(self) -> list[LogRecord]:
        """The records that the chain holds, in order of the log."""
        positions = {entry["position"] for entry in self.entries}
        return [record for record in self.log if record.position in positions]

    @cached_property
    def shop(self) -> ShopItem:
        item = self.world.outside.tables.tables[STATE].get((f"{self.shop_id}\x1fshop",))
        return decode_shop(item["data"]["B"]) if item else ShopItem()

    @cached_property
    def read_naively(self) -> tuple[NaiveReader, dict[str, Reading]]:
        """The naive reader's readings of the records that were taken."""
        reader = self.new_reader()
        return reader, {reading.position: reading for reading in reader.read(self.entries_to_read())}

    def new_reader(self, *, scores: bool = True) -> NaiveReader:
        """A naive reader that has read nothing yet."""
        sets = tuple(DEPLOYED[name][0] for name in (self.world.setting.features, "other"))
        most_events = self.world.setting.most_events
        return NaiveReader(sets[0], most_events=most_events, reserved_events=RESERVED_EVENTS, scores=scores, later=sets)

    def entries_to_read(self) -> list[tuple[str, NaiveEntry]]:
        """The entries of the log that were taken, as the naive reader reads them."""
        taken = [record for record in self.taken if record.position not in self.decided]
        log = RandomLog(self.shop_id, taken, self.backfills)
        # A release counts before the first record under it: the sort is stable.
        entries: list[tuple[str, NaiveEntry]] = [*self.deployed(), *self.rebuilt(), *readable(log)]
        return sorted(entries, key=itemgetter(0))

    def rows(self, kind: str) -> list[tuple[tuple[str, str], bytes]]:
        """Rows of one kind in the order of the table's stream."""
        return [
            ((change.item["stream_key"]["S"], change.item["sequence"]["S"]), change.item["body"]["B"])
            for change in self.world.outside.tables.changes
            if change.table == ALERTS
            and change.item["row_kind"]["S"] == kind
            and change.item["shop_id"]["S"] == self.shop_id
        ]

    def rejected_records(self) -> dict[str, RejectedRecord]:
        """The shop's rejected records in the bucket, by position."""
        return {one.position: one for one in self.world.stored(REJECTED_FOLDER) if one.shop_id == self.shop_id}

    @property
    def answered(self) -> set[str]:
        """Positions of the shop's log that some function said it took."""
        world = self.world
        held = [shard for shard in world.stream.shards if shard.holds(hash_of(self.shop_id))]
        taken = [carrier for shard in held for carrier in shard.records if carrier in world.answered]
        positions = {record.position for carrier in taken for _, record in carrier.records()}
        return positions & {record.position for record in self.log}

    @property
    def passed_by(self) -> set[str]:
        """Positions of records that were stored because the log had passed them by."""
        stored = self.world.stored(REJECTED_FOLDER)
        return {one.position for one in stored if one.shop_id == self.shop_id and one.reason == "passed_by"}

    @property
    def unfounded(self) -> set[str]:
        """Positions of unreadable records, stored by a worker that found no item of the shop."""
        landed = self.world.outside.landed_rejections
        stored = {one.position for one in landed if one.shop_id == self.shop_id and one.found_no_shop}
        return stored & self.unreadable & self.rejected_records().keys()

    @property
    def unreadable(self) -> set[str]:
        """Positions of records that nobody can read."""
        return {record.position for record in self.log if isinstance(self.outcome_of(record), str)}

    def parked(self) -> dict[str, RejectedRecord]:
        """The shop's parked records in the bucket, by the first position of each."""
        return {one.position: one for one in self.world.stored(PARKED_FOLDER) if one.shop_id == self.shop_id}

    @cached_property
    def rejected_reasons(self) -> dict[str, str]:
        """Why the archive holds no event, by position."""
        return {entry["position"]: entry["rejected"] for entry in self.entries if "rejected" in entry}

    @cached_property
    def decided(self) -> set[str]:
        """Positions whose rejection no reader of the log could know: a failing fold, a parked shop, a full item."""
        return {position for position, reason in self.rejected_reasons.items() if reason in DECIDED}

    def first_of(self, record: LogRecord) -> LogRecord:
        """The record that one puts back, at the position and with the arrival that it had first; else itself."""
        try:
            read = parsed(record.data, record.arrived_at, self.shop_id)
        except RejectedEventError:
            return record
        return LogRecord(read.order, read.data, read.arrived_at) if isinstance(read, RecordPutBack) else record

    def outcome_of(self, record: LogRecord) -> object:
        """The content of a record, or the reason of its rejection."""
        try:
            return read_record(record, self.shop_id)
        except RejectedEventError as error:
            return error.reason

    def events_on(self, records: Iterable[LogRecord]) -> list[tuple[str, InteractionEvent]]:
        """The events that can be read among records, each with its position."""
        found = readable(RandomLog(self.shop_id, list(records), self.backfills))
        return [(position, event) for position, event in found if isinstance(event, InteractionEvent)]

    @property
    def backfills(self) -> dict[str, Backfill]:
        return self.world.writers[self.shop_id].log.backfills
