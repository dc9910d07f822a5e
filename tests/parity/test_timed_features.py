"""Timers that ring in the fold take the places that a second sort of the log gives them, without Spark."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from random import Random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import HOUR
from spark_jobs.logs.folding import (
    LIVE_SCHEMA,
    TIMED_SCHEMA,
    _batched,
    _fold_live_group,
    _fold_timed_group,
    whole_facts,
)
from spark_jobs.logs.policies import NO_POLICIES
from spark_jobs.logs.virtual_timers import BEHIND_ALL, VirtualTime, timers_of
from spark_jobs.reader.timed_features import (
    COUNTED_SCHEMA,
    PACKED_SCHEMA,
    EventsBefore,
    add_up,
    count_slots,
    pack,
    place_timers,
    unpack_placed,
    unpack_timers,
)
from spark_jobs.reader.window_sums import Integers
from tests.parity.log_rows import Row, log_rows
from tests.parity.spark_reader import read_folded, vectors_of
from tests.parity.test_time_in_spark import in_order_of_time
from tests.properties.feature_sets import SMALL
from tests.properties.random_logs import RandomLog, build_log, logs

STAGES = stages_of(shipped_rules())
_NO_IMPORT = {"number": 0, "turn": 0, "reached": None, "policies_known": 0}


def late(events: Sequence[InteractionEvent], *, seed: int) -> list[InteractionEvent]:
    """The events, some of which were received long after they occurred."""
    random = Random(seed)
    delays = (random.choice((0, 0, 1, HOUR // 2, 30 * HOUR)) for _ in events)
    return [replace(event, received_at=event.occurred_at + delay) for event, delay in zip(events, delays, strict=True)]


def by_conversation(rows: Sequence[Row]) -> list[Row]:
    """The rows as Spark's shuffle brings them to the fold."""
    known = [_NO_IMPORT | row | {"behind": row["log_index"]} for row in rows]
    return sorted(known, key=itemgetter("fold_key", "behind"))


def sorted_again(rows: Sequence[Row]) -> pa.Table:
    """The folded log with its timers between the events, placed by the order that with_virtual_timers sorts by."""
    until = max(row["received_clock"] for row in rows)
    placed = [((row["received_clock"], row["log_index"], 0, "", ""), row) for row in rows]
    for key, group in groupby(by_conversation(rows), key=itemgetter("fold_key")):
        for row in timers_of(group, STAGES, until=until) if key.startswith("contact") else ():
            where = row["after_clock"], row["after_index"], row["occurred_at"], row["conversation_id"], row["reached"]
            placed.append((where, row | {"fold_key": key}))
    timed = [row for _, row in sorted(placed, key=itemgetter(0))]
    clock = received_clock = 0
    located = []
    for log_index, row in enumerate(timed, 1):
        clock = max(clock, min(row["occurred_at"], row["received_at"]))
        received_clock = max(received_clock, row["received_at"])
        located.append(row | {"log_index": log_index, "clock": clock, "received_clock": received_clock})
    kept = whole_facts(SMALL)
    folded = (
        one
        for _, group in groupby(by_conversation(located), key=itemgetter("fold_key"))
        for one in _fold_live_group(group, kept, SMALL.event_values)
    )
    return pa.Table.from_batches(_batched(folded, LIVE_SCHEMA), schema=LIVE_SCHEMA)


def counted_in_the_fold(rows: Sequence[Row], *, tasks: int) -> pa.Table:
    """The same by timers that ring in the fold of several tasks, and take their places by counting."""
    time = VirtualTime(STAGES, {"shop": max(row["received_clock"] for row in rows)})
    kept = whole_facts(SMALL)
    folded: list[list[Row]] = [[] for _ in range(tasks)]
    for number, (_, group) in enumerate(groupby(by_conversation(rows), key=itemgetter("fold_key"))):
        folded[number % tasks] += _fold_timed_group(group, kept, SMALL.event_values, NO_POLICIES, time)
    packed = [
        batch
        for number, own in enumerate(folded)
        for batch in pack(_batched(own, TIMED_SCHEMA), first=1 + 1_000 * (tasks - number))
    ]
    whole = pa.Table.from_batches(packed, schema=PACKED_SCHEMA)
    placed = place_timers(unpack_timers(whole.filter(whole.column("timers").is_valid())), lambda at: count(rows, at))
    return pa.Table.from_batches(unpack_placed(packed, placed), schema=LIVE_SCHEMA)


def count(rows: Sequence[Row], clocks: Mapping[str, Integers]) -> Mapping[str, EventsBefore]:
    """What stands up to each clock, counted in two halves of the log."""
    columns = {name: [row[name] for row in rows] for name in ("shop_id", "received_clock", "clock")}
    (log,) = pa.table(columns).to_batches()
    halves = (log.slice(0, len(rows) // 2), log.slice(len(rows) // 2))
    counted = [batch for half in halves for batch in count_slots([half], clocks)]
    return add_up(pa.Table.from_batches(counted, schema=COUNTED_SCHEMA), clocks)


def timed_log(log: RandomLog, seed: int) -> list[Row]:
    return log_rows(enumerate(late(in_order_of_time(log), seed=seed), 1))


@settings(max_examples=60)
@given(logs(SMALL, most=40), st.integers(0, 99), st.integers(1, 3))
def test_timers_that_ring_in_the_fold_take_the_places_of_a_second_sort(log, seed, tasks):
    rows = timed_log(log, seed)
    if rows:
        expected, found = sorted_again(rows), counted_in_the_fold(rows, tasks=tasks)

        assert found.sort_by("log_index").to_pylist() == expected.sort_by("log_index").to_pylist()
        assert vectors_of(read_folded(found, SMALL, {})) == vectors_of(read_folded(expected, SMALL, {}))


def test_random_logs_hold_timers_of_every_kind():
    """Some that stand within a received clock, some behind it, and some that move the shop's clock."""
    random, kinds = Random(1), set()
    for seed in range(20):
        rows = timed_log(build_log([random.getrandbits(64) for _ in range(60)], SMALL), seed)
        until = max(row["received_clock"] for row in rows)
        for key, group in groupby(by_conversation(rows), key=itemgetter("fold_key")):
            for row in timers_of(group, STAGES, until=until) if key.startswith("contact") else ():
                kinds.add("within" if row["after_index"] < BEHIND_ALL else "behind")
                before = [one["clock"] for one in rows if one["received_clock"] <= row["after_clock"]]
                kinds.add("moves" if row["occurred_at"] > max(before) else "passed")

    assert kinds == {"within", "behind", "moves", "passed"}
