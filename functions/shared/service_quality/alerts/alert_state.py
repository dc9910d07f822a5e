"""The life of an alert: opened, repeated, worsened, resolved; and what is counted in silence between the messages."""

import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple

from service_quality.alerts.rules import SEVERITIES

OPENED, REPEATED, WORSENED, RESOLVED, SILENT = "opened", "repeated", "worsened", "resolved", "silent"

_ID_LENGTH = 24

#: Gives the salt of public ids, which is read when the first of them is made.
IdSalt = Callable[[], bytes]


def unsalted() -> bytes:
    """No salt: for runs of which no alert leaves."""
    return b""


class AlertState(NamedTuple):
    """The state of one rule's alert about one subject; instants are the shop's clock.

    An alert begins when its rule holds and ends when it is resolved; what returns is another alert, with an opening and
    an `alert_id` of its own. `silent` marks one that returned within the cooldown and of which no message was sent.
    `severity` is the one that held last, `said` that of the last message. `sent_at` and `sequence` are the instant and
    the number of the last message, also where it was about an alert before. `repeats` counts the events at which the
    alert held since then, not the stages of a wait that time reached; its opening counts only in silence, and what
    began and ended in silence since that message counts, too. `round` is the round of the conversation that the alert
    is about, 0 for any other subject; `turn` is the wait in it during which the alert began. `gravest` is
    the gravest severity that a message about this alert said, "" before one did.
    """

    severity: str
    open: bool
    opened_at: int
    sent_at: int
    said: str
    sequence: int = 1
    repeats: int = 0
    silent: bool = False
    round: int = 0
    alert_id: str = ""
    turn: int = 0
    gravest: str = ""

    @property
    def message_number(self) -> str:
        """The number of the alert's last message: unique and rising, also when its subject was forgotten in between."""
        return f"{self.opened_at:014d}-{self.sequence:04d}"


class Step(NamedTuple):
    """The state after an event, and the message about it: its change and its count of repeats; None without one."""

    state: AlertState | None
    change: str | None = None
    repeats: int = 0


class Finding(NamedTuple):
    """What a rule finds at a judged event: the severity that holds, None for none, and whether it calls the alert over.

    `counts` says whether an alert that holds is seen again by it.
    """

    severity: str | None
    clock: int
    resolved: bool = False
    counts: bool = True


def next_state(before: AlertState | None, found: Finding, *, cooldown_ms: int) -> Step:
    """The alert's next state at a judged event; the state before where the event says nothing of it.

    Within the cooldown after the last message only what is graver than that message sends another, and the end of an
    alert that was told. From then on an alert that was seen again and still holds is said again, and one that returned
    is told.

    >>> opened = next_state(None, Finding("warning", clock=0), cooldown_ms=1000)
    >>> counted = next_state(opened.state, Finding("warning", clock=1), cooldown_ms=1000)
    >>> again = next_state(counted.state, Finding("warning", clock=1000), cooldown_ms=1000)
    >>> opened.change, counted.change, (again.change, again.repeats)
    ('opened', None, ('repeated', 2))
    >>> next_state(again.state, Finding(None, clock=1001, resolved=True), cooldown_ms=1000).change
    'resolved'
    """
    severity, clock = found.severity, found.clock
    if severity is None:
        ends = before is not None and before.open and found.resolved
        return _ended(before, clock) if before is not None and ends else Step(before)
    if before is None:
        begun = AlertState(severity, open=True, opened_at=clock, sent_at=clock, said=severity, gravest=severity)
        return Step(begun, OPENED)
    cools = clock - before.sent_at < cooldown_ms
    is_graver = _rank(severity) > _rank(before.said)
    if not before.open:
        begun = before._replace(severity=severity, open=True, opened_at=clock, silent=False, gravest="")
        if not cools:
            return _said(begun, OPENED, clock)
        if is_graver:
            return _said(begun, WORSENED, clock)
        return Step(begun._replace(silent=True, repeats=before.repeats + 1))
    held = before._replace(severity=severity, repeats=before.repeats + found.counts)
    if is_graver:
        return _said(held, WORSENED, clock)
    if cools or not held.repeats:
        return Step(held)
    return _said(held, OPENED if before.silent else REPEATED, clock)


def _ended(state: AlertState, clock: int) -> Step:
    """The end of an open alert: no message tells it where none told of the alert."""
    ended = state._replace(open=False)
    return Step(ended) if state.silent else _said(ended, RESOLVED, clock)


def _said(state: AlertState, change: str, clock: int) -> Step:
    """The state with one message more, from which counting starts at zero."""
    after = state._replace(
        sent_at=clock,
        sequence=state.sequence + 1,
        said=state.severity,
        silent=False,
        repeats=0,
        gravest=max(state.gravest or state.severity, state.severity, key=_rank),
    )
    return Step(after, change, state.repeats)


def alert_key(shop_id: str, rule: str, subject: str, round_number: int = 0) -> str:
    """One deduplication key per rule, subject and round of a conversation: a hash, which shows no id."""
    parts = [shop_id, rule, subject, *([str(round_number)] if round_number > 1 else [])]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_ID_LENGTH]


def public_id(*parts: str, salt: bytes) -> str:
    """A salted hash by which something is known outside: who has no salt cannot tell, or try, what it stands for."""
    return hmac.new(salt, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:_ID_LENGTH]


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity)
