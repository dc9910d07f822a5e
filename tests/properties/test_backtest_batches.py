"""A backtest understands a log in the same way however it is cut into batches."""

from collections.abc import Iterable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from service_quality.errors import RejectedEventError
from service_quality.events.event_forms import event_to_json
from spark_jobs.backtest.backtest import Backtest
from spark_jobs.backtest.given_scores import GivenScore
from spark_jobs.backtest.log_lines import LogLine, read_line
from tests.properties.feature_sets import SMALL
from tests.properties.random_logs import logs
from tests.unit.core.sample_events import event

MINUTE = 60_000


def readable_lines(data: Iterable[bytes]) -> list[LogLine]:
    """The lines that are records of some shop's log."""
    lines = []
    for number, one in enumerate(data, start=1):
        with suppress(RejectedEventError):
            lines.append(read_line(number, one))
    return lines


def understood(lines: list[LogLine], *, batch: int) -> tuple[list, list, list]:
    """Messages by shop, rejected records and conversations of a log that is folded in batches."""
    backtest = Backtest(GivenScore(0.5))
    folded = [backtest.fold(lines[first : first + batch]) for first in range(0, len(lines), batch)]
    messages = [message for one in folded for message in one.messages]
    rejected = [one.record.position for part in folded for one in part.rejected]
    described = backtest.describe_conversations()
    return (
        sorted(messages, key=lambda message: message.shop_id),  # stable: within a shop as they were sent
        sorted(rejected),
        sorted(described, key=lambda one: (one["shop_id"], one["conversation_id"])),
    )


def test_two_shops_in_one_batch_get_the_messages_that_they_get_line_by_line():
    log = (
        event("customer_message", 0),
        event("customer_message", 10 * MINUTE, shop_id="other"),
        event("customer_message", 40 * MINUTE),
        event("resolved", 30 * MINUTE, shop_id="other"),
        event("agent_message", 45 * MINUTE),
    )
    lines = readable_lines(map(event_to_json, log))

    messages, _, conversations = understood(lines, batch=1)

    assert (len(messages), len(conversations)) == (5, 2)
    assert understood(lines, batch=len(lines)) == (messages, [], conversations)


@settings(max_examples=40)
@given(logs(SMALL), st.integers(2, 30))
def test_messages_do_not_depend_on_how_the_log_is_cut_into_batches(log, batch):
    lines = readable_lines(record.data for record in log.records)

    assert understood(lines, batch=batch) == understood(lines, batch=1)
