"""Alerts have a life: opened, repeated (counted, not sent), worsened, resolved."""

import hashlib
from dataclasses import dataclass, replace

from service_quality.alerts.rules import SEVERITIES

OPENED, REPEATED, WORSENED, RESOLVED = "opened", "repeated", "worsened", "resolved"


@dataclass(frozen=True, slots=True)
class AlertLife:
    """Where one rule stands with one subject; instants are the shop's clock.

    `sequence` numbers what was sent, `repeats` counts what was not since. `silent` marks an alert that came back
    within its cooldown: nobody was told, so nobody is told of its end.
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
        """Tells apart and orders what was sent of one alert, also when its subject was forgotten in between."""
        return f"{self.opened_at:014d}-{self.sequence:04d}"


def next_life(
    life: AlertLife | None, severity: str | None, *, resolved: bool, clock: int, cooldown_ms: int
) -> tuple[AlertLife | None, str | None]:
    """The alert's next state and what happened to it; what happened is None when nothing did.

    >>> life, happened = next_life(None, "warning", resolved=False, clock=0, cooldown_ms=1000)
    >>> happened
    'opened'
    >>> life, happened = next_life(life, "critical", resolved=False, clock=1, cooldown_ms=1000)
    >>> happened, life.sequence
    ('worsened', 2)
    >>> next_life(life, None, resolved=True, clock=2, cooldown_ms=1000)[1]
    'resolved'
    """
    if severity is None:
        if life is None or not life.open or not resolved:
            return life, None
        if life.silent:
            return replace(life, open=False), REPEATED
        return replace(life, open=False, sent_at=clock, sequence=life.sequence + 1), RESOLVED
    if life is None:
        return AlertLife(severity=severity, open=True, opened_at=clock, sent_at=clock), OPENED
    if _rank(severity) > _rank(life.severity) and (life.open or clock - life.sent_at < cooldown_ms):
        worse = replace(life, severity=severity, open=True, sent_at=clock, sequence=life.sequence + 1, silent=False)
        return worse, WORSENED
    if life.open:
        return replace(life, repeats=life.repeats + 1), REPEATED
    if clock - life.sent_at < cooldown_ms:
        return replace(life, open=True, silent=True, repeats=life.repeats + 1), REPEATED
    again = AlertLife(severity=severity, open=True, opened_at=clock, sent_at=clock, sequence=life.sequence + 1)
    return again, OPENED


def alert_key(shop_id: str, rule: str, subject: str) -> str:
    """One deduplication key per rule and subject; a hash, so that it names nobody."""
    return hashlib.sha256("\x1f".join((shop_id, rule, subject)).encode()).hexdigest()[:24]


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)
