"""A score: the probability that a conversation ends dissatisfied, and the contributions of its features."""

from math import isfinite
from typing import NamedTuple, Protocol

from service_quality.features.vectors import Vector
from service_quality.tasks.declared_tasks import Task

ENGINES_DIFFER_AT_MOST = 1e-6
"""The largest difference between the probabilities that two engines give one model and vector."""


class Score(NamedTuple):
    """`contributions` in feature order; with `intercept` they add up to the log-odds of `probability`."""

    probability: float
    contributions: tuple[float, ...]
    intercept: float
    model_version: str

    def reasons(self, names: tuple[str, ...], *, most: int) -> list[tuple[str, float]]:
        """The features that moved the score most, by size, without those of no effect."""
        pushed = [pair for pair in zip(names, self.contributions, strict=True) if pair[1]]
        return sorted(pushed, key=lambda pair: (-abs(pair[1]), pair[0]))[:most]


class Scorer(Protocol):
    """A model that is ready to score float32 vectors of the feature set in service.

    Any error means that it cannot score this vector; `Score.model_version` names the model that gave a score.
    """

    def score(self, vector: Vector) -> Score: ...


class TaskScorer(NamedTuple):
    """The model in service of a task."""

    task: Task
    scorer: Scorer


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
