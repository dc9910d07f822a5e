"""Time on a log: what Spark's reader makes of reached stages, and where it places those of a log that has none."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.alerts.stages import stages_of
from service_quality.commit.state_items import decode_conversation
from service_quality.conversations.wait_stages import is_of_clock
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.parsing import parse_record
from service_quality.events.time_reached import TimeReached
from service_quality.features.declarations import FeatureSet
from spark_jobs.backtest.given_scores import NoScore
from spark_jobs.backtest.log_lines import LogLine, read_line
from spark_jobs.backtest.turns_by_day import turns_ended_by_day
from spark_jobs.logs.folding import _fold_state_group, whole_facts
from spark_jobs.logs.rules import ShopStages
from spark_jobs.logs.time_rows import to_reached
from spark_jobs.logs.virtual_timers import timers_of
from tests.parity.log_rows import log_rows
from tests.parity.spark_reader import _log_of, _policies_of, recompute_by_spark, served_vectors
from tests.parity.test_spark_reader import SIZES
from tests.parity.timed_logs import WAITING_RULES, with_time
from tests.properties.feature_sets import SMALL
from tests.properties.online_run import batches, new_store, new_worker
from tests.properties.random_logs import RandomLog, build_new_year_log, logs, new_year_logs, readable
from tests.properties.test_backtest_batches import NotedBacktest
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.memory_store import MemoryStore

SEEDS = st.integers(0, 2**32 - 1)


def serve(log: RandomLog, sizes: Sequence[int], features: FeatureSet) -> tuple[MemoryStore, list[dict]]:
    """The log through the online commit: what it leaves, and the links of its archive."""
    store = new_store(log)
    worker = new_worker(store, features, WAITING_RULES)
    for batch in batches(log.records, sizes):
        worker.advance_shop(log.shop_id, batch)
    return store, archive_links(store.rows, log.shop_id)


@settings(max_examples=80)
@given(logs(SMALL, most=40), SIZES, SEEDS)
def test_log_with_time_is_recomputed_as_it_was_served(log, sizes, seed):
    timed = with_time(log, SMALL, seed=seed)

    _, links = serve(timed, sizes, SMALL)

    assert recompute_by_spark(links, SMALL, log.backfills) == served_vectors(links)


@settings(max_examples=60)
@given(new_year_logs(SMALL, most=50), SIZES, SEEDS)
def test_log_with_time_and_policies_is_recomputed_as_it_was_served(log, sizes, seed):
    timed = with_time(log, SMALL, seed=seed)

    _, links = serve(timed, sizes, SMALL)

    assert recompute_by_spark(links, SMALL, {}) == served_vectors(links)


def rebuilt(links: list[dict], log: RandomLog) -> dict[str, tuple]:
    """The stages that every open turn has reached, and the timer, as a rebuild makes them, by key."""
    rows, _ = _log_of(links, log.backfills)
    rows.sort(key=itemgetter("fold_key", "behind", "number", "turn"))
    kept, policies, stages = whole_facts(SMALL), _policies_of(links), ShopStages(stages_of(WAITING_RULES))
    states = (
        _fold_state_group(group, kept, (), policies, stages) for _, group in groupby(rows, key=itemgetter("fold_key"))
    )
    return {row["fold_key"]: _waits(row["conversation"]) for row in states if row["conversation"] is not None}


def _waits(data: bytes) -> tuple:
    item = decode_conversation(data, "shop")
    return item.conversation.events, item.conversation.reached, item.timer


@settings(max_examples=60)
@given(st.one_of(new_year_logs(SMALL, most=50), logs(SMALL, most=40)), SIZES, SEEDS)
def test_rebuilt_state_holds_the_reached_stages_and_the_timer_of_the_live_one(log, sizes, seed):
    timed = with_time(log, SMALL, seed=seed)

    store, links = serve(timed, sizes, SMALL)

    live = {
        key: _waits(data) for (_, key), data in store.items.items() if key.startswith(("contact", "visit", "count"))
    }
    found = rebuilt(links, timed)
    if any(b'"section":"rules"' in record.data for record in timed.records):
        # A rebuild's timers are those of the rules of the release; the shop's own come with the next event.
        found, live = ({key: waits[:-1] for key, waits in one.items()} for one in (found, live))
    assert found == live


def test_random_logs_hold_reached_stages_of_every_kind():
    random, found = Random(3), set()
    for seed in range(30):
        log = build_new_year_log([random.getrandbits(64) for _ in range(60)], SMALL)
        _, links = serve(with_time(log, SMALL, seed=seed), [7], SMALL)
        entries = [entry for link in links for entry in link["entries"]]
        found |= {
            entry["event"]["stage"] for entry in entries if entry.get("event", {}).get("kind") == TimeReached.kind
        }
        found |= {name for entry in entries for name in ("silent", "duplicate") if entry.get(name)}

    assert found >= {stage.name for stage in stages_of(WAITING_RULES)} | {"silent"}


def in_order_of_time(log: RandomLog) -> list[InteractionEvent]:
    """The log's events once each, as an import holds them and a replay brings them."""
    events: dict[str, InteractionEvent] = {}
    for _, entry in readable(log):
        if isinstance(entry, InteractionEvent):
            events.setdefault(entry.event_id, replace(entry, received_at=entry.occurred_at))
    return sorted(events.values(), key=log_order)


def placed_by_dry_run(events: Sequence[InteractionEvent], shop_id: str = "shop") -> list[str]:
    """The ids of events and stages in the order in which a dry run folds them, without the looks of rules."""
    data = [event_to_json(event) for event in events]
    lines = [line for number, one in enumerate(data, 1) if isinstance(line := read_line(number, one), LogLine)]
    backtest = NotedBacktest(NoScore(), not_judged=turns_ended_by_day(lines, ()))
    for line in lines:
        backtest.fold(line)
    backtest.end()
    read = [
        parse_record(record.data, arrived_at=record.arrived_at, shop_id=shop_id, key=lambda: b"of this run alone")
        for _, record in backtest.records
    ]
    records = [one for one in read if isinstance(one, InteractionEvent | TimeReached)]
    return [one.event_id for one in records if not (isinstance(one, TimeReached) and is_of_clock(one.stage))]


def placed_by_columns(events: Sequence[InteractionEvent]) -> list[str]:
    """The same by virtual timers."""
    rows = log_rows(enumerate(events, 1))
    until = max(row["received_clock"] for row in rows)
    order = [((row["received_clock"], row["log_index"], 0, "", ""), row["event_id"]) for row in rows]
    for _, group in groupby(sorted(rows, key=itemgetter("fold_key", "log_index")), key=itemgetter("fold_key")):
        for row in timers_of(group, stages_of(shipped_rules()), until=until):
            reached = to_reached(row)
            assert reached is not None
            place = (row["after_clock"], row["after_index"], reached.due_at, row["conversation_id"], row["reached"])
            order.append((place, reached.event_id))
    return [name for _, name in sorted(order)]


@settings(max_examples=60)
@given(logs(SMALL, most=40))
def test_virtual_timers_stand_where_a_dry_run_rings_them(log):
    events = in_order_of_time(log)

    assert not events or placed_by_columns(events) == placed_by_dry_run(events)
