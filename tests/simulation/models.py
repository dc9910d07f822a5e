"""The models, rules and releases that a simulation swaps, and what they raise on."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from service_quality.alerts.conditions import AtLeast, Values
from service_quality.alerts.rules import Rule
from service_quality.alerts.stored_rules import held_for
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.kinds import SERVICE
from service_quality.facts.conversation_fold import step_conversation
from service_quality.features.vectors import Vector, vector_bytes
from service_quality.instants import HOUR, MINUTE
from service_quality.scoring.scores import Score, TaskScorer
from tests.properties.feature_sets import CHURN_OF, DEPLOYED
from tests.stand_ins.scorer import FixedScorer

MODELS = ("one", "two")
RULES = ("first", "second")
#: A rule that asks how long something has held.
LINGERS = Rule(
    name="lingers",
    version=1,
    subject="conversation",
    kinds=SERVICE,
    tiers=(("info", held_for(AtLeast("score", 0.4), 10 * MINUTE)),),
    resolved_when=AtLeast("closed", 1),
    cooldown_ms=2 * HOUR,
)


class CursedVectorError(Exception):
    """The error of a defect in our own code."""


@dataclass(frozen=True)
class NamedScorer:
    """Scores in a way of its own by its name; raises on one vector of so many, if any."""

    name: str
    cursed_of: int = 0

    def score(self, vector: Vector) -> Score:
        if is_cursed(vector_bytes(vector), self.cursed_of):
            raise CursedVectorError
        score = FixedScorer().score(vector)
        probability = score.probability if self.name == "one" else 1 - score.probability / 2
        return score._replace(probability=probability, model_version=self.name)


def entity_scorers(features: str, model: str, cursed_of: int) -> tuple[TaskScorer, ...]:
    """The model of the task of a feature set, in the way of a named one."""
    return (TaskScorer(CHURN_OF[features], NamedScorer(model, cursed_of)),)


def is_cursed(vector: bytes, cursed_of: int) -> bool:
    """Whether a scorer raises on these bytes of a vector."""
    return cursed_of > 0 and zlib.crc32(vector) % cursed_of == 0


class BrokenCondition(AtLeast):
    """The error of a defect in a rule."""

    __slots__ = ()

    def holds(self, values: Values) -> bool:
        raise CursedVectorError


def rules_named(name: str, features: str) -> tuple[Rule, ...]:
    """The rules of a feature set as first declared, or as changed by a deployment."""
    declared = (*DEPLOYED[features][1], LINGERS)
    if name == "first":
        return declared
    changed = tuple(replace(rule, version=rule.version + 1, tiers=rule.tiers[:1], cooldown_ms=0) for rule in declared)
    broken = replace(declared[0], name="broken", tiers=(("info", BrokenCondition("score", 0)),))
    return (broken, *changed)


@dataclass
class Release:
    """The fold as it is deployed: `torn` says whether the worker that folds now reads a torn set."""

    ill_of: int
    bad: bool = False
    torn: Callable[[], bool] = lambda: False

    def step_conversation(self, held: Any, event: InteractionEvent, **clocks: Any) -> Any:
        """The core's own, but where a defect of the release or a torn set makes it raise."""
        if (self.bad and is_ill(event, self.ill_of)) or self.torn():
            raise CursedVectorError
        return step_conversation(held, event, **clocks)


def is_ill(event: InteractionEvent, ill_of: int) -> bool:
    """Whether a bad release fails on an event."""
    return ill_of > 0 and zlib.crc32(event.event_id.encode()) % ill_of == 0
