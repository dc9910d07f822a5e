"""The online commit over a random log, and what is left of it when it has ended."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from service_quality.alerts.rules import Rule
from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.shop_item import ShopItem, decode_shop
from service_quality.commit.state_items import decode_conversation, entity_name
from service_quality.commit.store import Store
from service_quality.events.log_records import LogRecord
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scores import TaskScorer
from service_quality.tasks.declared_tasks import Task
from tests.oracle.bounds import is_forgotten
from tests.properties.random_logs import RandomLog
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import control_key
from tests.stand_ins.memory_store import MemoryStore
from tests.stand_ins.scorer import FixedScorer, HashedScorer

SCORER = FixedScorer()


def new_store(*logs: RandomLog) -> MemoryStore:
    """A store in which the logs' packs lie already, as a backfill writes them before its import record."""
    return MemoryStore(items={key: data for log in logs for key, data in log.packs.items()})


def new_worker(
    store: Store, features: FeatureSet, rules: tuple[Rule, ...], *, tasks: tuple[Task, ...] = ()
) -> OnlineCommit:
    scorers = [TaskScorer(task, HashedScorer()) for task in tasks]
    return OnlineCommit(store, lambda: SCORER, features, rules, control_key, entity_scorers=lambda: scorers)


def batches(records: Sequence[LogRecord], sizes: Sequence[int]) -> list[list[LogRecord]]:
    """The records cut into batches of these sizes, over and over."""
    cut: list[list[LogRecord]] = []
    first = 0
    while first < len(records):
        size = sizes[len(cut) % len(sizes)]
        cut.append(list(records[first : first + size]))
        first += size
    return cut


@dataclass(frozen=True)
class Remains:
    """All that a shop's log left behind, but for the cuts between transactions and the version that counts them."""

    shop: ShopItem
    items: dict[str, bytes]
    entries: list[dict]
    alerts: dict[tuple[str, str], tuple[object, ...]]
    rejected: dict[str, tuple[bytes, str, str]]


def delete_forgotten(store: MemoryStore, shop_id: str) -> None:
    """Delete what the table's time to live may: conversations untouched for longer than their retention."""
    if shop_id not in store.shops:
        return
    received_clock = decode_shop(store.shops[shop_id]).received_clock
    for (shop, key), data in list(store.items.items()):
        if shop == shop_id and entity_name(key) in ("contact", "visit", "count"):
            touched_at = decode_conversation(data, shop_id).conversation.touched_at
            if is_forgotten(touched_at, received_clock=received_clock):
                del store.items[shop, key]


def remains(store: MemoryStore, shop_id: str) -> Remains:
    delete_forgotten(store, shop_id)
    return Remains(
        shop=(store.read_shop(shop_id) or ShopItem())._replace(version=0),
        items={key: data for (shop, key), data in store.items.items() if shop == shop_id},
        entries=archived_entries(store.rows, shop_id),
        alerts={
            key: (row.row_kind, json.loads(row.body), row.open)
            for key, row in store.rows.items()
            if row.shop_id == shop_id and row.row_kind != "archive"
        },
        rejected={
            position: (stored.record.data, stored.reason, stored.message)
            for (shop, position), stored in store.rejected.items()
            if shop == shop_id
        },
    )
