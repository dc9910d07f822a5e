"""Features, windows, facts and entities come and go while a shop's log goes on: three readers agree on every value."""

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.commit.shop_item import decode_shop
from service_quality.commit.state_items import HistoryItem, encode_histories, entity_name
from service_quality.events.control_records import HistoryFilled
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position, sequence_of
from service_quality.facts.conversation_facts import Fact
from service_quality.facts.entities import item_key_of
from service_quality.features.declarations import FeatureSet
from service_quality.histories.counting import Restart
from service_quality.histories.history import HistoryPlan, build_history
from tests.parity.spark_reader import recompute_by_spark, served_vectors
from tests.properties.feature_sets import OTHER, SMALL
from tests.properties.import_packs import packs_of
from tests.properties.naive_reader import Deployed, NaiveReader, PastFilled
from tests.properties.online_run import batches, new_store, new_worker
from tests.properties.random_logs import RandomLog, logs, readable
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import record_json
from tests.stand_ins.memory_store import MemoryStore

DEPLOYED = (SMALL, OTHER, FeatureSet(SMALL.features[:12]))
FILL = len(DEPLOYED)
#: What each batch begins with: one of the deployments, or the past of what is incomplete.
DOINGS = st.lists(st.integers(0, FILL), min_size=3, max_size=12)
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=4)


@dataclass
class Shop:
    """One shop along its log, by the online commit and by the naive reader."""

    log: RandomLog
    store: MemoryStore
    naive: NaiveReader
    features: FeatureSet = SMALL
    vectors: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    fills: int = 0
    filled: int = 0

    def deploy(self, features: FeatureSet) -> None:
        self.features = features
        self.naive.read([("", Deployed(features))])

    def take(self, records: Sequence[LogRecord]) -> None:
        new_worker(self.store, self.features, ()).advance_shop("shop", records)
        own = {record.position for record in records}
        entries = [(position, entry) for position, entry in readable(self.log) if position in own]
        for one in self.naive.read(entries):
            if one.vector is not None:
                self.vectors[one.position] = (one.clock, one.vector)

    def fill(self, at: str) -> None:
        """Bring the past of all columns that began at one position, where there are any."""
        stored = self.store.shops.get("shop")
        shop = decode_shop(stored).under(self.features.plan) if stored is not None else None
        for restart in shop.counting.incomplete()[:1] if shop is not None else ():
            self.fills += 1
            record = self._write_past(restart, import_id=f"fill{self.fills}")
            data = record_json(record, issued_at=1_700_000_000_000)
            position = str(Position(1, sequence_of(at), 1))
            new_worker(self.store, self.features, ()).advance_shop(
                "shop", [LogRecord(position, data, 1_700_000_000_000)]
            )
            is_there = restart in decode_shop(self.store.shops["shop"]).counting.restarts
            if not is_there:
                columns = [self.features.plan.column_of[name] for name in restart.columns]
                self.naive.read([("", PastFilled(frozenset((one.entity, one.window, one.fact) for one in columns)))])
                self.filled += 1

    def _write_past(self, restart: Restart, *, import_id: str) -> HistoryFilled:
        """The packs of what these columns lack, from what the naive reader entered before they began."""
        facts: dict[str, list[Fact]] = defaultdict(list)
        columns = [self.features.plan.column_of[name] for name in restart.columns]
        for entity, fact in {(column.entity, column.fact) for column in columns}:
            unread = next(self.naive.unread[column] for column in columns if column[::2] == (entity, fact))
            for key, count in unread.items():
                if entity_name(key) == entity:
                    entered = self.naive.entered[key][:count]
                    facts[key] += [Fact(one.key, one.at, one.name, one.value) for one in entered if one.name == fact]
        plan = HistoryPlan.of(columns)
        items: dict[str, HistoryItem] = defaultdict(HistoryItem)
        for key, own in facts.items():
            history = build_history(own, plan.windows[entity_name(key)], clock=self.naive.clock)
            if not history.empty:
                items[item_key_of(key)].histories[key] = history
        record = HistoryFilled(
            shop_id="shop", import_id=import_id, follows=restart.follows, buckets=2, histories=len(items),
            columns=restart.columns,
        )  # fmt: skip
        packs = packs_of({key: encode_histories(item, plan) for key, item in items.items()}, record)
        self.store.items |= {("shop", key): data for key, data in packs.items()}
        return record


def tell(log: RandomLog, doings: Sequence[int], sizes: Sequence[int]) -> Shop:
    shop = Shop(log, new_store(log), NaiveReader(SMALL, later=DEPLOYED))
    for number, batch in enumerate(batches(log.records, sizes)):
        doing = doings[number % len(doings)]
        if doing < FILL:
            shop.deploy(DEPLOYED[doing])
        shop.take(batch)
        if doing == FILL:
            shop.fill(batch[-1].position)
    return shop


def shared_values(link: dict, vector: bytes, features: FeatureSet) -> dict[str, str]:
    """The bits of a served vector's features that have the same meaning in a set, by name."""
    served = [tuple(one) for one in link["features"]]
    values = struct.unpack(f"<{len(served)}f", vector)
    own = set(features.meanings.items())
    return {name: _bits(value) for (name, meaning), value in zip(served, values, strict=True) if (name, meaning) in own}


def _bits(value: float) -> str:
    return "missing" if isnan(value) else value.hex()


def declared_links(links: list[dict]) -> list[dict]:
    """The links with what their vectors mean, as the latest declaration before them says."""
    features: list = []
    found = []
    for link in links:
        features = link.get("declared", {}).get("features", features)
        found.append({**link, "features": features})
    return found


@settings(max_examples=150)
@given(logs(SMALL, most=40), DOINGS, SIZES)
def test_readers_agree_while_plans_change(log, doings, sizes):
    shop = tell(log, doings, sizes)
    links = archive_links(shop.store.rows, "shop")

    assert served_vectors(links) == shop.vectors
    for features in DEPLOYED if links else ():
        by_columns = recompute_by_spark(links, features, log.backfills)
        for link in declared_links(links):
            for position, (clock, vector) in served_vectors([link]).items():
                again = by_columns[position][1]
                names = dict(zip(features.names, struct.unpack(f"<{len(features.names)}f", again), strict=True))
                expected = shared_values(link, vector, features)
                assert by_columns[position][0] == clock
                assert {name: _bits(names[name]) for name in expected} == expected
