"""The champion: read by pointer, swapped within a minute, kept when its successor must not score."""

from types import SimpleNamespace
from typing import Any

import pytest

from service_quality.adapters.model_registry import ModelRegistry
from service_quality.errors import DeploymentError, ModelError
from tests.stand_ins.aws_services import S3, DynamoDB


def make_scorer(data: bytes, version: str) -> Any:
    """A scorer that is known by its version; bad ones are refused."""
    if data == b"bad":
        raise ModelError(f"model {version}: found bad, expected good")
    return SimpleNamespace(version=version)


class Registry:
    """A registry with its stores, its clock and what it has told."""

    def __init__(self) -> None:
        dynamodb: Any = DynamoDB({"models": {}})
        s3: Any = S3({"models": {}})
        self.dynamodb, self.s3 = dynamodb, s3
        self.seconds = 0.0
        self.told: list[tuple[str, dict[str, str]]] = []
        self.registry = ModelRegistry(
            self.dynamodb,
            self.s3,
            "models",
            "models",
            "print",
            make_scorer,
            observe=lambda happened, fields: self.told.append((happened, fields)),
            now=lambda: self.seconds,
        )

    def promote(self, version: str, data: bytes = b"good", fingerprint: str = "print") -> None:
        self.s3.buckets["models"][f"models/{version}/model.onnx"] = data
        pointer = {"version": {"S": version}, "fingerprint": {"S": fingerprint}}
        self.dynamodb.tables["models"]["pointer", "champion"] = pointer

    def served(self) -> str:
        champion: Any = self.registry.champion()
        return champion.version


@pytest.fixture
def models() -> Registry:
    registry = Registry()
    registry.promote("v1")
    assert registry.served() == "v1"
    return registry


def test_promotion_is_seen_after_a_minute_and_not_before(models):
    models.promote("v2")

    models.seconds = 59.0
    before = models.served()
    models.seconds = 60.0

    assert (before, models.served()) == ("v1", "v2")
    assert models.told[-1] == ("model_loaded", {"version": "v2", "previous_version": "v1"})


@pytest.mark.parametrize("successor", [{"data": b"bad"}, {"fingerprint": "another"}])
def test_successor_that_must_not_score_is_refused_once_and_the_old_goes_on(models, successor):
    models.promote("v2", **successor)

    served = []
    for models.seconds in (60.0, 120.0, 180.0):
        served.append(models.served())

    assert served == ["v1"] * 3
    assert [happened for happened, _ in models.told] == ["model_loaded", "model_refused"]
    assert "expected" in models.told[-1][1]["error"]


def test_unreachable_registry_keeps_the_old_and_is_asked_again(models):
    models.promote("v2")
    models.dynamodb.failing = "ThrottlingException"
    models.seconds = 60.0
    during = models.served()
    models.dynamodb.failing = ""
    models.seconds = 120.0

    assert (during, models.served()) == ("v1", "v2")
    assert [happened for happened, _ in models.told] == ["model_loaded", "model_refused", "model_loaded"]


def test_first_look_without_a_champion_fails():
    with pytest.raises(DeploymentError, match="no champion in table models"):
        Registry().served()


def test_first_look_at_a_wrong_model_fails_every_time():
    models = Registry()
    models.promote("v1", fingerprint="another")

    for _ in range(2):
        with pytest.raises(ModelError, match="found fingerprint another, expected print"):
            models.served()


def test_missing_model_file_is_named():
    models = Registry()
    models.promote("v1")
    models.s3.buckets["models"].clear()

    with pytest.raises(DeploymentError, match=r"models/v1/model\.onnx in bucket models"):
        models.served()
