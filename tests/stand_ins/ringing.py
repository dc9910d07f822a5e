"""A shop's log as it comes with its timers: each rings before the first record that arrives behind it."""

import json
from collections.abc import Sequence

from service_quality.commit.online_commit import OnlineCommit
from service_quality.commit.timers import TIMER, Timer, read_timer
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_event
from service_quality.events.positions import Position
from spark_jobs.backtest.memory_store import MemoryStore
from tests.stand_ins.control import control_key, record_json


def pending(store: MemoryStore) -> list[Timer]:
    """The timers that wait, the nearest first."""
    found = [read_timer(row.shop_id, row.body) for row in store.rows.values() if row.row_kind == TIMER]
    return sorted((one for one in found if one is not None), key=lambda one: one.rings_at)


def advance_with_timers(commit: OnlineCommit, store: MemoryStore, shop_id: str, records: Sequence[LogRecord]) -> None:
    """Commit records of events one by one; a timer rings before the first record that was received after it rings."""
    commit.control_key = commit.control_key or control_key
    number = 0
    for record in records:
        event = parse_event(json.loads(record.data), arrived_at=record.arrived_at)
        while (timer := store.timers.ring(shop_id, before=event.received_at)) is not None:
            number += 1
            _commit(commit, shop_id, number, record_json(timer.reached, issued_at=timer.rings_at), timer.rings_at)
        number += 1
        _commit(commit, shop_id, number, record.data, record.arrived_at)


def _commit(commit: OnlineCommit, shop_id: str, number: int, data: bytes, arrived_at: int) -> None:
    commit.advance_shop(shop_id, [LogRecord(str(Position(1, number)), data, arrived_at)])
