"""What an alert says: one JSON-ready body per transition that is sent, published as docs/alert.schema.json."""

from typing import NamedTuple

from service_quality.alerts.alert_life import RESOLVED, AlertLife, alert_key
from service_quality.alerts.rules import Rule, decisive_values
from service_quality.features.declarations import FeatureSet
from service_quality.instants import format_instant
from service_quality.scoring.scored_event import ScoredEvent

BODY_VERSION = 1
_MOST_REASONS = 5


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


def alert_body(
    sent: Sent, values: dict[str, float | int | None], scored: ScoredEvent | None, features: FeatureSet
) -> dict[str, object]:
    """The alert with ids as they are; what dispatches it decides how they leave. A resolved one says what ended it."""
    rule = sent.rule
    ended_by = decisive_values(rule.resolved_when, values) if sent.happened == RESOLVED else ()
    body: dict[str, object] = {
        "version": BODY_VERSION,
        "alert_id": sent.key,
        "message_id": f"{sent.key}-{sent.life.message_number}",
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
        "evidence": {name: values.get(name) for name in (*rule.evidence, *ended_by)},
        "score": None,
        "reasons": [],
        "model_version": None,
    }
    if scored is not None and scored.score is not None:
        body["score"] = round(scored.score.probability, 5)
        body["model_version"] = scored.score.model_version
        body["reasons"] = [
            {"feature": name, "value": values.get(name), "contribution": round(contribution, 5)}
            for name, contribution in scored.score.reasons(features.names, most=_MOST_REASONS)
        ]
    return body
