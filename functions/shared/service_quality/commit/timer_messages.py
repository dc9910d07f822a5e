"""Messages of timers: each asks, when a deadline has come, whether its conversation still waits for it."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from service_quality.commit.inserted_rows import StreamRecord, image_value
from service_quality.commit.timers import GRACE_MS, TIMER, timer_key
from service_quality.errors import UnreadableRowError
from service_quality.events.identifiers import SEPARATOR, is_id
from service_quality.instants import DAY, LATEST_SECOND, MINUTE, SECOND

#: A queue delays a message by no more; a timer that rings later stays in the index by due time.
AHEAD_MS = 15 * MINUTE
#: What was due longer ago is sent no more: a replay brings its own.
BEHIND_MS = 1 * DAY


class TimerMessage(NamedTuple):
    """A conversation of a shop, and the instant of the deadline that it waited for when the message was sent."""

    shop_id: str
    conversation_id: str
    due_at: int

    @property
    def rings_at(self) -> int:
        """The instant at which the timer rings."""
        return self.due_at + GRACE_MS

    @property
    def stream_key(self) -> str:
        """The key of the conversation's timer in the alerts table."""
        return timer_key(self.shop_id, self.conversation_id)

    @property
    def body(self) -> str:
        """Its form on the queue."""
        return json.dumps(self._asdict(), ensure_ascii=False, separators=(",", ":"))

    def is_sent(self, now: int) -> bool:
        """Whether it is sent at an instant: it rings soon, or is overdue by a day at most."""
        return not self.is_forgotten(now) and self.rings_at <= now + AHEAD_MS

    def is_forgotten(self, now: int) -> bool:
        """Whether its deadline lies more than a day behind an instant."""
        return self.due_at < now - BEHIND_MS

    def delay_seconds(self, now: int) -> int:
        """The whole seconds until it rings, 0 to 900; less than a second is left when they have passed."""
        return max(0, min(AHEAD_MS, self.rings_at - now)) // SECOND


def message_of_row(stream_key: object, due_at: object) -> TimerMessage:
    """The message about a timer's row; UnreadableRowError for what is no key or due instant of one."""
    parts = str(stream_key).split(SEPARATOR)
    if len(parts) != 3 or parts[1] != TIMER:  # shop, kind, conversation
        raise UnreadableRowError("wrong_row", found="a row of another key", expected="the key of a timer")
    return _checked(parts[0], parts[2], due_at)


def message_of_record(record: StreamRecord) -> TimerMessage:
    """The message about the timer's row in a record of the table's stream; UnreadableRowError for another row."""
    return message_of_row(image_value(record, "stream_key", "S"), image_value(record, "due_at", "N"))


def read_message(body: object) -> TimerMessage:
    """The message in the body that the queue hands over; UnreadableRowError for a body that holds none."""
    try:
        form = json.loads(str(body))
    except ValueError:
        form = None
    if not isinstance(form, Mapping):
        raise UnreadableRowError("malformed_json", found="a body that is no object", expected="a timer's message")
    return _checked(form.get("shop_id"), form.get("conversation_id"), form.get("due_at"))


def _checked(shop_id: object, conversation_id: object, due_at: object) -> TimerMessage:
    text = str(due_at)
    is_instant = text.isascii() and text.isdecimal() and len(text) <= len(str(LATEST_SECOND * SECOND))
    if not (is_id(shop_id) and is_id(conversation_id) and is_instant):
        raise UnreadableRowError("missing_field", found="no shop, conversation or instant", expected="all of them")
    return TimerMessage(str(shop_id), str(conversation_id), int(text))
