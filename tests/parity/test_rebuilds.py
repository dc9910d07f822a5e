"""A shop is rebuilt in the middle of its log, as the job rebuilds it: it goes on as if nothing had happened."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.stages import stages_of
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import (
    HistoryItem,
    carry_alerts,
    encode_histories,
    encode_pack,
    pack_key,
    stored_key,
)
from service_quality.conversations.conversation import CONVERSATION_RETENTION
from service_quality.events.control_records import PendingImport, StateRebuilt
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position, sequence_of
from spark_jobs.logs.folding import _fold_state_group, whole_facts
from spark_jobs.logs.rules import ShopStages
from tests.parity.past_items import history_items
from tests.parity.spark_reader import _log_of, recompute_by_spark, served_vectors
from tests.properties.feature_sets import SMALL, SMALL_RULES
from tests.properties.online_run import SCORER, batches, new_store, remains
from tests.properties.random_logs import RandomLog, logs
from tests.stand_ins.archive_chain import archive_links, archived_entries
from tests.stand_ins.control import control_key, record_json
from tests.stand_ins.memory_store import MemoryStore

_ISSUED = 1_700_000_000_000
SUBJECTS = ("agent",)


def worker(store: MemoryStore, fold_version: str) -> OnlineCommit:
    return OnlineCommit(store, lambda: SCORER, SMALL, SMALL_RULES, control_key, fold_version=fold_version)


def rebuild(store: MemoryStore, log: RandomLog, rebuild_id: str, fold_version: str) -> StateRebuilt:
    """Write the items of a rebuild; the record that lets them count."""
    shop = store.read_shop("shop")
    assert shop is not None
    rows, _ = _log_of(archive_links(store.rows, "shop"), log.backfills)
    rows.sort(key=itemgetter("fold_key", "behind", "number", "turn"))
    kept = whole_facts(SMALL)
    stages = ShopStages(stages_of(SMALL_RULES))
    by_key = groupby(rows, key=itemgetter("fold_key"))
    states = [_fold_state_group(group, kept, SUBJECTS, stages=stages) for _, group in by_key]
    items: dict[str, bytes | None] = {
        row["fold_key"]: row["conversation"]
        for row in states
        if row["conversation"] and shop.received_clock - row["touched_at"] <= CONVERSATION_RETENTION
    }
    items |= dict.fromkeys(key for row in states for key in row["subjects"])
    items |= dict.fromkeys(found_keys(store))
    facts = [fact for row in states for fact in row["facts"]]
    items |= {one["key"]: one["data"] for one in history_items(facts, SMALL, shop_id="shop", clock=shop.clock)}
    for key, data in items.items():
        before = store.items.get(("shop", stored_key(key, shop.generation)))
        written = data if data is not None else encode_histories(HistoryItem(), SMALL.plan)
        written = written if before is None else carry_alerts(written, before=before)
        store.items["shop", stored_key(key, rebuild_id)] = written
    return StateRebuilt(
        shop_id="shop",
        rebuild_id=rebuild_id,
        fold_version=fold_version,
        follows=shop.folded_until,
        clock=shop.clock,
        received_clock=shop.received_clock,
        columns=SMALL.plan.columns,
        pending=tuple(write_pending(store, states, shop, rebuild_id)),
    )


def found_keys(store: MemoryStore) -> list[str]:
    """The keys of those whom accepted findings are about."""
    found = [one["event"] for one in archived_entries(store.rows, "shop") if "finding" in one.get("event", {})]
    return [SEPARATOR.join((one["subject_kind"], one["subject_id"])) for one in found]


def write_pending(store: MemoryStore, states: list[dict], shop: ShopItem, rebuild_id: str) -> list[PendingImport]:
    listed = []
    for number in range(max((len(row["parts"]) for row in states), default=0)):
        parts = {
            row["fold_key"]: row["parts"][number]["data"]
            for row in states
            if len(row["parts"]) > number
            and shop.received_clock - row["parts"][number]["touched_at"] <= CONVERSATION_RETENTION
        }
        one = PendingImport(f"{rebuild_id}-{number}", 1, len(parts))
        store.items |= {("shop", pack_key(one.import_id, key, 1)): encode_pack(parts) for key in list(parts)[:1]}
        listed += [one] if parts else []
    return listed


def tell(log: RandomLog, sizes: Sequence[int], rebuilt: Sequence[bool]) -> MemoryStore:
    """The log in batches, with a rebuild by the next release behind some of them."""
    store, release = new_store(log), 1
    for number, batch in enumerate(batches(log.records, sizes)):
        worker(store, str(release)).advance_shop("shop", batch)
        if rebuilt[number % len(rebuilt)] and "shop" in store.shops:
            release += 1
            record = rebuild(store, log, f"rebuild{release}", str(release))
            position = str(Position(1, sequence_of(batch[-1].position), 9_999))
            data = record_json(record, issued_at=_ISSUED)
            stats = worker(store, str(release)).advance_shop("shop", [LogRecord(position, data, _ISSUED)])
            assert stats.accepted == 1
    return store


def without_rebuilds(entries: list[dict]) -> list[dict]:
    return [one for one in entries if one.get("event", {}).get("kind") != StateRebuilt.kind]


@settings(max_examples=150)
@given(
    logs(SMALL, most=40),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.lists(st.booleans(), min_size=1, max_size=4),
)
def test_rebuilt_shop_serves_and_alerts_as_an_undisturbed_one(log, sizes, rebuilt):
    store, calm = tell(log, sizes, rebuilt), tell(log, sizes, [False])
    lived, expected = remains(store, "shop"), remains(calm, "shop")

    assert without_rebuilds(lived.entries) == expected.entries
    assert lived.alerts == expected.alerts
    assert lived.rejected == expected.rejected
    assert (lived.shop.clock, lived.shop.received_clock) == (expected.shop.clock, expected.shop.received_clock)
    links = archive_links(store.rows, "shop")
    served = served_vectors(links)
    assert served == {
        position: one for position, one in recompute_by_spark(links, SMALL, log.backfills).items() if position in served
    }
