"""What a rule decides about its subject at an event: the alert's next state, its row, and its message, if any."""

from typing import NamedTuple

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_messages import AlertTransition, Shown, describe_alert, message_of
from service_quality.alerts.alert_state import AlertState, IdSalt, alert_key, next_state, public_id, unsalted
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
    """The input of rules: an event of a shop at a clock, the values by name, and the event's score if it has one.

    `id_salt` gives the salt of the alerts' public ids. `ended_by` is what ends alerts here beside the conditions of
    their rules.
    """

    shop_id: str
    event: InteractionEvent | TimeReached
    clock: int
    values: dict[str, float | int | None]
    scored: ScoredEvent | None
    shown: Shown = Shown()
    id_salt: IdSalt = unsalted
    ended_by: str | None = None


class Decision(NamedTuple):
    """The alert's state from now on, the alert as it is then, and its message; None for what is only counted."""

    state: AlertState
    alert: Alert
    message: Alert | None = None


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

    The alert of an earlier round ends with its round; that of the next round continues its numbers. A rule with stages
    opens and worsens alerts when time is reached; at any other event an open one is as grave as it was, or over.
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
        """The decision that leads to the next state of the alert; empty where it is the same.

        `sent` is the number of messages about the subject before this round.
        """
        rule, judged = self.rule, self.judged
        step = next_state(before, severity, resolved=resolved, clock=judged.clock, cooldown_ms=rule.cooldown_ms)
        after = step.state
        if after is None or after == before:
            return []
        after = after._replace(round=self.round, sequence=after.sequence + sent)
        if after.open and (before is None or not before.open):
            after = after._replace(alert_id=self._new_id(after, sent=before.sequence if before is not None else sent))
        moved = AlertTransition(
            shop_id=judged.shop_id,
            rule=rule,
            subject=self.subject,
            change=step.change,
            state=after,
            event_id=judged.event.event_id,
            clock=judged.clock,
            shown=judged.shown,
            repeats=step.repeats,
            ended_by=judged.ended_by,
        )
        alert = describe_alert(moved, judged.values, judged.scored, self.features)
        if step.change is None:
            return [Decision(after, alert)]
        message = message_of(alert, moved, judged.values, judged.scored, self.features)
        return [Decision(after, alert, message)]

    def _new_id(self, begun: AlertState, *, sent: int) -> str:
        """The public id of an alert that begins: of its key, its opening, and the messages before it."""
        key = alert_key(self.judged.shop_id, self.rule.name, self.subject, self.round)
        return public_id(key, str(begun.opened_at), str(sent), salt=self.judged.id_salt())
