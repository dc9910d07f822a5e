"""What a rule decides about its subject at an event: the alert's next state, and the message that says so, if any."""

from typing import NamedTuple

from service_quality.alerts.alert_messages import AlertBody, AlertTransition, alert_body
from service_quality.alerts.alert_state import REPEATED, AlertState, next_state
from service_quality.alerts.rules import Rule
from service_quality.conversations.conversation import conversation_key
from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.scored_event import ScoredEvent


class Subject(NamedTuple):
    """The subject of a rule, and the key of the item that holds its alerts."""

    name: str
    item_key: str


class Judged(NamedTuple):
    """The input of rules: an event of a shop at a clock, the values by name, and the event's score if it has one."""

    shop_id: str
    event: InteractionEvent
    clock: int
    values: dict[str, float | int | None]
    scored: ScoredEvent | None


class Decision(NamedTuple):
    """The alert's state from now on, and its message with the key of the alert; no message for one that only counts."""

    state: AlertState
    key: str = ""
    body: AlertBody | None = None


def subject_of(rule: Rule, event: InteractionEvent, step: ConversationStep) -> Subject | None:
    """The subject of a rule at an event; None where the rule does not look at it, or it names no subject."""
    if event.kind not in rule.kinds:
        return None
    if rule.subject == "conversation":
        return Subject(event.conversation_id, conversation_key(event)) if event.conversation_id else None
    key = step.keys.get(rule.subject)
    return Subject(key.partition("\x1f")[2], key) if key is not None else None


def decide(
    rule: Rule, subject: Subject, before: AlertState | None, judged: Judged, features: FeatureSet
) -> Decision | None:
    """The decision of a rule; None where the alert stays as it is."""
    resolved = rule.resolved_when.holds(judged.values)
    severity = None if resolved else rule.severity(judged.values)
    after, change = next_state(before, severity, resolved=resolved, clock=judged.clock, cooldown_ms=rule.cooldown_ms)
    if after is None or after == before:
        return None
    if change is None or change == REPEATED:
        return Decision(after)
    transition = AlertTransition(judged.shop_id, rule, subject.name, change, after, judged.event.event_id, judged.clock)
    return Decision(after, transition.key, alert_body(transition, judged.values, judged.scored, features))
