"""The reasons of a score as JSON, the same in alerts and previews."""

from collections.abc import Mapping
from typing import TypedDict

from service_quality.scoring.scores import Score

MOST_REASONS = 5
_DIGITS = 5


class Reason(TypedDict):
    """A feature, its value, and what it adds to the log-odds of the score."""

    feature: str
    value: float | int | None
    contribution: float


def shown_probability(score: Score) -> float:
    """The probability as people and callers see it, to five digits."""
    return round(score.probability, _DIGITS)


def describe_reasons(score: Score, values: Mapping[str, float | int | None], names: tuple[str, ...]) -> list[Reason]:
    """At most five features that say most, with their values; `names` are those of the score's vector."""
    return [
        {"feature": name, "value": values.get(name), "contribution": round(contribution, _DIGITS)}
        for name, contribution in score.reasons(names, most=MOST_REASONS)
    ]
