"""An alert as people and programs receive it: one value, the same in the outbox, on the topic, in commands and reports.

docs/alert.schema.json describes its JSON, which alert_json.py writes and reads.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from service_quality.by_fields import ByFields, value_class
from service_quality.instants import SECOND
from service_quality.message import NO_TEXT, Message
from service_quality.scoring.reasons import Reason

#: Of the JSON form. Fields may be added within a version; what loses a field or its meaning is another version.
ALERT_VERSION = 5
UNKNOWN = "unknown"

_MESSAGES_A_SECOND = 10_000
_MESSAGE_NUMBER = re.compile(r"(\d{14})-(\d{4,9})", re.ASCII)


class AlertSubject(NamedTuple):
    """Whom or what an alert is about."""

    kind: str
    id: str


@value_class(frozen=True, slots=True)
class Alert(ByFields):
    """One alert at one moment of its life; texts are "unknown" and other values None where a row does not say.

    As a message `state` is the change that it tells, `number` its number and `repeats` the events at which the alert
    held since the message before it. As the row by which alerts are listed, `state` is what came last, or "silent",
    `number` that of the last message and empty where none was sent, and there are neither reasons nor advice. `title`
    and `advice` are those of the rule, `audiences` those that the alert has called by now. `ended_by` says what ended
    the alert where its subject says so. Instants are of the shop's clock. `provisional_figures` names what the decree
    of a year, not published yet, may still move, in evidence and reasons; a row of an older release says only that
    there is such a figure (`provisional`).
    """

    alert_id: str
    number: str
    kind: str
    rule_version: int | None
    title: Message
    audiences: tuple[str, ...]
    state: str
    severity: str
    shop_id: str
    subject: AlertSubject
    occurred_at: int | None
    opened_at: int | None
    repeats: int
    event_id: str
    evidence: Mapping[str, float | int | None]
    advice: Message = NO_TEXT
    time_zone: str | None = None
    currency: str | None = None
    score: float | None = None
    reasons: tuple[Reason, ...] = ()
    provisional: bool = False
    provisional_figures: tuple[str, ...] = ()
    ended_by: str | None = None
    model_version: str | None = None

    @property
    def message_id(self) -> str | None:
        """The same for every copy of a message; None where no message was sent."""
        return f"{self.alert_id}-{self.number}" if self.number else None

    @property
    def sequence(self) -> int | None:
        """Higher is later; None for a message that is numbered in another way."""
        found = _MESSAGE_NUMBER.fullmatch(self.number)
        return message_sequence(int(found[1]), int(found[2])) if found else None


def message_sequence(opened_at: int, number: int) -> int:
    """The number of a message of one alert: higher is later, exact in every JSON reader, not without gaps.

    `number` counts the messages about a subject and begins again after it was forgotten; by then `opened_at` is more
    than a day later.

    >>> message_sequence(1_795_165_140_000, 1) < message_sequence(1_795_165_140_000, 2) < 2**53
    True
    """
    return opened_at // SECOND * _MESSAGES_A_SECOND + number
