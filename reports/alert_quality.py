"""How often alerts were right: judged by the first rating that came later, one judgement a conversation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from service_quality.alerts.alert import Alert
from service_quality.alerts.alert_state import OPENED
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import RATED
from service_quality.instants import DAY, HOUR, MINUTE
from service_quality.policies.policy import DEFAULT_POLICY

Figures = dict[str, Any]
Contact = tuple[str, str]  # shop and conversation


class Rated(NamedTuple):
    """A rating: when, in epoch milliseconds, and whether it was a dissatisfied one."""

    at: int
    is_dissatisfied: bool


@dataclass(slots=True)
class Outcome:
    """What became of a conversation: its ratings in order of time, and its first answer (epoch milliseconds)."""

    ratings: list[Rated] = field(default_factory=list)
    first_answer: int | None = None

    def rated_from(self, at: int) -> Rated | None:
        """The first rating at or after an instant; a round that follows may be rated again."""
        return next((rating for rating in self.ratings if rating.at >= at), None)


def judge_alerts(alerts: Sequence[Alert], events: Iterable[InteractionEvent]) -> dict[str, Figures]:
    """Figures by kind of alert; `alerts` have plain ids, `events` all that the alerts could be about.

    `alerts` counts openings, `per_day` over the days of the events. Of an alert about conversations: `contacts` is the
    share of all conversations that were alerted; `judged` were rated later, `precision` is the share of these whose
    first rating since was a dissatisfied one, `recall` the share that these are of all conversations with a
    dissatisfied rating; `before_answer` is the share of alerts that came before a person first answered,
    `minutes_before_answer` the median time by which these came before it, of those that were answered;
    `hours_before_rating` is the median time to the rating. What cannot be computed is None.
    """
    outcomes, days = _read(events)
    opened = [alert for alert in alerts if alert.state == OPENED]
    found: dict[str, Figures] = {}
    for kind in sorted({alert.kind for alert in opened}):
        own = [alert for alert in opened if alert.kind == kind]
        found[kind] = {"alerts": len(own), "per_day": round(len(own) / days, 2)} | _judge(own, outcomes)
    return found


def _lost(outcomes: Mapping[Contact, Outcome]) -> int:
    return sum(any(rating.is_dissatisfied for rating in outcome.ratings) for outcome in outcomes.values())


def _judge(alerts: Sequence[Alert], outcomes: Mapping[Contact, Outcome]) -> Figures:
    """The figures that need outcomes; each conversation counts once, by its first alert."""
    first: dict[Contact, int] = {}
    for alert in alerts:
        if alert.subject.kind == "conversation" and alert.occurred_at is not None:
            contact, at = (alert.shop_id, alert.subject.id), alert.occurred_at
            first[contact] = min(at, first.get(contact, at))
    known = {contact: outcomes[contact] for contact in first if contact in outcomes}
    rated = {contact: one.rated_from(first[contact]) for contact, one in known.items()}
    judged = {contact: rating for contact, rating in rated.items() if rating is not None}
    right = sum(rating.is_dissatisfied for rating in judged.values())
    answered = [one.first_answer is None or first[contact] < one.first_answer for contact, one in known.items()]
    ahead = [one.first_answer - first[contact] for contact, one in known.items() if one.first_answer is not None]
    ahead = [time for time in ahead if time > 0]
    left = [rating.at - first[contact] for contact, rating in judged.items()]
    return {
        "contacts": _share(len(known), len(outcomes)) if first else None,
        "judged": len(judged),
        "precision": _share(right, len(judged)),
        "recall": _share(right, _lost(outcomes)) if first else None,
        "before_answer": _share(sum(answered), len(answered)),
        "minutes_before_answer": round(median(ahead) / MINUTE, 1) if ahead else None,
        "hours_before_rating": round(median(left) / HOUR, 1) if left else None,
    }


def _read(events: Iterable[InteractionEvent]) -> tuple[dict[Contact, Outcome], float]:
    """The outcome of each conversation, and the days that the events span, at least one."""
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
    return outcomes, max(1.0, ((latest or 0) - (earliest or 0)) / DAY)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
