"""Quiet shops through one shard: a batch holds one event each of many shops that are not in the cache.

The commit, its adapter and its threads are the product's own; every call of the table takes a round trip of 20 ms, as
within a region, and nothing else. Waiting is what decides here, so no other process is measured beside it.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from service_quality.adapters.state_table import StateTable
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.batches import BatchCommit, Logs
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from tests.stand_ins.living_tables import LivingTables
from tests.stand_ins.scorer import FixedScorer

SHOPS, BATCH, ROUND_TRIP_SECONDS = 1_000, 100, 0.020
START, MINUTE = 1_767_600_000_000, 60_000


@dataclass
class DistantTables:
    """Tables behind a round trip."""

    tables: LivingTables = field(
        default_factory=lambda: LivingTables({"state": {}, "alerts": {}}, lambda: START, lambda: False)
    )

    def __getattr__(self, operation: str) -> Any:
        call = getattr(self.tables, operation)

        def distant(**request: Any) -> Any:
            time.sleep(ROUND_TRIP_SECONDS)
            return call(**request)

        return distant


def events_per_second(*, shops_at_once: int, shops: int = SHOPS) -> float:
    """Events a second where the table holds every shop and the function's cache no shop."""
    tables = DistantTables()
    _take(tables, shops=shops, place=0, shops_at_once=shops_at_once)
    seconds = _take(tables, shops=shops, place=1, shops_at_once=shops_at_once)
    return shops / seconds


def _take(tables: DistantTables, *, shops: int, place: int, shops_at_once: int) -> float:
    """The seconds that a new function takes for the next event of every shop."""
    store = StateTable(tables, "state", "alerts", lambda rejections: None, now=lambda: START / 1000)  # type: ignore[arg-type]  # a stand-in of the client
    with ThreadPoolExecutor(shops_at_once) as pool:
        commit = BatchCommit(
            OnlineCommit(store, FixedScorer, FEATURES, shipped_rules()), pool if shops_at_once > 1 else None
        )
        started = time.monotonic()
        for logs in _batches(shops, place):
            outcome = commit.advance(logs)
            if outcome.error is not None or outcome.stats.accepted != len(logs):
                raise RuntimeError(f"found {outcome.stats.accepted} of {len(logs)} events accepted, expected all")
        return time.monotonic() - started


def _batches(shops: int, place: int) -> Iterator[Logs]:
    numbers = iter(range(shops))
    while batch := list(islice(numbers, BATCH)):
        yield {f"shop-{number}": [_record(number, place)] for number in batch}


def _record(number: int, place: int) -> LogRecord:
    at = START + place * MINUTE
    event = InteractionEvent(
        event_id=f"{number}-{place}",
        shop_id=f"shop-{number}",
        kind=("conversation_opened", "agent_message")[place],
        occurred_at=at,
        received_at=at,
        conversation_id="contact",
        customer_id="customer",
        agent_id="agent",
        supervisor_id="team",
        manager_id="manager",
        category="category",
        channel="chat",
    )
    return LogRecord(str(Position(1, place * SHOPS + number)), event_to_json(event), at)
