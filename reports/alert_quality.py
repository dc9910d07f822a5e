"""How often the alerts of a run were right, from the alerts and the events that they could be about."""

from collections.abc import Iterable, Sequence
from typing import Any

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_quality import Contact, Observed, Opening, Outcome, Rated, judge_openings
from service_quality.alerts.alert_state import OPENED
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import RATED
from service_quality.policies.policy import DEFAULT_POLICY

Figures = dict[str, Any]


def judge_alerts(alerts: Sequence[Alert], events: Iterable[InteractionEvent]) -> dict[str, Figures]:
    """Figures by kind of alert (alert_quality.RuleQuality); `alerts` have plain ids."""
    openings = [
        Opening(alert.kind, alert.shop_id, alert.subject.kind, alert.subject.id, alert.occurred_at)
        for alert in alerts
        if alert.state == OPENED and alert.occurred_at is not None
    ]
    return {kind: found._asdict() for kind, found in judge_openings(openings, _observe(events)).items()}


def _observe(events: Iterable[InteractionEvent]) -> Observed:
    """The outcome of each conversation, and the time that the events span."""
    outcomes: dict[Contact, Outcome] = {}
    earliest = latest = None
    for event in sorted(events, key=lambda one: one.occurred_at):
        earliest, latest = earliest or event.occurred_at, event.occurred_at
        if event.conversation_id is None:
            continue
        outcome = outcomes.setdefault((event.shop_id, event.conversation_id), Outcome())
        if event.kind == RATED and event.rating is not None:
            outcome.ratings.append(Rated(event.occurred_at, event.rating <= DEFAULT_POLICY.dissatisfied_at_most))
        elif event.kind == "agent_message" and outcome.first_answer is None:
            outcome.first_answer = event.occurred_at
    lost = sum(any(rating.is_dissatisfied for rating in outcome.ratings) for outcome in outcomes.values())
    return Observed((latest or 0) - (earliest or 0), len(outcomes), lost, outcomes)
