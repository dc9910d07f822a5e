"""Ringing timers: which messages of a batch become records of the log, wait on, or are dropped."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from service_quality.commit.timer_messages import TimerMessage, read_message
from service_quality.commit.timers import Timer
from service_quality.errors import UnreadableRowError
from service_quality.events.queue_messages import message_id_of
from service_quality.instants import SECOND


class TimerBatch(NamedTuple):
    """The messages of a queue's batch by id, and the ids of those that are no timer's."""

    messages: dict[str, TimerMessage]
    unreadable: list[str]

    def ids_of(self, messages: Iterable[TimerMessage]) -> list[str]:
        """The ids of these messages: several, where one was delivered twice."""
        wanted = set(messages)
        return [message_id for message_id, one in self.messages.items() if one in wanted]


class Rings(NamedTuple):
    """The timers to ring by their messages, the messages that came too early, and the number of those dropped."""

    due: dict[TimerMessage, Timer]
    early: list[TimerMessage]
    dropped: int


def read_batch(event: object) -> TimerBatch:
    """The timers' messages in an event; empty for an event that is no batch of a queue."""
    records = event.get("Records") if isinstance(event, dict) else None
    batch = TimerBatch({}, [])
    for record in records if isinstance(records, list) else []:
        message_id = message_id_of(record)
        try:
            batch.messages[message_id] = read_message(record.get("body") if isinstance(record, dict) else None)
        except UnreadableRowError:
            batch.unreadable.append(message_id)
    return batch


def sort_rings(messages: Iterable[TimerMessage], pending: Mapping[str, Timer], now: int) -> Rings:
    """What follows at an instant from messages, given the pending timer of each conversation by its stream key.

    A message is dropped where the conversation waits for no deadline or for another one, or where a day has passed.
    """
    rings = Rings({}, [], 0)
    dropped = 0
    for one in sorted(set(messages)):
        timer = pending.get(one.stream_key)
        if timer is None or timer.deadline.due_at != one.due_at or one.is_forgotten(now):
            dropped += 1
        elif one.rings_at > now:
            rings.early.append(one)
        else:
            rings.due[one] = timer
    return rings._replace(dropped=dropped)


def split_by_wait(messages: Iterable[TimerMessage], now: int) -> tuple[list[TimerMessage], list[TimerMessage]]:
    """The messages that are to be looked at now, and those that ring within a second: a queue delays by whole ones."""
    at_once: list[TimerMessage] = []
    soon: list[TimerMessage] = []
    for one in messages:
        (soon if 0 < one.rings_at - now < SECOND else at_once).append(one)
    return at_once, soon
