"""The models and rules that a simulation swaps, and the vectors on which every model raises."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from service_quality.alerts.rules import Rule
from service_quality.features.vectors import Vector, vector_bytes
from service_quality.scoring.scores import Score
from tests.properties.feature_sets import SETS
from tests.stand_ins.scorer import FixedScorer

MODELS = ("one", "two")
RULES = ("first", "second")


class CursedVectorError(Exception):
    """What a defect of our own code would raise."""


@dataclass(frozen=True)
class NamedScorer:
    """Scores in a way of its own by its name; raises on one vector of so many, if any, and on what a torn set gave."""

    name: str
    cursed_of: int = 0
    torn: Callable[[], bool] = lambda: False

    def score(self, vector: Vector) -> Score:
        if is_cursed(vector_bytes(vector), self.cursed_of) or self.torn():
            raise CursedVectorError
        score = FixedScorer().score(vector)
        probability = score.probability if self.name == "one" else 1 - score.probability / 2
        return score._replace(probability=probability, model_version=self.name)


def is_cursed(vector: bytes, cursed_of: int) -> bool:
    """Whether a scorer raises on these bytes of a vector."""
    return cursed_of > 0 and zlib.crc32(vector) % cursed_of == 0


def rules_named(name: str, features: str) -> tuple[Rule, ...]:
    """The rules of a feature set as first declared, or as changed by a deployment."""
    declared = SETS[features][1]
    if name == "first":
        return declared
    return tuple(replace(rule, version=rule.version + 1, tiers=rule.tiers[:1], cooldown_ms=0) for rule in declared)
