"""From a step of a conversation to a feature vector and a score: the online side of one event."""

from collections.abc import Mapping
from typing import NamedTuple

from service_quality.facts.conversation_fold import ConversationStep
from service_quality.features.declarations import FeatureSet, compute_features
from service_quality.features.moment import Moment
from service_quality.features.vectors import Vector, to_vector
from service_quality.histories.history import History
from service_quality.scoring.scores import Score, Scorer


class ScoredEvent(NamedTuple):
    """The vector as served, the score that the model gave for it, and the values by name for rules."""

    vector: Vector
    score: Score
    values: dict[str, float | int | None]


def entity_keys(step: ConversationStep, features: FeatureSet) -> dict[str, str]:
    """The keys of the histories that an event is scored with, by entity name; no key where there is no entity."""
    return {name: key for name, key in step.keys.items() if name in features.plan.windows}


def score_step(
    step: ConversationStep,
    histories: Mapping[str, History | None],
    *,
    features: FeatureSet,
    scorer: Scorer,
    clock: int,
) -> ScoredEvent:
    """Score an event with the conversation including it and the histories before it, by entity name."""
    values = compute_features(features.features, Moment(histories, step.values, clock))
    vector = to_vector(values)
    score = scorer.score(vector)
    named = {**step.values, **dict(zip(features.names, values, strict=True)), "score": score.probability}
    return ScoredEvent(vector=vector, score=score, values=named)
