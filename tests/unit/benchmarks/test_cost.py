"""The cost page shows the counted numbers, counted as DynamoDB counts."""

import re

import pytest

from benchmarks import cost
from benchmarks.cost_runs.counts import CountingStore, item_bytes
from benchmarks.cost_runs.page import BEGIN, END, PAGE, render, written
from benchmarks.cost_runs.prices import WRITE
from benchmarks.cost_runs.timers import CountedTimers
from benchmarks.results import read_results
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.timers import timer_row
from service_quality.commit.transactions import Commit
from service_quality.conversations.wait_stages import Deadline
from service_quality.instants import MINUTE


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


def commit(items: dict[str, bytes], *rows: OutboxRow, version: int = 0) -> Commit:
    return Commit("shop-1", ShopItem(version=version + 1), version, items, rows)


def archive_row(size: int) -> OutboxRow:
    return OutboxRow("shop-1\x1farchive", "1", "archive", bytes(size), "shop-1")


def test_page_says_what_the_command_wrote():
    section = read_results().sections["cost"]

    assert written(PAGE.read_text("utf-8")) == render(section)


def test_last_line_of_the_page_is_the_figures():
    found = read_results().figures()["cost"]
    *_, busy, quiet, _ = re.findall(
        r"[\d.]+", next(line for line in PAGE.read_text().splitlines() if "**all**" in line)
    )

    assert float(busy) == pytest.approx(found["dollars_per_million_busy"], abs=0.005)
    assert float(quiet) == pytest.approx(found["dollars_per_million_quiet"], abs=0.005)


def test_transaction_counts_every_begun_kilobyte_twice(store):
    overhead = item_bytes("shop-1", "contact\x1f1", b"")

    store.commit(commit({"contact\x1f1": bytes(1024 - overhead), "agent\x1fann": bytes(1024)}, archive_row(2900)))

    assert store.write_units == {"shop's item": 2, "conversations": 2, "histories": 4, "archive rows": 6}
    assert store.api_calls == {"TransactWriteItems": 1}


def test_read_counts_what_is_not_there_and_every_begun_four_kilobytes(store):
    store.items["shop-1", "agent\x1fann"] = bytes(5000)

    store.read_items("shop-1", ["agent\x1fann", "agent\x1fbo"])

    assert store.read_units == 2 + 1
    assert store.api_calls == {"BatchGetItem": 1}


def test_only_rows_of_standing_alerts_are_in_the_index(store):
    state = OutboxRow("shop-1\x1falert\x1fk", "state", "state", bytes(500), "shop-1", open=True)
    message = OutboxRow("shop-1\x1falert\x1fk", "1", "alert", bytes(500), "shop-1")

    store.commit(commit({}, message, state, archive_row(10)))

    assert store.index_units == 1
    assert store.written_items["alert rows"] == 2


def timer(due_at: int | None) -> OutboxRow:
    return timer_row("shop-1", "contact-1", None if due_at is None else Deadline(due_at, 1, 1, "waiting_ms:1800000"))


@pytest.mark.parametrize(
    ("due_in", "over_after", "messages", "rung"),
    [
        (10 * MINUTE, MINUTE, 1, 0),
        (30 * MINUTE, MINUTE, 0, 0),
        (30 * MINUTE, 18 * MINUTE, 1, 0),
        (30 * MINUTE, 29 * MINUTE, 3, 0),
        (30 * MINUTE, 31 * MINUTE, 3, 1),
    ],
)
def test_timer_costs_its_entries_of_the_index_and_its_messages(due_in, over_after, messages, rung):
    timers = CountedTimers()
    timers.put([timer(due_in)], at=0)

    timers.put([timer(None)], at=over_after)

    assert (timers.index_units, timers.messages, timers.rung, timers.dispatched) == (2, messages, rung, 1)


def test_timer_that_is_pending_at_the_end_counts_up_to_it():
    timers = CountedTimers()
    timers.put([timer(30 * MINUTE)], at=0)
    timers.put([], at=26 * MINUTE)

    timers.settle()

    assert (timers.index_units, timers.messages, timers.rung) == (1, 3, 0)


def test_counting_starts_again_and_forgets_nothing_that_is_stored(store):
    store.commit(commit({"agent\x1fann": b"1"}, archive_row(10)))

    store.start_counting()

    assert not store.write_units
    assert not store.api_calls
    assert store.items["shop-1", "agent\x1fann"] == b"1"


def test_memory_of_functions_is_read_from_their_stacks():
    assert cost.memory_gb("score_interactions") > cost.memory_gb("archive_outbox") > 0
    with pytest.raises(ValueError, match=r"functions/nowhere/stack\.yaml"):
        cost.memory_gb("nowhere")


def test_marks_of_the_page_stand_once():
    text = PAGE.read_text("utf-8")

    assert text.count(BEGIN) == text.count(END) == 1


def test_small_price_is_given_per_million():
    assert WRITE.text == "$0.625 per million of: write request unit"
