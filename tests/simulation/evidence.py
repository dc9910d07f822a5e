"""What a schedule left behind, read from the outside alone: log, archive, rows, rejected records."""

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from service_quality.commit.chunks import OutboxRow
from service_quality.commit.state_items import ShopItem, decode_shop
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.features.declarations import FeatureSet
from tests.properties.feature_sets import SETS
from tests.properties.import_packs import Backfill
from tests.properties.naive_reader import NaiveReader, Reading
from tests.properties.online_run import readable
from tests.properties.random_logs import RandomLog
from tests.simulation.models import is_cursed
from tests.simulation.outside import ALERTS, ARCHIVE, REJECTED, STATE
from tests.simulation.world import World
from tests.stand_ins.archive_chain import archive_links


class ViolationError(AssertionError):
    """What may never be; says what was found."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise ViolationError(what)


@dataclass(frozen=True)
class Evidence:
    """What one shop's log left behind, read from the outside alone."""

    world: World
    shop_id: str

    @property
    def features(self) -> FeatureSet:
        return SETS[self.world.setting.features][0]

    @cached_property
    def log(self) -> list[LogRecord]:
        """Every record that was ever put on the shop's log."""
        return [one.record for one in self.world.source.records if one.shop_id == self.shop_id]

    @cached_property
    def links(self) -> list[dict]:
        """The chain as a reader of the archive's objects finds it."""
        rows: dict[tuple[str, str], OutboxRow] = {}
        for data in self.world.outside.s3.buckets[ARCHIVE].values():
            for line in gzip.decompress(data).splitlines():
                link = json.loads(line)
                key = (link["shop_id"], link["follows"] or "start")
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
        """What the naive reader makes of the records that were taken."""
        cursed_of = self.world.setting.cursed_of
        reader = NaiveReader(self.features, lambda vector: is_cursed(vector, cursed_of))
        log = RandomLog(self.shop_id, self.taken, self.backfills)
        return reader, {reading.position: reading for reading in reader.read(readable(log))}

    def rows(self, kind: str) -> list[tuple[tuple[str, str], bytes]]:
        """Rows of one kind in the order of the table's stream."""
        return [
            ((change.item["stream_key"]["S"], change.item["sequence"]["S"]), change.item["body"]["B"])
            for change in self.world.outside.tables.changes
            if change.table == ALERTS
            and change.item["row_kind"]["S"] == kind
            and change.item["shop_id"]["S"] == self.shop_id
        ]

    def rejected(self) -> dict[str, dict]:
        """What the rejected store keeps of this shop, by position."""
        bodies = self.world.outside.s3.buckets[REJECTED].values()
        forms = [json.loads(line) for body in bodies for line in body.splitlines()]
        return {form["position"]: form for form in forms if form["shop_id"] == self.shop_id}

    def events_on(self, records: Iterable[LogRecord]) -> list[tuple[str, InteractionEvent]]:
        """The events that can be read among records, each with its position."""
        found = readable(RandomLog(self.shop_id, list(records), self.backfills))
        return [(position, event) for position, event in found if isinstance(event, InteractionEvent)]

    @property
    def backfills(self) -> dict[str, Backfill]:
        return self.world.writers[self.shop_id].log.backfills
