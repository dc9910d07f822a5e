"""Records of a shop's log, and records that were rejected or parked."""

from typing import NamedTuple

#: The reason of a record that is set aside in order and put back once its shop's trouble is mended.
PARKED = "parked"


class LogRecord(NamedTuple):
    """One record of a shop's log: its position, its bytes and when the stream received it."""

    position: str
    data: bytes
    arrived_at: int


class StreamEntry(NamedTuple):
    """One record to put on the stream: the shop's id, which is its partition key, and its bytes."""

    shop_id: str
    data: bytes


class Rejection(NamedTuple):
    """A record that was not folded: stored whole, with reason and position."""

    shop_id: str
    record: LogRecord
    reason: str
    message: str
