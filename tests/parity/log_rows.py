"""A shop's log as rows of spark_jobs.logs.shop_log, made by plain loops."""

from collections.abc import Iterable
from typing import Any

from service_quality.conversations.conversation import conversation_key
from service_quality.events.interaction_event import FIELDS, InteractionEvent

Row = dict[str, Any]


def log_rows(located: Iterable[tuple[int, InteractionEvent]], *, clock: int = 0, received_clock: int = 0) -> list[Row]:
    """Events in log order, each with its log index, as rows; the clocks begin where they are given."""
    rows: list[Row] = []
    for log_index, event in located:
        clock, received_clock = (
            max(clock, min(event.occurred_at, event.received_at)),
            max(received_clock, event.received_at),
        )
        rows.append(
            {name: getattr(event, name) for name in FIELDS}
            | {
                "log_index": log_index,
                "clock": clock,
                "received_clock": received_clock,
                "fold_key": conversation_key(event),
            }
        )
    return rows
