"""The smallest model of churn: the more orders in 90 days, the likelier that a customer leaves."""

import json
from collections.abc import Mapping

from service_quality.tasks.declared_tasks import CHURN
from tests.stand_ins.tiny_model import INTERCEPT, tiny_model


def tiny_churn(*, bias: float = INTERCEPT, training: Mapping[str, object] | None = None) -> bytes:
    """A logistic regression with the weight WEIGHT_OF_FIRST on the orders of 90 days; `training` as it says of it."""
    features = CHURN.features
    metadata = {
        "task": CHURN.name,
        "feature_names": json.dumps(features.names),
        "feature_meanings": json.dumps([*features.meanings.values()]),
        "fingerprint": features.fingerprint,
        "training": json.dumps(training or {"last": "2025-03-03T00:00:00.000Z"}),
    }
    return tiny_model(width=len(features.names), bias=bias, metadata=metadata)
