"""Turns that wait under a policy of 20 seconds, half of them answered in time; and a backlog that arrives late."""

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
SHOPS = tuple(f"shop-{number}" for number in range(10))
#: The shipped stages of a wait: the share of the limit at which each severity begins.
STAGES = {"info": 0.5, "warning": 0.75, "critical": 1.0}
QUESTION, ANSWER = "customer_message", "agent_message"
_LEAST_WAIT, _MOST_WAIT = 4 * SECOND, 9 * SECOND  # of turns that are answered before the first stage


@dataclass(frozen=True)
class Turn:
    """A customer's question, and the answer's instant if there is one."""

    conversation_id: str
    shop_id: str
    asked_at: int
    answered_at: int | None

    @property
    def rings_at(self) -> dict[str, int]:
        """When its timers are to ring, by the severity that begins then; nothing rings for a turn that is answered."""
        if self.answered_at is not None:
            return {}
        return {name: self.asked_at + int(share * LIMIT_MS) + GRACE_MS for name, share in STAGES.items()}

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
    """What people got: turns that nobody answered, missing and false reminders, and how late each came, in seconds."""

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
        found.append(Turn(f"{name}-{number}", SHOPS[number % len(SHOPS)], asked_at, answered_at))
    return found


def late_backlog(name: str, count: int) -> list[InteractionEvent]:
    """Chats of two hours ago, each answered after ten seconds, in the order in which they happened."""
    begin = now_ms() - 2 * HOUR
    chats = [
        Turn(f"{name}-{number}", SHOPS[number % len(SHOPS)], at, at + 10 * SECOND)
        for number, at in ((number, begin + number * SECOND) for number in range(count))
    ]
    return sorted((event for chat in chats for event in chat.events()), key=lambda event: event.occurred_at)


def show_ids(line: TimedLine) -> None:
    """Let alerts name conversations in plain."""
    for shop_id in SHOPS:
        item = settings_key(shop_id) | {"ids": {"S": "plain"}}
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


def is_complete(found: Sequence[Turn], arrivals: Arrivals) -> bool:
    """Whether a reminder of every stage of every waiting turn has come."""
    return all(turn.rings_at.keys() <= arrivals.of(turn.conversation_id).keys() for turn in found)


def await_alerts(found: Sequence[Turn], arrivals: Arrivals, *, seconds: float) -> None:
    """Wait until every reminder is there, or so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not is_complete(found, arrivals):
        time.sleep(0.2)


def judge(found: Sequence[Turn], arrivals: Arrivals) -> Outcome:
    """Compare what came with what was to come: one too many, and one before its time, is a false one."""
    late: list[float] = []
    missing = false = 0
    for turn in found:
        came, expected = arrivals.of(turn.conversation_id), turn.rings_at
        missing += len(expected.keys() - came.keys())
        for severity, instants in came.items():
            if severity not in expected:
                false += len(instants)
                continue
            false += len(instants) - 1 + (instants[0] < expected[severity])
            late.append((instants[0] - expected[severity]) / SECOND)
    return Outcome(sum(one.answered_at is None for one in found), missing, false, tuple(late))
