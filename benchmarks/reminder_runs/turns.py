"""Turns that wait under a rule of 20 seconds, half of them answered in time; and a backlog that arrives late."""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.reminder_runs.arrivals import Arrivals
from infra.local.replaying import now_ms, put_events, put_live
from service_quality.adapters.shop_settings_table import settings_key
from service_quality.commit.timers import GRACE_MS
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import HOUR, SECOND
from tests.integration.timed_line import TimedLine, event_of

LIMIT_MS = 20 * SECOND
SHOPS = 10
QUESTION, ANSWER = "customer_message", "agent_message"
_LEAST_WAIT, _MOST_WAIT = 4 * SECOND, 14 * SECOND  # of turns that are answered in time


@dataclass(frozen=True)
class Turn:
    """A customer's question, and the answer's instant if there is one."""

    conversation_id: str
    shop_id: str
    asked_at: int
    answered_at: int | None

    @property
    def rings_at(self) -> int:
        """When its timer is to ring."""
        return self.asked_at + LIMIT_MS + GRACE_MS

    def events(self) -> list[InteractionEvent]:
        """The question, and the answer if there is one."""
        instants = {QUESTION: self.asked_at, ANSWER: self.answered_at}
        return [
            event_of(kind, self.conversation_id, at, shop_id=self.shop_id)
            for kind, at in instants.items()
            if at is not None
        ]


@dataclass(frozen=True)
class Outcome:
    """What people got of some turns: missing and false alerts, and how late each other one came, in seconds."""

    waiting: int
    missing: int
    false: int
    late: tuple[float, ...]


def turns(name: str, count: int, *, spread_ms: int, seed: int) -> list[Turn]:
    """Turns that begin within a time from soon on, every second of them answered in time."""
    chance, begin = random.Random(seed), now_ms() + SECOND
    found = []
    for number in range(count):
        asked_at = begin + number * spread_ms // count
        answered_at = asked_at + chance.randint(_LEAST_WAIT, _MOST_WAIT) if number % 2 else None
        found.append(Turn(f"{name}-{number}", f"shop-{number % SHOPS}", asked_at, answered_at))
    return found


def late_backlog(name: str, count: int) -> list[InteractionEvent]:
    """Chats of two hours ago, each answered after ten seconds, in the order in which they happened."""
    begin = now_ms() - 2 * HOUR
    chats = [
        Turn(f"{name}-{number}", f"shop-{number % SHOPS}", at, at + 10 * SECOND)
        for number, at in ((number, begin + number * SECOND) for number in range(count))
    ]
    return sorted((event for chat in chats for event in chat.events()), key=lambda event: event.occurred_at)


def show_ids(line: TimedLine) -> None:
    """Let alerts name conversations in plain."""
    for number in range(SHOPS):
        item = settings_key(f"shop-{number}") | {"ids": {"S": "plain"}}
        line.cloud.dynamodb.put_item(TableName=line.outputs["AlertsTableName"], Item=item)


def live(line: TimedLine, events: Iterable[InteractionEvent]) -> None:
    """Put each event when it occurs."""
    put_live(line.cloud, line.outputs["EventStreamName"], events)


def put_late(line: TimedLine, events: Sequence[InteractionEvent], size: int = 100) -> None:
    """Put events of the past as fast as they are taken; each is received now."""
    for first in range(0, len(events), size):
        received = now_ms()
        batch = [replace(event, received_at=received) for event in events[first : first + size]]
        put_events(line.cloud, line.outputs["EventStreamName"], batch)


def await_alerts(arrivals: Arrivals, waiting: Sequence[Turn], *, seconds: float) -> None:
    """Wait until an alert of each turn is there, or so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not all(arrivals.of(one.conversation_id) for one in waiting):
        time.sleep(0.2)


def judge(found: Sequence[Turn], arrivals: Arrivals) -> Outcome:
    """Compare what came with what was to come: an alert too many, or one before its time, is a false one."""
    late: list[float] = []
    missing = false = 0
    for turn in found:
        came = arrivals.of(turn.conversation_id)
        expected = turn.answered_at is None
        missing += expected and not came
        false += max(0, len(came) - expected)
        if expected and came:
            false += came[0] < turn.rings_at
            late.append((came[0] - turn.rings_at) / SECOND)
    return Outcome(sum(one.answered_at is None for one in found), missing, false, tuple(late))
