"""Adapters put together for functions that score; the only module here that imports others of them."""

from typing import TYPE_CHECKING

from service_quality.adapters.model_registry import ModelRegistry
from service_quality.adapters.onnx_model import OnnxScorer
from service_quality.adapters.telemetry import Telemetry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


def make_registry(
    dynamodb: "DynamoDBClient", s3: "S3Client", telemetry: Telemetry, *, table: str, bucket: str
) -> ModelRegistry:
    """The registry of ONNX models whose loads and refusals are logged and counted; nothing is read yet."""
    return ModelRegistry(dynamodb, s3, table, bucket, make_scorer=OnnxScorer, observe=telemetry.observe_model)
