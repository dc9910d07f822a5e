"""Timers: the row of a conversation's next deadline, as the functions on its way read it."""

import json
import zlib

from service_quality.errors import UnreadableRowError
from service_quality.events.control_records import TimeReached
from service_quality.instants import DAY, SECOND

TIMER = "timer"
#: A conversation has one row of this kind, which the next deadline takes over.
PENDING = "pending"
#: A deadline is rung so long after it, for what arrives late.
GRACE_MS = 1 * SECOND
_SLOTS_A_DAY = 16


def timer_key(shop_id: str, conversation_id: str) -> str:
    """The stream key of a conversation's timer."""
    return f"{shop_id}\x1f{TIMER}\x1f{conversation_id}"


def read_reached(shop_id: str, body: bytes) -> TimeReached | None:
    """The record that a row's timer puts on the log when it rings; None for one that rings no more.

    UnreadableRowError for a body that is none.
    """
    try:
        form = json.loads(body)
        conversation_id, deadline = form["conversation_id"], form["deadline"]
        if deadline is None:
            return None
        due_at, round_number, turn, stage = deadline
        return TimeReached(
            shop_id=shop_id,
            conversation_id=str(conversation_id),
            round=int(round_number),
            turn=int(turn),
            stage=str(stage),
            due_at=int(due_at),
        )
    except (ValueError, KeyError, TypeError):
        raise UnreadableRowError(
            "wrong_type", found="a body that is no timer", expected="a conversation and a deadline"
        ) from None


def due_slot(stream_key: str, due_at: int) -> str:
    """The part of the index by due time in which a timer is: a day, UTC, cut in 16."""
    return _slot(due_at // DAY, zlib.crc32(stream_key.encode()) % _SLOTS_A_DAY)


def due_slots(first: int, last: int) -> list[str]:
    """Every part of the index that holds timers due from one instant until another."""
    return [_slot(day, slot) for day in range(first // DAY, last // DAY + 1) for slot in range(_SLOTS_A_DAY)]


def _slot(day: int, slot: int) -> str:
    return f"{day}.{slot:02d}"
