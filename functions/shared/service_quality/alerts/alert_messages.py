"""The alerts that the transitions of their states lead to: what a row shows, and what a message says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from service_quality.alerts.alert import Alert, AlertSubject
from service_quality.alerts.alert_state import REPEATED, RESOLVED, SILENT, AlertState
from service_quality.alerts.provisional import provisional_figures, provisional_waits
from service_quality.alerts.rules import Rule
from service_quality.conversations.conversation_state import ConversationState
from service_quality.features.declarations import EventValue, FeatureSet
from service_quality.policies.policy import DEFAULT_POLICY
from service_quality.scoring.reasons import Explained
from service_quality.tasks.declared_tasks import scores_of


class Shown(NamedTuple):
    """In which zone an alert's hours are, and in which currency its amounts; None for a shop whose policy is silent.

    `provisional_waits` names the values of the last wait that the decree of a year, not published yet, may still move.
    """

    time_zone: str | None = None
    currency: str | None = None
    provisional_waits: tuple[str, ...] = ()


def shown_in(state: ConversationState, at: int) -> Shown:
    """The zone of the policy that judges the last round, the currency, and how the wait is judged by an instant.

    A merged conversation has no round: its zone is that of the policy in force at its last event.
    """
    policy = state.round.policy if state.round is not None else state.policy
    return Shown(None if policy is DEFAULT_POLICY else policy.zone, state.currency, provisional_waits(state, at))


class AlertTransition(NamedTuple):
    """One transition of an alert: the state that an event led to, and the change that a message tells, if any.

    `repeats` is the count that the message gives with it. `decisive` are the names of the values by which an alert
    ended, `ended_by` what ended it, one of ENDINGS.
    """

    shop_id: str
    rule: Rule
    subject: str
    change: str | None
    state: AlertState
    event_id: str
    clock: int
    shown: Shown = Shown()
    repeats: int = 0
    decisive: tuple[str, ...] = ()
    ended_by: str | None = None


def describe_alert(
    moved: AlertTransition, values: dict[str, float | int | None], explained: Explained | None, features: FeatureSet
) -> Alert:
    """The alert as it is after a transition, with plain ids. The evidence of one that is over names what ended it.

    `explained` is the score of its own subject. Only alerts about a conversation carry values of the conversation: an
    alert about an agent goes to people who are not responsible for the one conversation during which it was noticed.
    """
    rule, state = moved.rule, moved.state
    about_conversation = rule.subject == "conversation"
    found = {name: values.get(name) for name in (*rule.evidence, *moved.decisive)}
    evidence = found if about_conversation else _of_subject(found, rule.subject, features)
    provisional = provisional_figures(evidence, values, features, waits=moved.shown.provisional_waits)
    return Alert(
        alert_id=state.alert_id,
        number="" if state.silent else state.message_number,
        kind=rule.name,
        rule_version=rule.version,
        title=rule.title,
        audiences=rule.audiences_up_to(state.gravest or state.severity),
        state=_state_now(moved),
        severity=state.severity,
        shop_id=moved.shop_id,
        subject=AlertSubject(rule.subject, moved.subject),
        occurred_at=moved.clock,
        opened_at=state.opened_at,
        repeats=state.repeats,
        event_id=moved.event_id,
        evidence=evidence,
        time_zone=moved.shown.time_zone,
        currency=moved.shown.currency,
        score=explained.probability if explained else None,
        provisional=bool(provisional),
        provisional_figures=provisional,
        ended_by=moved.ended_by,
        model_version=explained.model_version if explained else None,
    )


def message_of(
    alert: Alert,
    moved: AlertTransition,
    values: Mapping[str, float | int | None],
    explained: Explained | None,
    features: FeatureSet,
) -> Alert:
    """The message about an alert: with the count since the one before it, the rule's advice, the score's reasons."""
    alert = replace(alert, repeats=moved.repeats, advice=moved.rule.advice)
    if explained is None:
        return alert
    named = (*alert.evidence, *(reason["feature"] for reason in explained.reasons))
    provisional = provisional_figures(named, values, features, waits=moved.shown.provisional_waits)
    return replace(alert, reasons=explained.reasons, provisional=bool(provisional), provisional_figures=provisional)


def _state_now(moved: AlertTransition) -> str:
    """The change that is told; of an alert of which nothing was told that it is silent, else that it is counted."""
    if moved.change is not None:
        return moved.change
    return SILENT if moved.state.silent else REPEATED if moved.state.open else RESOLVED


def _of_subject(
    evidence: dict[str, float | int | None], subject: str, features: FeatureSet
) -> dict[str, float | int | None]:
    """The evidence that is read from histories, and the subject's own scores: no value of the present conversation."""
    names = {feature.name for feature in features.features if not isinstance(feature, EventValue)}
    names |= {*scores_of(subject)}
    return {name: value for name, value in evidence.items() if name in names}
