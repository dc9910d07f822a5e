"""Lines of a file of canonical events as records of their shops' logs."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.events.fields import read_id, read_instant
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import longest_record, parse_json
from service_quality.events.positions import Position
from service_quality.instants import end_of_day


class LogLine(NamedTuple):
    """A line by its number from 1, its shop, and its record, whose position is made of the number."""

    number: int
    shop_id: str
    record: LogRecord


def read_line(number: int, data: bytes) -> LogLine:
    """The record in a line; RejectedEventError for a line without a JSON object, a shop or an arrival."""
    raw = parse_json(data, longest=longest_record(data))
    shop_id = read_id(raw, "shop_id")
    return LogLine(number, shop_id, LogRecord(str(Position(1, number)), data, _arrival(raw)))


def _arrival(raw: Mapping[str, object]) -> int:
    """When the stream would have received it: `received_at`, else `occurred_at`, of a whole day its end."""
    if raw.get("received_at") is not None:
        return read_instant(raw, "received_at")
    occurred_at = read_instant(raw, "occurred_at")
    return end_of_day(occurred_at) if raw.get("precision") == "day" else occurred_at
