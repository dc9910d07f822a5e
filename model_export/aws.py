"""Clients of AWS, and its errors in one line each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from cli.aws_region import NO_REGION, refuse_bad_endpoints, region_of_environment
from model_export.errors import ModelExportError, NotThereError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_NOT_THERE = {"NoSuchBucket", "NoSuchKey", "404", "ResourceNotFoundException"}
_PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 4})


def s3_client() -> "S3Client":
    """S3, or the service at AWS_ENDPOINT_URL."""
    refuse_bad_endpoints()
    with translated("S3"):
        return boto3.client("s3", region_name=region_of_environment(), config=_PATIENCE)


def dynamodb_client() -> "DynamoDBClient":
    """DynamoDB, or the service at AWS_ENDPOINT_URL."""
    refuse_bad_endpoints()
    with translated("DynamoDB"):
        return boto3.client("dynamodb", region_name=region_of_environment(), config=_PATIENCE)


def code_of(error: ClientError) -> str:
    """The code of an error, such as NoSuchKey."""
    return error.response.get("Error", {}).get("Code", "unknown")


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns errors of AWS into ours; `what` names the bucket, table or object of the call."""
    try:
        yield
    except ClientError as error:
        code = code_of(error)
        if code in _NOT_THERE:
            raise NotThereError(f"{what}: found {code}, expected it to exist") from error
        message = error.response.get("Error", {}).get("Message", "")
        raise ModelExportError(f"{what}: found {code} ({message:.200}), expected an answer") from error
    except NoRegionError as error:
        raise ModelExportError(NO_REGION) from error
    except BotoCoreError as error:
        raise ModelExportError(f"{what}: {error!s:.300}") from error
