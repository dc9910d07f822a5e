"""The state of an alert: opened, repeated (counted, not sent), worsened, resolved."""

import hashlib
from typing import NamedTuple

from service_quality.alerts.rules import SEVERITIES

OPENED, REPEATED, WORSENED, RESOLVED = "opened", "repeated", "worsened", "resolved"


class AlertState(NamedTuple):
    """The state of one rule's alert about one subject; instants are the shop's clock.

    `sequence` numbers the messages sent, `repeats` counts the occurrences since the last message. `silent` marks an
    alert that came back within its cooldown: no message says so, and no message says that it ended.
    """

    severity: str
    open: bool
    opened_at: int
    sent_at: int
    sequence: int = 1
    repeats: int = 0
    silent: bool = False

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
        if state is None or not state.open or not resolved:
            return state, None
        if state.silent:
            return state._replace(open=False), REPEATED
        return state._replace(open=False, sent_at=clock, sequence=state.sequence + 1), RESOLVED
    if state is None:
        return AlertState(severity=severity, open=True, opened_at=clock, sent_at=clock), OPENED
    if _rank(severity) > _rank(state.severity) and (state.open or clock - state.sent_at < cooldown_ms):
        worse = state._replace(severity=severity, open=True, sent_at=clock, sequence=state.sequence + 1, silent=False)
        return worse, WORSENED
    if state.open:
        return state._replace(repeats=state.repeats + 1), REPEATED
    if clock - state.sent_at < cooldown_ms:
        return state._replace(open=True, silent=True, repeats=state.repeats + 1), REPEATED
    again = AlertState(severity=severity, open=True, opened_at=clock, sent_at=clock, sequence=state.sequence + 1)
    return again, OPENED


def alert_key(shop_id: str, rule: str, subject: str) -> str:
    """One deduplication key per rule and subject: a hash, which shows no id."""
    return hashlib.sha256("\x1f".join((shop_id, rule, subject)).encode()).hexdigest()[:24]


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)
