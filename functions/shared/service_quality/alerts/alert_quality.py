"""How often alerts were right: judged by the first rating that came later, one judgement a conversation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from service_quality.alerts.rules import CONVERSATION
from service_quality.instants import DAY, HOUR, MINUTE

#: A shop and its conversation.
Contact = tuple[str, str]


class Opening(NamedTuple):
    """An alert that began: its rule, whom or what it is about, and when, in epoch milliseconds."""

    kind: str
    shop_id: str
    subject_kind: str
    subject_id: str
    at: int


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


class Observed(NamedTuple):
    """What alerts are judged by: how long was observed, and how many conversations, of them how many dissatisfied.

    `outcomes` hold at least the conversations with alerts.
    """

    milliseconds: int
    conversations: int
    dissatisfied: int
    outcomes: Mapping[Contact, Outcome]


class RuleQuality(NamedTuple):
    """How the alerts of a rule did; what cannot be computed is None.

    `alerts` counts openings, `per_day` over the days that were observed. Of alerts about conversations: `contacts` is
    the share of all conversations that were alerted; `judged` were rated later, `precision` is the share of these whose
    first rating since was a dissatisfied one, `recall` the share that these are of all conversations with a
    dissatisfied rating; `before_answer` is the share of alerts that came before a person first answered,
    `minutes_before_answer` the median time by which these came before it, of those that were answered;
    `hours_before_rating` is the median time to the rating.
    """

    alerts: int
    per_day: float
    contacts: float | None
    judged: int
    precision: float | None
    recall: float | None
    before_answer: float | None
    minutes_before_answer: float | None
    hours_before_rating: float | None


def judge_openings(openings: Iterable[Opening], observed: Observed) -> dict[str, RuleQuality]:
    """How the alerts of each rule did; a conversation counts once a rule, by its first alert."""
    by_kind: dict[str, list[Opening]] = {}
    for one in openings:
        by_kind.setdefault(one.kind, []).append(one)
    return {kind: _judge(own, observed) for kind, own in sorted(by_kind.items())}


def _judge(openings: Sequence[Opening], observed: Observed) -> RuleQuality:
    first: dict[Contact, int] = {}
    for one in openings:
        if one.subject_kind == CONVERSATION:
            contact = one.shop_id, one.subject_id
            first[contact] = min(one.at, first.get(contact, one.at))
    known = {contact: observed.outcomes[contact] for contact in first if contact in observed.outcomes}
    rated = {contact: one.rated_from(first[contact]) for contact, one in known.items()}
    judged = {contact: rating for contact, rating in rated.items() if rating is not None}
    right = sum(rating.is_dissatisfied for rating in judged.values())
    answered = [one.first_answer is None or first[contact] < one.first_answer for contact, one in known.items()]
    ahead = [one.first_answer - first[contact] for contact, one in known.items() if one.first_answer is not None]
    ahead = [time for time in ahead if time > 0]
    left = [rating.at - first[contact] for contact, rating in judged.items()]
    return RuleQuality(
        alerts=len(openings),
        per_day=round(len(openings) / max(1.0, observed.milliseconds / DAY), 2),
        contacts=_share(len(known), observed.conversations) if first else None,
        judged=len(judged),
        precision=_share(right, len(judged)),
        recall=_share(right, observed.dissatisfied) if first else None,
        before_answer=_share(sum(answered), len(answered)),
        minutes_before_answer=round(median(ahead) / MINUTE, 1) if ahead else None,
        hours_before_rating=round(median(left) / HOUR, 1) if left else None,
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
