"""Records of a shop's log as they come, and as they are refused."""

from typing import NamedTuple


class LogRecord(NamedTuple):
    """One record of a shop's log: its position, its bytes and when the stream received it."""

    position: str
    data: bytes
    arrived_at: int


class Rejection(NamedTuple):
    """A record that was not taken: kept whole, with reason and position."""

    shop_id: str
    record: LogRecord
    reason: str
    message: str
