"""The champion: which model the registry points to, looked up once a minute and swapped between events."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.call_failures import failure_of
from service_quality.errors import DeploymentError, ModelError, ServiceQualityError
from service_quality.scoring.scores import Scorer

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_LOOK_AGAIN_SECONDS = 60


class MakeScorer(Protocol):
    """Makes a model ready to score; ModelError when it must not."""

    def __call__(self, data: bytes, version: str) -> Scorer: ...


@dataclass(slots=True, eq=False, repr=False)
class ModelRegistry:
    """Gives the champion in service. `observe` is told of swaps and refusals, for the log.

    The first look must succeed. After that a model that cannot be read or must not score is refused, and the one
    in service goes on.
    """

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    table: str
    bucket: str
    fingerprint: str
    make_scorer: MakeScorer
    observe: Callable[[str, dict[str, str]], None]
    now: Callable[[], float] = time.monotonic
    _scorer: Scorer | None = None
    _version: str = ""
    _refused: str = ""
    _looked_at: float = field(default=float("-inf"))

    def champion(self) -> Scorer:
        """The model in service, at most a minute behind the pointer."""
        if self._scorer is None:
            self._look()
        elif self.now() - self._looked_at >= _LOOK_AGAIN_SECONDS:
            try:
                self._look()
            except ServiceQualityError as error:
                self.observe("model_refused", {"error": str(error), "kept_version": self._version})
        if self._scorer is None:
            raise ModelError(f"found no usable model in table {self.table}, expected a champion")
        return self._scorer

    def _look(self) -> None:
        self._looked_at = self.now()
        version, fingerprint = self._read_pointer()
        if version in (self._version, self._refused):
            return
        try:
            if fingerprint != self.fingerprint:
                raise ModelError(f"model {version}: found fingerprint {fingerprint}, expected {self.fingerprint}")
            self._scorer = self.make_scorer(self._read_model(version), version)
        except ModelError:
            self._refused = version if self._scorer is not None else ""
            raise
        self.observe("model_loaded", {"version": version, "previous_version": self._version})
        self._version = version

    def _read_pointer(self) -> tuple[str, str]:
        try:
            found = self.dynamodb.get_item(
                TableName=self.table, Key={"pk": {"S": "pointer"}, "sk": {"S": "champion"}}, ConsistentRead=True
            ).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.table}") from error
        if found is None:
            raise DeploymentError(f"found no champion in table {self.table}, expected a promoted model")
        return found["version"]["S"], found["fingerprint"]["S"]

    def _read_model(self, version: str) -> bytes:
        key = f"models/{version}/model.onnx"
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"{key} in bucket {self.bucket}") from error
