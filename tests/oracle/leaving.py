"""The messages about customers who may leave, found by looking back over what was said of each; slow and obvious."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from tests.oracle.alert_life import Judged, messages_of, row_after
from tests.oracle.entries import Found, NaiveEntry, Reading
from tests.oracle.spans import HOUR
from tests.oracle.tasks import customer_key

COOLDOWN = HOUR
#: Kinds of events at which the score of the customer decides whom they name.
DECIDES_AT = (
    "conversation_opened", "customer_message", "agent_message", "bot_message", "internal_note", "assigned",
    "status_changed", "resolved", "reopened", "order_placed", "suggestion_made",
)  # fmt: skip


class LeavingMessage(NamedTuple):
    """A message about a customer: when, what about, how grave, and what ended the alert beside its values."""

    clock: int
    what: str
    severity: str
    ended_by: str | None


@dataclass
class _Customer:
    """What was judged of a customer, and at which of these places what was found had expired."""

    judged: list[Judged] = field(default_factory=list)
    expired: set[int] = field(default_factory=set)

    def judge(self, clock: int, score: float) -> None:
        severity = "critical" if score >= 0.8 else "warning" if score >= 0.5 else ""
        self.judged.append(Judged(clock, severity, is_over=score < 0.3))

    def expire(self, clock: int, expired_at: int) -> None:
        """End what began while that held which has expired."""
        last = len(self.judged) - 1
        row = row_after(self.judged, last, messages_of(self.judged, COOLDOWN)) if self.judged else None
        if row is not None and row.is_open and self.judged[row.began].clock < expired_at:
            self.expired.add(len(self.judged))
            self.judged.append(Judged(clock, "", is_over=True))

    def messages(self) -> list[LeavingMessage]:
        return [
            LeavingMessage(
                self.judged[one.place].clock,
                one.what,
                one.severity,
                "finding_expired" if one.place in self.expired else None,
            )
            for one in messages_of(self.judged, COOLDOWN)
        ]


def leaving_messages(
    read: Iterable[tuple[NaiveEntry, Reading]], score_of: Callable[[Reading], float | None]
) -> dict[str, list[LeavingMessage]]:
    """The messages about each customer, by the customer's key. `score_of` is what a model says behind an event."""
    customers: dict[str, _Customer] = defaultdict(_Customer)
    for entry, reading in read:
        if reading.became not in ("accepted", "corrected", "reached"):
            continue
        score = entry.score if isinstance(entry, Found) else score_of(reading)
        if score is None and reading.customer is not None and reading.expired_at is not None:
            customers[reading.customer].expire(reading.clock, reading.expired_at)
        if score is None:
            continue
        if isinstance(entry, Found) and reading.customer is not None:
            customers[reading.customer].judge(reading.clock, score)
        if isinstance(entry, InteractionEvent) and entry.kind in DECIDES_AT and entry.customer_id is not None:
            customers[customer_key(entry.customer_id)].judge(reading.clock, score)
    return {key: one.messages() for key, one in customers.items() if one.messages()}
