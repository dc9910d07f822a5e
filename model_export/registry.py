"""The registry of models: immutable versions in S3, beside a pointer and a log of promotions in DynamoDB."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from model_export.aws import code_of, translated
from model_export.errors import ModelRefusedError, NotThereError, RegistryConflictError
from model_export.exported import PUBLISHED, Exported
from service_quality.adapters.model_registry import GRAPH, MODELS_PREFIX, model_key
from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.errors import ModelError
from service_quality.tasks.declared_tasks import DISSATISFACTION, Task

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Registry:
    """The bucket of versions, and the table of each task's pointer and log; promotions are those of `task`."""

    s3: "S3Client"
    bucket: str
    dynamodb: "DynamoDBClient"
    table: str
    task: Task = DISSATISFACTION


def publish_model(exported: Exported, s3: "S3Client", bucket: str) -> list[str]:
    """Put the version into the bucket, immutable; returns the keys that were not there yet.

    The same content twice is fine; RegistryConflictError when a version holds other content already.
    """
    exported.parity.require(f"version {exported.version}")
    require_servable(exported.path(GRAPH).read_bytes(), exported.version, exported.task)
    written = []
    for name in PUBLISHED:
        key = model_key(exported.version, name)
        if _put_once(s3, bucket, key, exported.path(name).read_bytes()):
            written.append(key)
    return written


def require_servable(data: bytes, version: str, task: Task) -> None:
    """ModelRefusedError unless the functions' own scorer of this task takes the model."""
    try:
        OnnxScorer(data, version, task)
    except ModelError as error:
        raise ModelRefusedError(str(error)) from error


def read_published(registry: Registry, version: str, name: str) -> bytes:
    """One file of a version; ModelRefusedError names what is missing in a version that exists."""
    where = f"s3://{registry.bucket}/{model_key(version, name)}"
    with translated(where):
        try:
            return registry.s3.get_object(Bucket=registry.bucket, Key=model_key(version, name))["Body"].read()
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
    versions = published_versions(registry)
    if version in versions:
        raise ModelRefusedError(f"version {version}: found no {name} in s3://{registry.bucket}, expected it")
    raise NotThereError(f"found no version {version} in s3://{registry.bucket}, expected one of {_listed(versions)}")


def published_versions(registry: Registry) -> list[str]:
    """Every version in the bucket, oldest knowledge first."""
    with translated(f"s3://{registry.bucket}"):
        pages = registry.s3.get_paginator("list_objects_v2").paginate(
            Bucket=registry.bucket, Prefix=MODELS_PREFIX, Delimiter="/"
        )
        return sorted(prefix["Prefix"].split("/")[1] for page in pages for prefix in page.get("CommonPrefixes", []))


def _put_once(s3: "S3Client", bucket: str, key: str, data: bytes) -> bool:
    """Whether the object was created; False where the very same object exists already."""
    where = f"s3://{bucket}/{key}"
    with translated(where):
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
        except ClientError as error:
            code = code_of(error)
            if code == "ConditionalRequestConflict":
                raise RegistryConflictError(
                    f"{where}: found another writer at work, expected no other; try again"
                ) from error
            if code not in ("PreconditionFailed", "412"):
                raise
        else:
            return True
        stored = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    if stored != data:
        raise RegistryConflictError(
            f"{where}: found other content, expected that of this export: versions never change"
        )
    return False


def _listed(versions: list[str]) -> str:
    return ", ".join(versions[-5:]) or "none, since nothing is published"
