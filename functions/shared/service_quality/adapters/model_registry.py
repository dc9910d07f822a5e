"""The model registry: pointer and log of promotions in DynamoDB, model files in S3."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_of
from service_quality.errors import DeploymentError, NothingPromotedError, ServiceQualityError
from service_quality.scoring.champion import LOOK_AGAIN_SECONDS, Champion, Observe, Pointer
from service_quality.scoring.scores import Scorer
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_s3 import S3Client


#: The first task's items were there before there were tasks, so they do not carry its name.
_POINTERS, _LOGS = {DISSATISFACTION.name: "champion"}, {DISSATISFACTION.name: "log"}
MODELS_PREFIX = "models/"
GRAPH = "model.onnx"


def pointer_key(task: Task = DISSATISFACTION) -> "dict[str, AttributeValueTypeDef]":
    """The key of the pointer to a task's champion.

    >>> pointer_key(DISSATISFACTION)
    {'pk': {'S': 'pointer'}, 'sk': {'S': 'champion'}}
    """
    return {"pk": {"S": "pointer"}, "sk": {"S": _POINTERS.get(task.name, task.name)}}


def log_of(task: Task = DISSATISFACTION) -> str:
    """The partition of a task's log of promotions.

    >>> log_of(DISSATISFACTION)
    'log'
    """
    return _LOGS.get(task.name, f"log-{task.name}")


def log_key(revision: int, task: Task = DISSATISFACTION) -> "dict[str, AttributeValueTypeDef]":
    """The key of a promotion's entry in a task's log."""
    return {"pk": {"S": log_of(task)}, "sk": {"S": f"{revision:012d}"}}


def model_key(version: str, name: str) -> str:
    """The key of a version's file in the bucket.

    >>> model_key("20261126-ab12", "card.md")
    'models/20261126-ab12/card.md'
    """
    return f"{MODELS_PREFIX}{version}/{name}"


class MakeScorer(Protocol):
    """Makes a model ready to score; ModelError for a model that must not score."""

    def __call__(self, data: bytes, version: str) -> Scorer: ...


@dataclass(slots=True, eq=False, repr=False)
class ModelRegistry:
    """Implements `champion.Models`, and gives the champion of a task in service."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    table: str
    bucket: str
    make_scorer: MakeScorer
    observe: Observe
    now: Callable[[], float] = time.monotonic
    task: Task = DISSATISFACTION
    _champion: Champion = field(init=False)
    _tried_at: float = float("-inf")

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self._champion = Champion(self, self.observe, self.now)

    def champion(self) -> Scorer:
        """The model in service, at most a minute behind the pointer; errors as of `Champion.refresh`."""
        self._champion.refresh()
        return self._champion

    def champion_if_any(self) -> Scorer | None:
        """The model in service of a task that others do not wait for; None while there is no model of it.

        Without one the registry is looked at once a minute. That nothing was promoted is no event; any other trouble is
        observed as "registry_unread" or "model_refused".
        """
        if not self._champion.serves:
            if self.now() - self._tried_at < LOOK_AGAIN_SECONDS:
                return None
            self._tried_at = self.now()
        try:
            return self.champion()
        except NothingPromotedError:
            return None
        except ServiceQualityError as error:
            self.observe("registry_unread", {"error": str(error), "kept_version": ""})
            return None

    def read_pointer(self) -> Pointer:
        """The present pointer; one without a revision was written by hand and has no log entry.

        NothingPromotedError without one.
        """
        found = self._read(pointer_key(self.task))
        if found is None:
            raise NothingPromotedError(
                f"found no champion{self._of_task} in table {self.table}, expected a promoted model"
            )
        try:
            revision = int(found.get("revision", {"N": "0"})["N"])
            return Pointer(found["version"]["S"], revision)
        except (KeyError, ValueError) as error:
            raise self._wrong_item("pointer", "version and revision") from error

    def versions_behind(self, revision: int, *, most: int) -> Sequence[str]:
        """The versions that rollbacks would return to from a promotion, the nearest first; empty for the first one.

        DeploymentError where the log cannot be read or an entry lacks a field.
        """
        versions: list[str] = []
        entry = self._read_entry(revision)
        try:
            while entry is not None and len(versions) < most:
                entry = self._read_entry(int(entry["behind"]["N"]))
                if entry is not None:
                    versions.append(entry["version"]["S"])
        except (KeyError, ValueError) as error:
            raise self._wrong_item("log entry", "version and behind") from error
        return versions

    def load(self, version: str) -> Scorer:
        """The version ready to score; ModelError for one that must not score, DeploymentError for a missing file."""
        return self.make_scorer(self.read_file(version), version)

    def read_file(self, version: str) -> bytes:
        """The model file of a version; DeploymentError for a missing one."""
        key = model_key(version, GRAPH)
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"{key} in bucket {self.bucket}") from error

    @property
    def _of_task(self) -> str:
        return "" if self.task.name == DISSATISFACTION.name else f" of task {self.task.name}"

    def _read_entry(self, revision: int) -> "Mapping[str, AttributeValueTypeDef] | None":
        return self._read(log_key(revision, self.task)) if revision else None

    def _wrong_item(self, what: str, expected: str) -> DeploymentError:
        return DeploymentError(f"found a {what} of other content in table {self.table}, expected {expected}")

    def _read(self, key: "Mapping[str, AttributeValueTypeDef]") -> "Mapping[str, AttributeValueTypeDef] | None":
        try:
            return self.dynamodb.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.table}") from error
