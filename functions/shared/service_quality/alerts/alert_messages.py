"""The bodies of alert messages: one JSON-ready body per transition that is sent, as in docs/alert.schema.json."""

from typing import NamedTuple, TypedDict

from service_quality.alerts.alert_state import RESOLVED, AlertState, alert_key
from service_quality.alerts.conditions import decisive_values
from service_quality.alerts.message import Message
from service_quality.alerts.provisional import are_provisional
from service_quality.alerts.rules import Rule
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.instants import SECOND, format_instant
from service_quality.scoring.reasons import Reason, describe_reasons, shown_probability
from service_quality.scoring.scored_event import ScoredEvent

BODY_VERSION = 2
_MESSAGES_A_SECOND = 10_000


class Subject(TypedDict):
    """The subject of an alert."""

    kind: str
    id: str


class Texts(TypedDict):
    """A text in each language."""

    en: str
    zh: str


class AlertBody(TypedDict):
    """The body that docs/alert.schema.json describes."""

    version: int
    alert_id: str
    message_id: str
    sequence: int | None
    kind: str
    rule_version: int | None
    title: Texts
    advice: Texts
    state: str
    severity: str
    shop_id: str
    subject: Subject
    occurred_at: str | None
    opened_at: str | None
    time_zone: str | None
    currency: str | None
    repeats: int
    event_id: str
    evidence: dict[str, float | int | None]
    score: float | None
    reasons: list[Reason]
    provisional: bool
    ended_by: str | None
    model_version: str | None


class Shown(NamedTuple):
    """In which zone an alert's hours are, and in which currency its amounts; None for a shop whose policy is silent."""

    time_zone: str | None = None
    currency: str | None = None


class AlertTransition(NamedTuple):
    """One transition of an alert that a message announces."""

    shop_id: str
    rule: Rule
    subject: str
    change: str
    state: AlertState
    event_id: str
    clock: int
    shown: Shown = Shown()
    ended_by: str | None = None

    @property
    def key(self) -> str:
        return alert_key(self.shop_id, self.rule.name, self.subject, self.state.round)


def message_sequence(opened_at: int, number: int) -> int:
    """The number of a message of one alert: higher is later, exact in every JSON reader, not without gaps.

    `number` counts an alert's messages and begins again after its subject was forgotten; by then `opened_at` is more
    than a day later.

    >>> message_sequence(1_795_165_140_000, 1) < message_sequence(1_795_165_140_000, 2) < 2**53
    True
    """
    return opened_at // SECOND * _MESSAGES_A_SECOND + number


def alert_body(
    transition: AlertTransition, values: dict[str, float | int | None], scored: ScoredEvent | None, features: FeatureSet
) -> AlertBody:
    """The alert with plain ids; the dispatcher hashes them. The evidence of a resolved alert names what ended it.

    Only alerts about a conversation carry score, reasons and values of the conversation: an alert about an agent goes
    to people who are not responsible for the one conversation during which it was noticed.
    """
    rule = transition.rule
    about_conversation = rule.subject == "conversation"
    ends_itself = transition.change == RESOLVED and transition.ended_by is None
    decisive = decisive_values(rule.resolved_when, values) if ends_itself else ()
    found = {name: values.get(name) for name in (*rule.evidence, *decisive)}
    evidence = found if about_conversation else _of_histories(found, features)
    score = scored.score if scored is not None and about_conversation else None
    reasons = describe_reasons(score, values, features.names) if score else []
    named = (*evidence, *(reason["feature"] for reason in reasons))
    return {
        "version": BODY_VERSION,
        "alert_id": transition.key,
        "message_id": f"{transition.key}-{transition.state.message_number}",
        "sequence": message_sequence(transition.state.opened_at, transition.state.sequence),
        "kind": rule.name,
        "rule_version": rule.version,
        "title": texts_of(rule.title),
        "advice": texts_of(rule.advice),
        "state": transition.change,
        "severity": transition.state.severity,
        "shop_id": transition.shop_id,
        "subject": {"kind": rule.subject, "id": transition.subject},
        "occurred_at": format_instant(transition.clock),
        "opened_at": format_instant(transition.state.opened_at),
        "time_zone": transition.shown.time_zone,
        "currency": transition.shown.currency,
        "repeats": transition.state.repeats,
        "event_id": transition.event_id,
        "evidence": evidence,
        "score": shown_probability(score) if score else None,
        "reasons": reasons,
        "provisional": are_provisional(named, values, features),
        "ended_by": transition.ended_by,
        "model_version": score.model_version if score else None,
    }


def texts_of(message: Message) -> Texts:
    """The JSON form of a text."""
    return {"en": message.en, "zh": message.zh}


def _of_histories(evidence: dict[str, float | int | None], features: FeatureSet) -> dict[str, float | int | None]:
    """The evidence that is read from histories, without values of the present conversation."""
    names = {feature.name for feature in features.features if not isinstance(feature, EventValue)}
    return {name: value for name, value in evidence.items() if name in names}
