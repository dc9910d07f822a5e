"""From a step of a conversation to a feature vector and a score: the online side of one event."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.events.interaction_event import InteractionEvent
from service_quality.facts.conversation_fold import ConversationStep
from service_quality.facts.entities import ENTITIES
from service_quality.features.declarations import FeatureSet, compute_features
from service_quality.features.feature_context import FeatureContext
from service_quality.features.vectors import Vector, to_vector
from service_quality.scoring.reasons import Explained, describe_reasons, shown_probability
from service_quality.scoring.scores import Score, Scorer
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task


class ScoredEvent(NamedTuple):
    """The vector as served, the score that the model gave for it, and the values by name for rules.

    `score` is None where the model failed, and `failure` is its error. `features` are those of the vector.
    """

    vector: Vector
    score: Score | None
    values: dict[str, float | int | None]
    failure: Exception | None = None
    features: FeatureSet | None = None

    def explain(self) -> Explained | None:
        """The score as people see it; None without one."""
        if self.score is None or self.features is None:
            return None
        reasons = tuple(describe_reasons(self.score, self.values, self.features.names))
        return Explained(shown_probability(self.score), self.score.model_version, reasons)


def entity_keys(step: ConversationStep, features: FeatureSet) -> dict[str, str]:
    """The keys of the histories that an event is scored with, by entity name; an unnamed entity has no key."""
    return {name: key for name, key in step.keys.items() if name in features.plan.windows}


def unit_key(task: Task, event: object) -> str | None:
    """The key of the history of an entity that a task scores at an event; None where it scores nobody there.

    An entity is scored at the events of the task's kinds that name it themselves.
    """
    if not isinstance(event, InteractionEvent) or event.kind not in task.kinds:
        return None
    entity = ENTITIES[task.unit]
    return entity.key({part: getattr(event, part) for part in entity.parts})


def score_step(step: ConversationStep, context: FeatureContext, *, features: FeatureSet, scorer: Scorer) -> ScoredEvent:
    """Score an event in its context: the histories before it, and the step's values.

    A failing model leaves the event without a score; an earlier error is raised.
    """
    return _score(features, context, scorer, score_name=DISSATISFACTION.score, values=step.values)


def score_entity(task: Task, context: FeatureContext, scorer: Scorer) -> ScoredEvent:
    """Score an entity by its histories behind an event. A failing model leaves it without a score."""
    return _score(task.features, context, scorer, score_name=task.score, values={})


def _score(
    features: FeatureSet,
    context: FeatureContext,
    scorer: Scorer,
    *,
    score_name: str,
    values: Mapping[str, float | int | None],
) -> ScoredEvent:
    served = compute_features(features.features, context)
    vector = to_vector(served)
    named = {**values, **dict(zip(features.names, served, strict=True))}
    try:
        score = scorer.score(vector)
    except Exception as failure:  # a model can raise any error; the event is sound
        return ScoredEvent(vector, None, named, failure, features)
    return ScoredEvent(vector, score, {**named, score_name: score.probability}, features=features)
