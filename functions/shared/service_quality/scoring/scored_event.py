"""From a step of a conversation to a feature vector and a score: the online side of one event."""

from typing import NamedTuple

from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet, compute_features
from service_quality.features.feature_context import FeatureContext
from service_quality.features.vectors import Vector, to_vector
from service_quality.scoring.scores import Score, Scorer


class ScoredEvent(NamedTuple):
    """The vector as served, the score that the model gave for it, and the values by name for rules.

    `score` is None where the model failed, and `failure` is its error.
    """

    vector: Vector
    score: Score | None
    values: dict[str, float | int | None]
    failure: Exception | None = None


def entity_keys(step: ConversationStep, features: FeatureSet) -> dict[str, str]:
    """The keys of the histories that an event is scored with, by entity name; an unnamed entity has no key."""
    return {name: key for name, key in step.keys.items() if name in features.plan.windows}


def score_step(step: ConversationStep, context: FeatureContext, *, features: FeatureSet, scorer: Scorer) -> ScoredEvent:
    """Score an event in its context: the histories before it, and the step's values.

    A failing model leaves the event without a score; an earlier error is raised.
    """
    values = compute_features(features.features, context)
    vector = to_vector(values)
    named = {**step.values, **dict(zip(features.names, values, strict=True))}
    try:
        score = scorer.score(vector)
    except Exception as failure:  # a model can raise any error; the event is sound
        return ScoredEvent(vector, None, named, failure)
    return ScoredEvent(vector, score, {**named, "score": score.probability})
