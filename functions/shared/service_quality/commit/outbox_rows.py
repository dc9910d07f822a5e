"""Rows of the outbox: what a transaction lets leave for subscribers, timers and the archive."""

from typing import NamedTuple


class OutboxRow(NamedTuple):
    """A row that must leave: rows of one `stream_key` leave in order of `sequence`.

    `due_at` is the instant of a timer's deadline.
    """

    stream_key: str
    sequence: str
    row_kind: str
    body: bytes
    shop_id: str
    open: bool | None = None
    due_at: int | None = None
