"""The reasons of a score as JSON, the same in alerts and previews."""

from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from service_quality.scoring.scores import Score

MOST_REASONS = 5
_DIGITS = 5


class Reason(TypedDict):
    """A feature, its value, and what it adds to the log-odds of the score."""

    feature: str
    value: float | int | None
    contribution: float


class Explained(NamedTuple):
    """A score as people see it: the probability, the model that gave it, and its reasons, the strongest first."""

    probability: float
    model_version: str
    reasons: tuple[Reason, ...]


class ReportedScore(NamedTuple):
    """A score that a job reports with its reasons: feature, value, contribution to the log-odds."""

    probability: float
    model_version: str
    contributions: tuple[tuple[str, float | int | None, float], ...]

    def explain(self) -> Explained:
        """The score as people see it."""
        reasons = tuple(
            Reason(feature=feature, value=value, contribution=round(contribution, _DIGITS))
            for feature, value, contribution in self.contributions[:MOST_REASONS]
        )
        return Explained(round(self.probability, _DIGITS), self.model_version, reasons)


def shown_probability(score: Score) -> float:
    """The probability as people and callers see it, to five digits."""
    return round(score.probability, _DIGITS)


def describe_reasons(score: Score, values: Mapping[str, float | int | None], names: tuple[str, ...]) -> list[Reason]:
    """At most five features that say most, with their values; `names` are those of the score's vector."""
    return [
        {"feature": name, "value": values.get(name), "contribution": round(contribution, _DIGITS)}
        for name, contribution in score.reasons(names, most=MOST_REASONS)
    ]
