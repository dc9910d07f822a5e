"""Adapters put together for functions that score; the only module here that imports others of them."""

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from service_quality.adapters.model_registry import ModelRegistry
from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.adapters.telemetry import Telemetry
from service_quality.scoring.scores import TaskScorer
from service_quality.tasks.declared_tasks import ENTITY_TASKS, Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def make_registry(
    dynamodb: "DynamoDBClient", s3: "S3Client", telemetry: Telemetry, *, table: str, bucket: str
) -> ModelRegistry:
    """The registry of ONNX models whose loads and refusals are logged and counted; nothing is read yet."""
    return ModelRegistry(dynamodb, s3, table, bucket, make_scorer=OnnxScorer, observe=telemetry.observe_model)


def registry_of(task: Task, registry: ModelRegistry) -> ModelRegistry:
    """The same registry, of another task's champion; nothing is read yet."""
    return replace(registry, make_scorer=partial(OnnxScorer, task=task), task=task)


@dataclass(frozen=True, slots=True)
class EntityModels:
    """The models in service of the tasks that score entities."""

    registries: tuple[ModelRegistry, ...]

    @classmethod
    def beside(cls, registry: ModelRegistry) -> "EntityModels":
        """Those of the same registry; nothing is read yet."""
        return cls(tuple(registry_of(task, registry) for task in ENTITY_TASKS))

    def scorers(self) -> tuple[TaskScorer, ...]:
        """The tasks of which a model is in service, with it."""
        found = ((registry.task, registry.champion_if_any()) for registry in self.registries)
        return tuple(TaskScorer(task, scorer) for task, scorer in found if scorer is not None)
