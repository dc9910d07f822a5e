"""A score: the probability that a conversation ends dissatisfied, and what it is made of."""

from math import isfinite
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
    """A model that is ready to score float32 vectors of the feature set in service.

    What it raises says that it cannot score this vector; `Score.model_version` says which model gave a score.
    """

    def score(self, vector: Vector) -> Score: ...


def require_numbers(score: Score, *, width: int) -> Score:
    """The score itself; ArithmeticError unless it is a probability with `width` finite contributions.

    >>> require_numbers(Score(float("nan"), (), 0.0, "v1"), width=0)
    Traceback (most recent call last):
        ...
    ArithmeticError: found no probability from 0 to 1
    """
    if not 0 <= score.probability <= 1:
        raise ArithmeticError("found no probability from 0 to 1")
    if len(score.contributions) != width:
        raise ArithmeticError(f"found {len(score.contributions)} contributions, expected {width}")
    if not isfinite(sum(score.contributions)):  # of float32: a sum of finite ones cannot leave double
        raise ArithmeticError(f"found a contribution that is no number, expected {width} finite ones")
    return score
