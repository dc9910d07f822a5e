"""The two shops of the cost page as logs: a busy one in batches of 100, quiet ones whose events come one by one."""

import gzip
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from math import exp

from benchmarks.cost_runs.counts import CountingStore
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.archive_objects import archive_objects, unpack_archive_row
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector
from service_quality.instants import DAY
from service_quality.scoring.scores import Score
from spark_jobs.synthetic_shop.world import World, events_of, shop_of

START = 1_741_046_400_000  # 2025-03-04
FIRST_SEQUENCE = 49 * 10**54  # as long as Kinesis writes them
BATCH = 100
ARCHIVE_BATCH = 1000
COUNTED = 15_000
_RISKY = FEATURES.names.index("subcategory_dissatisfied_rate_30d")
_WAITED = FEATURES.names.index("first_response_at_least_ms")


@dataclass(frozen=True)
class Counted:
    """The counts of a scenario's events, summed over its shops."""

    events: int
    stores: tuple[CountingStore, ...]
    cpu_seconds: float
    archive_cpu_seconds: float
    archive_bytes: int
    world_events: int

    def total(self, count: Callable[[CountingStore], float]) -> float:
        """A count per counted event."""
        return sum(map(count, self.stores)) / self.events

    def units(self, kind: str) -> float:
        """Write request units of a kind of item, an event."""
        return self.total(lambda store: store.write_units[kind])

    def items(self, kind: str) -> float:
        """Written items of a kind, an event."""
        return self.total(lambda store: store.written_items[kind])

    def calls(self, name: str) -> float:
        """Calls of an operation, an event."""
        return self.total(lambda store: store.api_calls[name])


class LikeTheDemos:
    """Scores that open about as many alerts as the demo's model does: two messages in a hundred events."""

    def score(self, vector: Vector) -> Score:
        """Log-odds from the issue's rate and the wait for an answer; contributions are as many as a model gives."""
        waited = vector[_WAITED] if vector[_WAITED] == vector[_WAITED] else 0.0
        log_odds = 9 * (vector[_RISKY] - 0.18) + min(waited / 3_600_000, 2.0) - 1.6
        contributions = tuple(0.01 * number for number in range(len(vector)))
        return Score(1 / (1 + exp(-log_odds)), contributions, -1.6, "20261119T060000Z-0123456789ab")


def busy_shop(progress: Callable[[str], None]) -> Counted:
    """A month of a shop, then a part of a day on which a month's contacts come again under new names."""
    world = World(shops=1, days=31, contacts_per_day=120, seed=1, start=START)
    shop = shop_of(world, 0)
    past = in_order(events_of(world, shop, range(world.customers)))
    day = in_order(_again(event, world.end) for event in past)
    rush = day[len(day) // 3 :][:COUNTED]
    store = CountingStore()
    commit = fold(store)
    progress(f"  a busy shop: {len(past)} events of its past, {len(rush)} counted")
    take(commit, shop.shop_id, batches_of(past, BATCH), first=0)
    store.start_counting()
    cpu = take(commit, shop.shop_id, batches_of(rush, BATCH), first=len(past))
    return counted([store], events=len(rush), cpu=cpu, world_events=len(past) + len(rush))


def quiet_shops(progress: Callable[[str], None], *, shops: int = 20, window_ms: int = 0) -> Counted:
    """The last five days of 35 of some shops in place of 10,000; the events of one shop within the window come
    together, and each time its state is read again, as if 10,000 others had been in between.
    """
    world = World(shops=shops, days=35, contacts_per_day=3, seed=1, start=START)
    cut = world.end - 5 * DAY
    stores, events, cpu, all_events = [], 0, 0.0, 0
    progress(f"  {shops} quiet shops, together what comes within {window_ms / 1000:.0f} s")
    for number in range(shops):
        shop = shop_of(world, number)
        log = in_order(events_of(world, shop, range(world.customers)))
        past, late = [e for e in log if e.occurred_at < cut], [e for e in log if e.occurred_at >= cut]
        store = CountingStore()
        take(fold(store), shop.shop_id, batches_of(past, BATCH), first=0)
        store.start_counting()
        together = (
            [list(group) for _, group in groupby(late, lambda e: e.occurred_at // window_ms)] if window_ms else []
        )
        for first, batch in numbered(together or [[event] for event in late], first=len(past)):
            cpu += take(fold(store), shop.shop_id, [batch], first=first)
        stores.append(store)
        events, all_events = events + len(late), all_events + len(log)
    return counted(stores, events=events, cpu=cpu, world_events=all_events)


def counted(stores: list[CountingStore], *, events: int, cpu: float, world_events: int) -> Counted:
    """Archive the rows that left, too, in objects as the archiver writes them."""
    for store in stores:
        store.counted_timers.settle()
    rows = [row for store in stores for row in store.archive_rows]
    started, size = time.process_time(), 0
    for first in range(0, len(rows), ARCHIVE_BATCH):
        batch = map(unpack_archive_row, rows[first : first + ARCHIVE_BATCH])
        size += sum(len(gzip.compress(one.lines)) for one in archive_objects(batch))
    return Counted(events, tuple(stores), cpu, time.process_time() - started, size, world_events)


def fold(store: CountingStore) -> OnlineCommit:
    """A function that has just started, with an empty cache."""
    scorer = LikeTheDemos()
    return OnlineCommit(store, lambda: scorer, FEATURES, shipped_rules())


def take(commit: OnlineCommit, shop_id: str, batches: Iterable[list[InteractionEvent]], *, first: int) -> float:
    """Fold batches of a shop's log from a log index on; gives seconds of CPU."""
    started = time.process_time()
    for start, batch in numbered(batches, first=first):
        commit.advance_shop(
            shop_id,
            [
                LogRecord(str(Position(1, FIRST_SEQUENCE + start + place)), event_to_json(event), event.received_at)
                for place, event in enumerate(batch, 1)
            ],
        )
    return time.process_time() - started


def numbered(batches: Iterable[list[InteractionEvent]], *, first: int) -> Iterator[tuple[int, list[InteractionEvent]]]:
    """Each batch with the number of events before it."""
    for batch in batches:
        yield first, batch
        first += len(batch)


def batches_of(events: list[InteractionEvent], size: int) -> Iterator[list[InteractionEvent]]:
    """Events in batches of a size."""
    for first in range(0, len(events), size):
        yield events[first : first + size]


def in_order(events: Iterable[InteractionEvent]) -> list[InteractionEvent]:
    """The events as records of a log."""
    return sorted(events, key=lambda event: (event.received_at, event.event_id))


def _again(event: InteractionEvent, end: int) -> InteractionEvent:
    """The same event at the same hour of the day after the end, of another contact."""
    days = (end - event.occurred_at - 1) // DAY + 1
    contact = f"{event.conversation_id}-again" if event.conversation_id is not None else None
    at = event.occurred_at + days * DAY
    return replace(event, event_id=f"{event.event_id}-again", conversation_id=contact, occurred_at=at, received_at=at)
