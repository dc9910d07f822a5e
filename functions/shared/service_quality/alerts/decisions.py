"""What a rule decides about its subject at an event: the alert's next state, its row, and its message, if any."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from service_quality.alerts.alert_state import (
    AlertState,
    Finding,
    IdSalt,
    Step,
    alert_key,
    next_state,
    public_id,
    unsalted,
)
from service_quality.alerts.conditions import Condition, decisive_values
from service_quality.alerts.endings import OF_NO_VALUE, end_of_round, ending_of
from service_quality.alerts.rules import CONVERSATION, SEVERITIES, Rule
from service_quality.alerts.stages import stages_in
from service_quality.conversations.conversation import conversation_key
from service_quality.conversations.conversation_state import ConversationState
from service_quality.conversations.wait_stages import is_of_clock
from service_quality.events.finding_reported import FindingReported
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import FINDING_REPORTED, TIME_REACHED
from service_quality.events.time_reached import TimeReached
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet
from service_quality.scoring.reasons import Explained, ReportedScore
from service_quality.scoring.scored_event import ScoredEvent
from service_quality.tasks.declared_findings import FINDINGS
from service_quality.tasks.declared_tasks import scores_of

if TYPE_CHECKING:
    from service_quality.alerts.alert import Alert


#: By these a customer says again that they wait.
_OF_CUSTOMER = frozenset({"conversation_opened", "customer_message", "reopened", "complaint_filed"})


#: What rules are asked at.
RuleEvent = InteractionEvent | TimeReached | FindingReported
#: Scores with their reasons, by the names that rules read.
Scores = Mapping[str, ScoredEvent | ReportedScore]


class Subject(NamedTuple):
    """The subject of a rule, the key of the item that holds its alerts; of a conversation its round, and the turn."""

    name: str
    item_key: str
    round: int = 0
    turn: int = 0


class Judged(NamedTuple):
    """The input of rules: an event of a shop at a clock, the values by name, and the scores that it has.

    `state` is that of the event's conversation, `reached` the stages that its open turn has reached. `id_salt` gives
    the salt of the alerts' public ids. `ended_by` is what ends alerts here beside the conditions of their rules.
    """

    shop_id: str
    event: RuleEvent
    clock: int
    values: dict[str, float | int | None]
    scores: Scores
    state: ConversationState
    id_salt: IdSalt = unsalted
    ended_by: str | None = None
    reached: frozenset[str] = frozenset()


class Decision(NamedTuple):
    """The alert's state from now on, the alert as it is then, and its message; None for what is only counted."""

    state: AlertState
    alert: "Alert"
    message: "Alert | None" = None


def subject_of(kind: str, event: InteractionEvent | TimeReached, step: ConversationStep) -> Subject | None:
    """The subject of rules over a kind of subject at an event; None where the event names no subject of this kind."""
    if kind == CONVERSATION:
        state, conversation_id = step.after.state, event.conversation_id
        if not conversation_id:
            return None
        return Subject(conversation_id, conversation_key(event), state.number, state.turn_number)
    key = step.keys.get(kind)
    return Subject(key.partition("\x1f")[2], key) if key is not None else None


def is_asked_at(rule: Rule, event: RuleEvent) -> bool:
    """Whether a rule asks at such an event: of its kinds, or where a wait reaches a stage and the rule has some.

    At a deadline of the clock only those rules ask whose look has come (looks.py), at a finding those about its
    subject that read a value of it.
    """
    if isinstance(event, FindingReported):
        is_about = rule.subject == event.subject_kind and not _values_said_by(event).isdisjoint(rule.reads)
        return is_about and FINDING_REPORTED in rule.kinds
    if isinstance(event, TimeReached):
        return not is_of_clock(event.stage) and (bool(rule.stages) or TIME_REACHED in rule.kinds)
    return event.kind in rule.kinds


def _values_said_by(finding: FindingReported) -> set[str]:
    """The names of a finding's values; its score is the first of those that its declaration names."""
    names = {*finding.values}
    return names if finding.score is None else names | {*FINDINGS[finding.finding].values[:1]}


def waits_for_a_stage(rule: Rule, event: InteractionEvent | TimeReached, step: ConversationStep) -> bool:
    """Whether a rule without an open alert says nothing at an event: its stages are all still to come."""
    return rule.is_of_stages_alone and not isinstance(event, TimeReached) and not step.after.conversation.reached


def decide(
    rule: Rule, subject: Subject, before: AlertState | None, judged: Judged, features: FeatureSet
) -> list[Decision]:
    """The decisions of a rule in their order; empty where the alert stays as it is.

    The alert of an earlier round ends with its round; that of the next round continues its numbers. A tier that waits
    for a stage is judged when time has reached the stage and from then on; an open alert is as grave as it was, or
    over. The cooldown of a rule of each wait ends with the wait.
    """
    ended: list[Decision] = []
    sent = 0
    if before is not None and before.round != subject.round:
        ended = end_with_round(rule, subject, before, judged, features)
        sent = ended[-1].state.sequence if ended else before.sequence
        before = None
    resolved = rule.resolved_when.holds(judged.values)
    if not resolved and before is not None and is_over_with_round(before, judged.state):
        resolved, judged = True, judged._replace(ended_by=end_of_round(judged.state, before, rule.resolved_when))
    severity = None if resolved else _severity(rule, before, judged)
    if before is None and severity is None:
        return ended
    is_next_wait = before is not None and not before.open and before.turn != subject.turn
    cooldown_ms = 0 if rule.is_of_each_wait and is_next_wait else rule.cooldown_ms
    begins = _Deciding(rule, subject, judged, features, cooldown_ms)
    return [*ended, *begins.reach(before, severity, resolved=resolved, sent=sent)]


def is_over_with_round(alert: AlertState, state: ConversationState) -> bool:
    """Whether an open alert about a round that began while it ran ends because the round has ended."""
    last = state.round
    if last is None or not last.end or not alert.open or alert.round != last.number:
        return False
    return not state.was_closed or (last.ended_at is not None and alert.opened_at <= last.ended_at)


def _severity(rule: Rule, before: AlertState | None, judged: Judged) -> str | None:
    """The severity that holds now, as far as time has reached the stages that its tier waits for."""
    holds = rule.severity(judged.values)
    if not rule.stages or judged.event.kind == TIME_REACHED:
        return holds
    ready = next((severity for severity, condition in rule.tiers if _is_ready(condition, judged)), None)
    if before is None or not before.open:
        return ready
    return holds and max(before.severity, ready or before.severity, key=SEVERITIES.index)


def _is_ready(condition: Condition, judged: Judged) -> bool:
    """Whether a condition holds, and waits for no stage that is still to come."""
    if not condition.holds(judged.values):
        return False
    stages = {stage.name for stage in stages_in(condition)}
    return not stages or bool(stages & judged.reached)


def _is_seen_again(rule: Rule, event: RuleEvent) -> bool:
    """Whether an alert that holds counts an event: of a wait, what the customer does about it."""
    if isinstance(event, TimeReached):
        return False
    if not rule.stages:
        return True
    return isinstance(event, InteractionEvent) and event.kind in _OF_CUSTOMER and not event.courtesy


def end_with_round(
    rule: Rule, subject: Subject, before: AlertState, judged: Judged, features: FeatureSet
) -> list[Decision]:
    """The decision that ends an alert with its round, whatever the conversation is like now; empty where it is over."""
    ended_by = end_of_round(judged.state, before, rule.resolved_when)
    closed = judged._replace(values={"closed": 1}, scores={}, ended_by=ended_by)
    return end_alert(rule, subject, before, closed, features)


def end_alert(rule: Rule, subject: Subject, before: AlertState, judged: Judged, features: FeatureSet) -> list[Decision]:
    """The decision that ends an alert in its own round, for what `judged` says; empty where it is over."""
    ending = _Deciding(rule, subject._replace(round=before.round), judged, features, rule.cooldown_ms)
    return ending.reach(before, None, resolved=True)


class _Deciding(NamedTuple):
    rule: Rule
    subject: Subject
    judged: Judged
    features: FeatureSet
    cooldown_ms: int

    def reach(
        self, before: AlertState | None, severity: str | None, *, resolved: bool, sent: int = 0
    ) -> list[Decision]:
        """The decision that leads to the next state of the alert; empty where it is the same.

        `sent` is the number of messages about the subject before this round.
        """
        subject, judged = self.subject, self.judged
        found = Finding(severity, judged.clock, resolved, counts=_is_seen_again(self.rule, judged.event))
        step = next_state(before, found, cooldown_ms=self.cooldown_ms)
        after = step.state
        if after is None or after == before:
            return []
        after = after._replace(round=subject.round, sequence=after.sequence + sent)
        if after.open and (before is None or not before.open):
            sent = before.sequence if before is not None else sent
            after = after._replace(alert_id=self._new_id(after, sent=sent), turn=subject.turn)
        return [self._decision(after, step)]

    def _decision(self, after: AlertState, step: Step) -> Decision:
        """The decision for another state: the alert as it is then, and the message about it."""
        from service_quality.alerts.alert_messages import (  # noqa: PLC0415  # few events change an alert
            AlertTransition,
            describe_alert,
            message_of,
            shown_in,
        )

        judged = self.judged
        moved = AlertTransition(
            shop_id=judged.shop_id,
            rule=self.rule,
            subject=self.subject.name,
            change=step.change,
            state=after,
            event_id=judged.event.event_id,
            clock=judged.clock,
            shown=shown_in(judged.state, judged.event.occurred_at),
            repeats=step.repeats,
            decisive=() if after.open else self._decisive(),
            ended_by=None if after.open else self._ending(after),
        )
        explained = self._explained()
        alert = describe_alert(moved, judged.values, explained, self.features)
        if step.change is None:
            return Decision(after, alert)
        message = message_of(alert, moved, judged.values, explained, self.features)
        return Decision(after, alert, message)

    def _explained(self) -> Explained | None:
        """The score that an alert shows: of the conversation, or of its entity where its rule reads that."""
        rule, scores = self.rule, self.judged.scores
        own = (name for name in scores_of(rule.subject) if rule.subject == CONVERSATION or name in rule.reads)
        found = next((scores[name] for name in own if name in scores), None)
        return found.explain() if found is not None else None

    def _decisive(self) -> tuple[str, ...]:
        """The values by which the alert ended; empty for what ends it without any."""
        if self.judged.ended_by in OF_NO_VALUE:
            return ()
        return tuple(decisive_values(self.rule.resolved_when, self.judged.values))

    def _ending(self, ended: AlertState) -> str | None:
        judged = self.judged
        if judged.ended_by is not None or self.rule.subject != CONVERSATION:
            return judged.ended_by
        return ending_of(judged.state, ended, self.rule.resolved_when, judged.values)

    def _new_id(self, begun: AlertState, *, sent: int) -> str:
        """The public id of an alert that begins: of its key, its opening, and the messages before it."""
        key = alert_key(self.judged.shop_id, self.rule.name, self.subject.name, self.subject.round)
        return public_id(key, str(begun.opened_at), str(sent), salt=self.judged.id_salt())
