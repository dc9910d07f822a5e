"""The state of an alert: opened, repeated (counted, not sent), worsened, resolved."""

import hashlib
from typing import NamedTuple

from service_quality.alerts.rules import SEVERITIES

OPENED, REPEATED, WORSENED, RESOLVED = "opened", "repeated", "worsened", "resolved"


class AlertState(NamedTuple):
    """The state of one rule's alert about one subject; instants are the shop's clock.

    `sequence` numbers the messages sent, `repeats` counts the occurrences since the last message. `silent` marks an
    alert that came back within its cooldown: no message says so until the cooldown is over, and none that it ended.
    `round` is the round of the conversation of which the alert speaks; 0 for any other subject.
    """

    severity: str
    open: bool
    opened_at: int
    sent_at: int
    sequence: int = 1
    repeats: int = 0
    silent: bool = False
    round: int = 0

    @property
    def message_number(self) -> str:
        """The number of the alert's last message: unique and rising, also when its subject was forgotten in between."""
        return f"{self.opened_at:014d}-{self.sequence:04d}"


def next_state(
    state: AlertState | None, severity: str | None, *, resolved: bool, clock: int, cooldown_ms: int
) -> tuple[AlertState | None, str | None]:
    """The alert's next state and the change to it; the change is None where nothing changed.

    >>> state, change = next_state(None, "warning", resolved=False, clock=0, cooldown_ms=1000)
    >>> change
    'opened'
    >>> state, change = next_state(state, "critical", resolved=False, clock=1, cooldown_ms=1000)
    >>> change, state.sequence
    ('worsened', 2)
    >>> next_state(state, None, resolved=True, clock=2, cooldown_ms=1000)[1]
    'resolved'
    """
    if severity is None:
        return (state, None) if state is None or not state.open or not resolved else _end(state, clock)
    if state is None:
        return AlertState(severity=severity, open=True, opened_at=clock, sent_at=clock), OPENED
    cools = clock - state.sent_at < cooldown_ms
    if _rank(severity) > _rank(state.severity) and (state.open or cools):
        return _sent(state._replace(severity=severity, open=True, silent=False), clock), WORSENED
    if state.open and state.silent and not cools:
        return _sent(state._replace(silent=False), clock), OPENED
    if state.open or cools:
        return state._replace(open=True, silent=state.silent or not state.open, repeats=state.repeats + 1), REPEATED
    again = AlertState(severity=severity, open=True, opened_at=clock, sent_at=clock, sequence=state.sequence + 1)
    return again, OPENED


def _end(state: AlertState, clock: int) -> tuple[AlertState, str]:
    """The end of an open alert: no message tells it where none told of its return."""
    ended = state._replace(open=False)
    return (ended, REPEATED) if state.silent else (_sent(ended, clock), RESOLVED)


def _sent(state: AlertState, clock: int) -> AlertState:
    """The state with one message more."""
    return state._replace(sent_at=clock, sequence=state.sequence + 1)


def alert_key(shop_id: str, rule: str, subject: str, round_number: int = 0) -> str:
    """One deduplication key per rule, subject and round of a conversation: a hash, which shows no id."""
    parts = [shop_id, rule, subject, *([str(round_number)] if round_number > 1 else [])]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)
