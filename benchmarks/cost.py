"""Dollars per million events at list prices, from the counted reads, writes and stored bytes of the real commit."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.cost_runs import prices
from benchmarks.cost_runs.prices import WAIT_MS, Price
from benchmarks.cost_runs.scenarios import ARCHIVE_BATCH, BATCH, Counted, busy_shop, quiet_shops
from benchmarks.measurement import Row, Section
from cli.paths import ROOT
from service_quality.commit.archived_ranges import OUTBOX_DAYS
from service_quality.commit.shop_buckets import SHOP_BUCKETS
from service_quality.commit.state_items import CONVERSATION_DAYS, HISTORY_DAYS

MILLION = 1_000_000
BUSY, QUIET, QUIET_MINUTE = "busy shop", "quiet shops", "quiet shops, window of a minute"
ARCHIVE_WINDOW_SECONDS = 60
QUIET_SHOPS, QUIET_EVENTS_A_DAY = 10_000, 42  # of three contacts a day, and their customers' behaviour
DAYS_A_MONTH = 30.4


@dataclass(frozen=True)
class Scenario:
    """A scenario's counts, its events a second in all, and its events an invocation."""

    name: str
    counted: Counted
    events_a_second: float
    events_an_invocation: float
    shops: int = QUIET_SHOPS


def measure(runs: int, progress: Callable[[str], None]) -> Section:
    """Count once, since the same logs give the same counts (only CPU differs)."""
    quiet_a_second = QUIET_SHOPS * QUIET_EVENTS_A_DAY / 86_400
    scenarios = (
        Scenario(BUSY, busy_shop(progress), events_a_second=BATCH, events_an_invocation=BATCH, shops=1),
        Scenario(QUIET, quiet_shops(progress), quiet_a_second, events_an_invocation=quiet_a_second),
        Scenario(QUIET_MINUTE, quiet_shops(progress, window_ms=60_000), quiet_a_second, events_an_invocation=BATCH),
    )
    rows = [row for scenario in scenarios for row in rows_of(scenario)]
    totals = {scenario.name: total(rows, scenario.name) for scenario in scenarios}
    return Section(
        "cost",
        tuple(rows),
        {"dollars_per_million_busy": totals[BUSY], "dollars_per_million_quiet": totals[QUIET]},
    )


def total(rows: list[Row], scenario: str) -> float:
    """Dollars of all of a scenario's rows."""
    return sum(row.median for row in rows if row.what.startswith(f"{scenario}: "))


def rows_of(scenario: Scenario) -> Iterator[Row]:
    """One row for each billed unit: dollars per million events, and the count an event."""
    for what, count, price in billed(scenario):
        note = f"{count:.3g} × {price.text}"
        yield Row(f"{scenario.name}: {what}", "$ per million events", (count * price.dollars * MILLION,), note)


def billed(scenario: Scenario) -> Iterator[tuple[str, float, Price]]:
    """The units that are billed by the event: name, count an event, price."""
    counted = scenario.counted
    for kind in ("shop's item", "conversations", "histories", "archive rows", "alert rows", "timers"):
        yield f"DynamoDB, writes of {kind}", counted.units(kind), prices.WRITE
    yield "DynamoDB, writes of ledgers of the archive", ledger_writes(scenario), prices.WRITE
    yield "DynamoDB, index of open alerts", counted.total(lambda s: s.index_units), prices.WRITE
    yield "DynamoDB, index of due timers", counted.total(lambda s: s.counted_timers.index_units), prices.WRITE
    yield "DynamoDB, reads", counted.total(lambda s: s.read_units), prices.READ
    yield "DynamoDB, storage", gigabyte_months(counted), prices.TABLE_GB_MONTH
    yield "Kinesis, shard", 1 / scenario.events_a_second / 3600, prices.SHARD_HOUR
    yield "Kinesis, records", 1.0, prices.STREAM_PUT
    yield (
        "Lambda, time of score_interactions",
        scoring_seconds(scenario) * memory_gb("score_interactions"),
        prices.LAMBDA_GB_SECOND,
    )
    yield "Lambda, time of the outbox", outbox_gb_seconds(scenario), prices.LAMBDA_GB_SECOND
    yield "Lambda, time of timers", timer_gb_seconds(counted), prices.LAMBDA_GB_SECOND
    yield "Lambda, requests", invocations(scenario), prices.LAMBDA_REQUEST
    yield "SNS, publications", alerts(counted), prices.PUBLISH
    yield "SQS, messages of timers", 3 * timer_messages(counted), prices.QUEUE_REQUEST  # sent, received, deleted
    yield "S3, objects of the archive", archived_objects(scenario), prices.S3_PUT
    yield "S3, a year of the archive", counted.archive_bytes / counted.events / 1e9, prices.S3_GB_YEAR
    yield "CloudWatch, logs", invocations(scenario) * prices.LOG_BYTES / 1e9, prices.LOG_GB


def gigabyte_months(counted: Counted) -> float:
    """The stored bytes of an event, for the time that they stay stored."""
    rows = counted.total(lambda store: store.row_bytes)
    conversations, histories = (
        sum(store.stored_bytes(conversations=kind) for store in counted.stores) / counted.world_events
        for kind in (True, False)
    )
    byte_days = rows * OUTBOX_DAYS + conversations * CONVERSATION_DAYS + histories * HISTORY_DAYS
    return byte_days / DAYS_A_MONTH / 1e9


def scoring_seconds(scenario: Scenario) -> float:
    """Its own work as measured, and the time that it waits for its calls, one after the other."""
    counted = scenario.counted
    waiting = sum(counted.calls(name) * WAIT_MS[name] for name in ("GetItem", "BatchGetItem", "TransactWriteItems"))
    return counted.cpu_seconds / counted.events + waiting / 1000


def outbox_gb_seconds(scenario: Scenario) -> float:
    """Publishing each alert by itself, and writing objects; a function of 512 MB has that share of a processor."""
    counted = scenario.counted
    publishing = alerts(counted) * WAIT_MS["Publish"] / 1000 * memory_gb("dispatch_outbox")
    share = memory_gb("archive_outbox") / memory_gb("score_interactions")
    archiving = counted.archive_cpu_seconds / counted.events / share
    archiving += archived_objects(scenario) * WAIT_MS["PutObject"] / 1000
    archiving += ledger_writes(scenario) * WAIT_MS["GetItem"] / 1000
    return publishing + archiving * memory_gb("archive_outbox")


def invocations(scenario: Scenario) -> float:
    """Of all functions, an event: alerts and timers leave one by one."""
    counted = scenario.counted
    timers = counted.total(lambda store: store.counted_timers.dispatched) + timer_messages(counted)
    return 1 / scenario.events_an_invocation + alerts(counted) + archive_invocations(scenario) + timers


def archive_invocations(scenario: Scenario) -> float:
    """One a minute, more where a thousand rows come sooner."""
    rows = scenario.counted.items("archive rows")
    return max(rows / ARCHIVE_BATCH, 1 / (scenario.events_a_second * ARCHIVE_WINDOW_SECONDS))


def archived_objects(scenario: Scenario) -> float:
    """One an invocation of archive_outbox for each bucket of shops in it, an event."""
    most = archive_invocations(scenario) * min(SHOP_BUCKETS, scenario.shops)
    return min(scenario.counted.items("archive rows"), most)


def ledger_writes(scenario: Scenario) -> float:
    """One an invocation of archive_outbox for each shop in it, an event."""
    return min(scenario.counted.items("archive rows"), archive_invocations(scenario) * scenario.shops)


def alerts(counted: Counted) -> float:
    """Messages an event; each also writes the row of the alert's state."""
    return counted.items("alert rows") / 2


def timer_messages(counted: Counted) -> float:
    """Messages of timers an event."""
    return counted.total(lambda store: store.counted_timers.messages)


def timer_gb_seconds(counted: Counted) -> float:
    """Looking at each transaction's timers, and ringing each message by itself."""
    dispatched = counted.total(lambda store: store.counted_timers.dispatched)
    sending = dispatched * prices.TIMER_SEND_MS / 1000 * memory_gb("dispatch_outbox")
    return sending + timer_messages(counted) * prices.TIMER_RING_MS / 1000 * memory_gb("ring_timers")


def memory_gb(function: str) -> float:
    """The memory that its stack gives a function, named by its folder."""
    stack = ROOT / "functions" / function / "stack.yaml"
    found = re.search(r"^      MemorySize: (\d+)", stack.read_text("utf-8") if stack.is_file() else "", re.MULTILINE)
    if found is None:
        raise ValueError(f"found no MemorySize in functions/{function}/stack.yaml, expected one")
    return int(found[1]) / 1024
