"""Records of a shop's log as they come, and as they are refused."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of a shop's log: its position, its bytes and when the stream received it."""

    position: str
    data: bytes
    arrived_at: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was not taken: kept whole, with reason and position."""

    shop_id: str
    record: LogRecord
    reason: str
    message: str
