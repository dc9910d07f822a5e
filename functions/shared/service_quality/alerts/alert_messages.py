"""What an alert says: one JSON-ready body per transition that is sent, published as docs/alert.schema.json."""

from typing import NamedTuple, TypedDict

from service_quality.alerts.alert_life import RESOLVED, AlertLife, alert_key
from service_quality.alerts.rules import Rule, decisive_values
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.instants import SECOND, format_instant
from service_quality.scoring.scored_event import ScoredEvent
from service_quality.scoring.scores import Score

BODY_VERSION = 2
_MOST_REASONS = 5
_MESSAGES_A_SECOND = 10_000


class Subject(TypedDict):
    """Whom or what an alert is about."""

    kind: str
    id: str


class Reason(TypedDict):
    """A feature, its value, and what it adds to the log-odds of the score."""

    feature: str
    value: float | int | None
    contribution: float


class AlertBody(TypedDict):
    """What docs/alert.schema.json describes."""

    version: int
    alert_id: str
    message_id: str
    sequence: int | None
    kind: str
    rule_version: int | None
    state: str
    severity: str
    shop_id: str
    subject: Subject
    occurred_at: str | None
    opened_at: str | None
    repeats: int
    event_id: str
    evidence: dict[str, float | int | None]
    score: float | None
    reasons: list[Reason]
    model_version: str | None


class Sent(NamedTuple):
    """One transition of an alert that people are told of."""

    shop_id: str
    rule: Rule
    subject: str
    happened: str
    life: AlertLife
    event_id: str
    clock: int

    @property
    def key(self) -> str:
        return alert_key(self.shop_id, self.rule.name, self.subject)


def message_sequence(opened_at: int, number: int) -> int:
    """The number of a message of one alert: higher is later, exact in every JSON reader, not without gaps.

    `number` counts an alert's messages and begins again when its subject was forgotten; by then `opened_at` is later
    by more than a day.

    >>> message_sequence(1_795_165_140_000, 1) < message_sequence(1_795_165_140_000, 2) < 2**53
    True
    """
    return opened_at // SECOND * _MESSAGES_A_SECOND + number


def alert_body(
    sent: Sent, values: dict[str, float | int | None], scored: ScoredEvent | None, features: FeatureSet
) -> AlertBody:
    """The alert with ids as they are; what dispatches it decides how they leave. A resolved one says what ended it.

    Score, reasons and values of the conversation are in alerts about a conversation alone: an alert about an agent
    goes to people who do not answer for the one conversation during which it was noticed.
    """
    rule = sent.rule
    about_conversation = rule.subject == "conversation"
    ended_by = decisive_values(rule.resolved_when, values) if sent.happened == RESOLVED else ()
    evidence = {name: values.get(name) for name in (*rule.evidence, *ended_by)}
    score = scored.score if scored is not None and about_conversation else None
    return {
        "version": BODY_VERSION,
        "alert_id": sent.key,
        "message_id": f"{sent.key}-{sent.life.message_number}",
        "sequence": message_sequence(sent.life.opened_at, sent.life.sequence),
        "kind": rule.name,
        "rule_version": rule.version,
        "state": sent.happened,
        "severity": sent.life.severity,
        "shop_id": sent.shop_id,
        "subject": {"kind": rule.subject, "id": sent.subject},
        "occurred_at": format_instant(sent.clock),
        "opened_at": format_instant(sent.life.opened_at),
        "repeats": sent.life.repeats,
        "event_id": sent.event_id,
        "evidence": evidence if about_conversation else _of_histories(evidence, features),
        "score": round(score.probability, 5) if score else None,
        "reasons": _reasons(score, values, features) if score else [],
        "model_version": score.model_version if score else None,
    }


def _reasons(score: Score, values: dict[str, float | int | None], features: FeatureSet) -> list[Reason]:
    return [
        {"feature": name, "value": values.get(name), "contribution": round(contribution, 5)}
        for name, contribution in score.reasons(features.names, most=_MOST_REASONS)
    ]


def _of_histories(evidence: dict[str, float | int | None], features: FeatureSet) -> dict[str, float | int | None]:
    """The evidence that is read from histories, not from the conversation at hand."""
    names = {feature.name for feature in features.features if not isinstance(feature, EventValue)}
    return {name: value for name, value in evidence.items() if name in names}
