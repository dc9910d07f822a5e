"""The growth of an event's cost with the length of its conversation and the age of its shop; tables in memory."""

import time
from collections import defaultdict

from benchmarks.measurement import Row
from benchmarks.scoring_runs.contacts import contact_events, long_conversation
from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.online_commit import OnlineCommit
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.features.vectors import Vector
from service_quality.instants import DAY
from service_quality.scoring.scores import Score
from tests.stand_ins.memory_store import MemoryStore

LENGTHS = (10, 100, 400)
AGES_DAYS = (1, 30, 90)
CONTACTS, COUNTED = 1_200, 600
BATCH = 100


class FreeScorer:
    """A model without cost that finds no conversation at risk."""

    def score(self, vector: Vector) -> Score:
        """The same for every vector."""
        return Score(0.1, (0.0,) * len(vector), -2.2, "free")


def measure_growth(runs: int) -> tuple[Row, ...]:
    """CPU time of the commit alone, per event at the end of a grown conversation and of a grown shop."""
    long = [
        Row(
            f"commit alone, the last ten events of a conversation of {length}",
            "µs CPU an event",
            tuple(cpu_of_last(long_conversation(length), 10) for _ in range(runs)),
        )
        for length in LENGTHS
    ]
    old = [
        Row(
            f"commit alone, a shop of {days} days ({CONTACTS} contacts)",
            "µs CPU an event",
            tuple(
                cpu_of_last(contact_events(CONTACTS, shops=1, every_ms=days * DAY // CONTACTS), COUNTED)
                for _ in range(runs)
            ),
        )
        for days in AGES_DAYS
    ]
    return (*long, *old)


def cpu_of_last(events: list[InteractionEvent], counted: int) -> float:
    """CPU microseconds an event over the last events, the others folded before."""
    scorer = FreeScorer()
    commit = OnlineCommit(MemoryStore(), lambda: scorer, FEATURES, shipped_rules())
    records = [
        (event.shop_id, LogRecord(str(Position(1, number)), event_to_json(event), event.received_at))
        for number, event in enumerate(events, 1)
    ]
    _advance(commit, records[:-counted])
    start = time.process_time()
    _advance(commit, records[-counted:])
    return (time.process_time() - start) / counted * 1e6


def _advance(commit: OnlineCommit, records: list[tuple[str, LogRecord]]) -> None:
    for first in range(0, len(records), BATCH):
        logs: dict[str, list[LogRecord]] = defaultdict(list)
        for shop_id, record in records[first : first + BATCH]:
            logs[shop_id].append(record)
        for shop_id, log in logs.items():
            commit.advance_shop(shop_id, log)
