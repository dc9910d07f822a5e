"""A score: the probability that a conversation ends dissatisfied, and what it is made of."""

from typing import NamedTuple, Protocol

from service_quality.features.vectors import Vector


class Score(NamedTuple):
    """`contributions` in feature order; with `intercept` they add up to the log-odds of `probability`."""

    probability: float
    contributions: tuple[float, ...]
    intercept: float
    model_version: str

    def reasons(self, names: tuple[str, ...], *, most: int) -> list[tuple[str, float]]:
        """The features that pushed the score most, by size, those of no effect left out."""
        pushed = [pair for pair in zip(names, self.contributions, strict=True) if pair[1]]
        return sorted(pushed, key=lambda pair: (-abs(pair[1]), pair[0]))[:most]


class Scorer(Protocol):
    """A model that is ready to score float32 vectors of the feature set in service."""

    def score(self, vector: Vector) -> Score: ...
