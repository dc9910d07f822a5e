"""Lines of a file of canonical events as records of their shops' logs."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.events import kinds
from service_quality.events.fields import read_id, read_instant
from service_quality.events.intake import unread_fields
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import longest_record, parse_json
from service_quality.events.positions import Position
from service_quality.instants import end_of_day

_MOST_RECORDS = 10**9  # between two lines


class LogLine(NamedTuple):
    """A line by its number from 1, its shop, its record, whose position is made of the number, and unread fields."""

    number: int
    shop_id: str
    record: LogRecord
    unread: tuple[str, ...] = ()

    @property
    def arrived_at(self) -> int:
        """When the record arrived on the stream."""
        return self.record.arrived_at


def read_line(number: int, data: bytes) -> LogLine | None:
    """The record in a line; RejectedEventError for a line without a JSON object, a shop or an arrival.

    None for a reached stage: a dry run lets time reach the stages itself.
    """
    raw = parse_json(data, longest=longest_record(data))
    if raw.get("kind") == kinds.TIME_REACHED:
        return None
    shop_id = read_id(raw, "shop_id")
    record = LogRecord(position_behind(number), data, _arrival(raw))
    kind = raw.get("kind")
    return LogLine(number, shop_id, record, unread_fields(raw) if isinstance(kind, str) and kind in kinds.ALL else ())


def position_behind(number: int, records: int = 0) -> str:
    """The position of a line, or of the last of so many records that no line holds, behind it.

    >>> position_behind(1, 2) < position_behind(2)
    True
    """
    return str(Position(1, number * _MOST_RECORDS + records))


def _arrival(raw: Mapping[str, object]) -> int:
    """When the stream would have received it: `received_at`, else `occurred_at`, of a whole day its end."""
    if raw.get("received_at") is not None:
        return read_instant(raw, "received_at")
    occurred_at = read_instant(raw, "occurred_at")
    return end_of_day(occurred_at) if raw.get("precision") == "day" else occurred_at
