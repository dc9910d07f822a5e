"""Scorers of a backtest: the same score for every event, the scores that were served, or no score."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import copysign, inf, log
from typing import NamedTuple, NoReturn

from service_quality.errors import ModelError
from service_quality.features.vectors import Vector
from service_quality.scoring.scores import Score

#: What messages name as their model.
GIVEN = "given-score"


class GivenScore(NamedTuple):
    """Implements `scores.Scorer` by one probability, to which no feature contributes."""

    probability: float

    def score(self, vector: Vector) -> Score:
        """The given score, with an intercept that is all of its log-odds."""
        return Score(self.probability, (0.0,) * len(vector), _log_odds(self.probability), GIVEN)


@dataclass(slots=True)
class ServedScores:
    """Implements `scores.Scorer` by the scores of a task on a log, each by the name of its record; `record` is the
    present one.

    What no deployment scored has no score, such as a stage that none reached.
    """

    by_record: Mapping[str, float | None]
    record: str = ""

    @property
    def is_served(self) -> bool:
        """Whether a deployment had a model at the present record, be it one that failed."""
        return self.record in self.by_record

    def score(self, vector: Vector) -> Score:
        """The score that was served at the present record; NoModelError where it had none."""
        probability = self.by_record.get(self.record)
        if probability is None:
            raise NoModelError("found no served score of the record, expected one")
        return GivenScore(probability).score(vector)


class NoModelError(ModelError):
    """A backtest was given no score: its events are folded without one, and this is no failure."""


class NoScore:
    """Implements `scores.Scorer` where no model is there."""

    def score(self, vector: Vector) -> NoReturn:
        """NoModelError, always: the fold leaves the event without a score."""
        raise NoModelError("found no score, expected a given one")


def _log_odds(probability: float) -> float:
    """The logarithm of p / (1 - p); infinite at 0 and 1."""
    if 0 < probability < 1:
        return log(probability / (1 - probability))
    return copysign(inf, probability - 0.5)
