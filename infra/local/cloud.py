"""Clients of the embedded AWS alone: no profile, credential or proxy of this machine is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from service_quality.adapters.secret_value import read_secret

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
ACCESS_KEY = "test"  # what the emulator takes for the account's root
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def environment_of(endpoint: str) -> dict[str, str]:
    """The variables that lead any AWS client to the embedded AWS at `endpoint`, and to no other."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


def for_embedded(environment: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """An environment with every AWS setting of the machine replaced by those of the embedded one."""
    kept = {name: value for name, value in environment.items() if not name.startswith("AWS_") and name not in PROXIES}
    return kept | environment_of(endpoint)


@dataclass(frozen=True)
class Cloud:
    """Clients made at their first use; threads may share them."""

    endpoint: str

    @cached_property
    def _session(self) -> boto3.session.Session:
        return boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=ACCESS_KEY, region_name=REGION)

    @cached_property
    def _config(self) -> Config:
        return Config(
            proxies={},
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": "path"},
            max_pool_connections=20,
        )

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """CloudFormation."""
        return self._session.client("cloudformation", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return self._session.client("dynamodb", endpoint_url=self.endpoint, config=self._config)

    def read_secret(self, arn: str) -> bytes:
        """The bytes of a secret."""
        return read_secret(self._session.client("secretsmanager", endpoint_url=self.endpoint, config=self._config), arn)

    @cached_property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        return self._session.client("events", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        return self._session.client("lambda", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def kinesis(self) -> "KinesisClient":
        """Kinesis."""
        return self._session.client("kinesis", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return self._session.client("s3", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def secrets(self) -> Any:
        """Secrets Manager."""
        return self._session.client("secretsmanager", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def sns(self) -> "SNSClient":
        """SNS."""
        return self._session.client("sns", endpoint_url=self.endpoint, config=self._config)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self._session.client("sqs", endpoint_url=self.endpoint, config=self._config)
