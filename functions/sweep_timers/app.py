"""Index of timers to their queue, on a schedule: timers that come due soon, and those that never rang."""

import os
import time

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.telemetry import Telemetry
from service_quality.adapters.timer_queue import TimerQueue
from service_quality.adapters.timer_table import DueTimers
from service_quality.by_fields import value_class
from service_quality.commit.timer_sweep import SweptTimers, TimerSweep
from service_quality.errors import UnreadableRowError
from service_quality.instants import SECOND
from service_quality.settings import read_settings

_LONGEST_PAGE = 60 * SECOND  # the most time for sending the timers of a page, retries included


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets for this function."""

    alerts_table: str
    timer_queue: str


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


def log_unreadable(error: UnreadableRowError) -> None:
    """Log why a row of the index is no timer."""
    telemetry.logger.warning("timer_unreadable", extra={"reason": error.reason, "found": str(error)})


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("sweep_timers")
index = DueTimers(make_client("dynamodb"), settings.alerts_table, log_unreadable)
queue = TimerQueue(make_client("sqs"), settings.timer_queue)
index.check()
queue.check()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, int | bool]:
    """Sweep as much of the index as time allows; returns the counts."""
    sweep = TimerSweep(index, queue.send, has_time=lambda: context.get_remaining_time_in_millis() > _LONGEST_PAGE)
    try:
        sweep.run(read_clock())
    finally:
        answer = report(sweep.swept)
    return answer


def report(swept: SweptTimers) -> dict[str, int | bool]:
    """Report the counts in one log entry and in metrics, also after a failing sweep."""
    counts = {"SentTimers": swept.sent, "OverdueTimers": swept.overdue, "UnfinishedSweeps": int(not swept.finished)}
    telemetry.count(counts)
    answer: dict[str, int | bool] = {**counts, "slots": swept.slots, "finished": swept.finished}
    telemetry.logger.info("timers_swept", extra=answer)
    return answer
