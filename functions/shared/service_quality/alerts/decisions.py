"""What a rule decides about its subject at an event: the alert's next state, and the message that says so, if any."""

from typing import NamedTuple

from service_quality.alerts.alert_messages import AlertBody, AlertTransition, Shown, alert_body
from service_quality.alerts.alert_state import REPEATED, AlertState, next_state
from service_quality.alerts.rules import Rule
from service_quality.conversations.conversation import conversation_key
from service_quality.conversations.conversation_state import ConversationState
from service_quality.events.control_records import TimeReached
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import TIME_REACHED
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet
from service_quality.policies.policy import DEFAULT_POLICY
from service_quality.scoring.scored_event import ScoredEvent

#: Said by an alert whose rule was taken out of force.
RULE_WITHDRAWN = "rule_withdrawn"


class Subject(NamedTuple):
    """The subject of a rule, the key of the item that holds its alerts, and its round if it is a conversation."""

    name: str
    item_key: str
    round: int = 0


class Judged(NamedTuple):
    """The input of rules: an event of a shop at a clock, the values by name, and the event's score if it has one."""

    shop_id: str
    event: InteractionEvent | TimeReached
    clock: int
    values: dict[str, float | int | None]
    scored: ScoredEvent | None
    shown: Shown = Shown()
    #: What ends alerts here beside the conditions of their rules.
    ended_by: str | None = None


class Decision(NamedTuple):
    """The alert's state from now on, and its message with the key of the alert; no message for one that only counts."""

    state: AlertState
    key: str = ""
    body: AlertBody | None = None


def shown_in(state: ConversationState) -> Shown:
    """The zone of the policy that judges the last round, and the currency of the conversation."""
    policy = state.round.policy if state.round is not None else DEFAULT_POLICY
    return Shown(None if policy is DEFAULT_POLICY else policy.zone, state.currency)


def subject_of(rule: Rule, event: InteractionEvent | TimeReached, step: ConversationStep) -> Subject | None:
    """The subject of a rule at an event; None where the rule does not look at it, or it names no subject."""
    if event.kind not in rule.kinds and not (event.kind == TIME_REACHED and rule.stages):
        return None
    if rule.subject == "conversation":
        last = step.after.state.round
        number = last.number if last is not None else 0
        return Subject(event.conversation_id, conversation_key(event), number) if event.conversation_id else None
    key = step.keys.get(rule.subject)
    return Subject(key.partition("\x1f")[2], key) if key is not None else None


def decide(
    rule: Rule, subject: Subject, before: AlertState | None, judged: Judged, features: FeatureSet
) -> list[Decision]:
    """The decisions of a rule in their order; empty where the alert stays as it is.

    The alert of an earlier round ends with its round; that of the next round continues its numbers.
    """
    ended: list[Decision] = []
    sent = 0
    if before is not None and before.round != subject.round:
        ended = end_with_round(rule, subject, before, judged, features)
        sent = ended[-1].state.sequence if ended else before.sequence
        before = None
    resolved = rule.resolved_when.holds(judged.values)
    severity = None if resolved else rule.severity(judged.values)
    if rule.stages and judged.event.kind != TIME_REACHED:
        severity = before.severity if before is not None and before.open and severity is not None else None
    begins = _Deciding(rule, subject.name, judged, features, subject.round)
    return [*ended, *begins.reach(before, severity, resolved=resolved, sent=sent)]


def end_with_round(
    rule: Rule, subject: Subject, before: AlertState, judged: Judged, features: FeatureSet
) -> list[Decision]:
    """The decision that ends an alert with its round, whatever the conversation is like now; empty where it is over."""
    closed = judged._replace(values={"closed": 1}, scored=None)
    return _Deciding(rule, subject.name, closed, features, before.round).reach(before, None, resolved=True)


def end_withdrawn(
    rule: Rule, subject: Subject, before: AlertState, judged: Judged, features: FeatureSet
) -> list[Decision]:
    """The decision that ends an alert of a rule that is in force no more; empty where it is over."""
    withdrawn = judged._replace(ended_by=RULE_WITHDRAWN)
    return _Deciding(rule, subject.name, withdrawn, features, before.round).reach(before, None, resolved=True)


class _Deciding(NamedTuple):
    rule: Rule
    subject: str
    judged: Judged
    features: FeatureSet
    round: int

    def reach(
        self, before: AlertState | None, severity: str | None, *, resolved: bool, sent: int = 0
    ) -> list[Decision]:
        """The decision that leads to the next state of the alert; empty where it is the same."""
        rule, judged = self.rule, self.judged
        after, change = next_state(
            before, severity, resolved=resolved, clock=judged.clock, cooldown_ms=rule.cooldown_ms
        )
        if after is None or after == before:
            return []
        after = after._replace(round=self.round, sequence=after.sequence + sent)
        if change is None or change == REPEATED:
            return [Decision(after)]
        event_id = judged.event.event_id
        moved = AlertTransition(
            *(judged.shop_id, rule, self.subject, change, after, event_id, judged.clock, judged.shown, judged.ended_by)
        )
        return [Decision(after, moved.key, alert_body(moved, judged.values, judged.scored, self.features))]
