"""A dry run understands a log, with the stages that time reaches in it, as a stream that delivers it in batches."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.alerts.shipped_rules import shipped_rules
from service_quality.commit.batches import BatchCommit
from service_quality.commit.commit_stats import CommitStats
from service_quality.commit.online_commit import OnlineCommit
from service_quality.errors import RejectedEventError
from service_quality.events.event_forms import event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.features.feature_set import FEATURES
from spark_jobs.backtest.backtest import RUN_KEY, Backtest
from spark_jobs.backtest.given_scores import GivenScore
from spark_jobs.backtest.log_lines import LogLine, read_line
from spark_jobs.backtest.memory_store import MemoryStore
from tests.properties.feature_sets import SMALL
from tests.properties.random_logs import logs
from tests.unit.core.sample_events import event

MINUTE = 60_000
SCORE = GivenScore(0.5)


@dataclass(eq=False, repr=False)
class NotedBacktest(Backtest):
    """Notes the records that it folds, in their order."""

    records: list[tuple[str, LogRecord]] = field(default_factory=list)

    def _advance(self, shop_id: str, records: list[LogRecord], scored_as: str = "") -> CommitStats:
        self.records += [(shop_id, record) for record in records]
        return super()._advance(shop_id, records, scored_as)


def readable_lines(data: Iterable[bytes]) -> list[LogLine]:
    """The lines that are records of some shop's log."""
    lines = []
    for number, one in enumerate(data, start=1):
        with suppress(RejectedEventError):
            line = read_line(number, one)
            lines += [line] if line is not None else []
    return lines


def dry_run(lines: list[LogLine]) -> NotedBacktest:
    """A log, line by line, and its end."""
    backtest = NotedBacktest(SCORE)
    for line in lines:
        backtest.fold(line)
    backtest.end()
    return backtest


def in_batches(records: list[tuple[str, LogRecord]], *, batch: int) -> MemoryStore:
    """What records leave behind that come in batches."""
    store = MemoryStore()
    commit = BatchCommit(OnlineCommit(store, lambda: SCORE, FEATURES, shipped_rules(), lambda: RUN_KEY))
    for first in range(0, len(records), batch):
        of_shops: dict[str, list[LogRecord]] = {}
        for shop_id, record in records[first : first + batch]:
            of_shops.setdefault(shop_id, []).append(record)
        _, error = commit.advance(of_shops)
        assert error is None
    return store


def left(store: MemoryStore) -> tuple[list, dict, dict]:
    """Messages, by shop in their order, rejected records and items."""
    messages = sorted(store.alerts, key=lambda row: row.shop_id)  # stable: within a shop as they were sent
    items = {key: data for key, data in store.items.items() if not key[1].startswith("import")}
    return messages, store.rejected, items


def test_two_shops_in_one_batch_get_the_messages_that_they_get_line_by_line():
    log = (
        event("customer_message", 0),
        event("customer_message", 10 * MINUTE, shop_id="other"),
        event("customer_message", 40 * MINUTE),
        event("resolved", 30 * MINUTE, shop_id="other"),
        event("agent_message", 45 * MINUTE),
    )

    backtest = dry_run(readable_lines(map(event_to_json, log)))

    assert (len(backtest.records), len(backtest.store.alerts)) == (6, 5)
    assert left(in_batches(backtest.records, batch=6)) == left(backtest.store)


@settings(max_examples=40)
@given(logs(SMALL), st.integers(2, 30))
def test_messages_do_not_depend_on_how_the_log_is_cut_into_batches(log, batch):
    backtest = dry_run(readable_lines(record.data for record in log.records))

    assert left(in_batches(backtest.records, batch=batch)) == left(backtest.store)
