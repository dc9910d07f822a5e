"""Timers: the row of the outbox that says at which deadline a conversation is to be looked at next."""

import json
import zlib
from typing import NamedTuple

from service_quality.commit.outbox_rows import OutboxRow
from service_quality.conversations.wait_stages import Deadline
from service_quality.errors import UnreadableRowError
from service_quality.events.time_reached import TimeReached
from service_quality.instants import DAY, SECOND

TIMER = "timer"
#: A conversation has one row of this kind, which the next deadline takes over.
PENDING = "pending"
#: A deadline is rung so long after it, for what arrives late.
GRACE_MS = 1 * SECOND
_SLOTS_A_DAY = 16


class Timer(NamedTuple):
    """The deadline at which a conversation of a shop is to be looked at."""

    shop_id: str
    conversation_id: str
    deadline: Deadline

    @property
    def rings_at(self) -> int:
        """The instant at which it rings: its deadline, and a grace for what arrives late."""
        return self.deadline.due_at + GRACE_MS

    @property
    def reached(self) -> TimeReached:
        """The record of the log that says that the deadline is reached."""
        due_at, round_number, turn, stage = self.deadline
        return TimeReached(
            shop_id=self.shop_id,
            conversation_id=self.conversation_id,
            round=round_number,
            turn=turn,
            stage=stage,
            due_at=due_at,
        )


def timer_key(shop_id: str, conversation_id: str) -> str:
    """The stream key of a conversation's timer."""
    return f"{shop_id}\x1f{TIMER}\x1f{conversation_id}"


def timer_row(shop_id: str, conversation_id: str, deadline: Deadline | None) -> OutboxRow:
    """The row that lets a conversation's timer ring at a deadline, or no more."""
    body = json.dumps({"conversation_id": conversation_id, "deadline": deadline}, separators=(",", ":")).encode()
    due_at = None if deadline is None else deadline.due_at
    return OutboxRow(timer_key(shop_id, conversation_id), PENDING, TIMER, body, shop_id, due_at=due_at)


def read_timer(shop_id: str, body: bytes) -> Timer | None:
    """The timer in a row's body; None for one that rings no more. UnreadableRowError for a body that is none."""
    try:
        form = json.loads(body)
        conversation_id, deadline = form["conversation_id"], form["deadline"]
        if deadline is None:
            return None
        due_at, round_number, turn, stage = deadline
        return Timer(shop_id, str(conversation_id), Deadline(int(due_at), int(round_number), int(turn), str(stage)))
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
