"""The deployment to work on: clients, and the names of its stores, from a stack's outputs or one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.aws_region import refuse_bad_endpoints, region_of_environment
from infra.operations.endpoints import require_listener
from infra.operations.errors import ArgumentsError, NotThereError
from service_quality.adapters.secret_value import read_secret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

Client = TypeVar("Client", bound=BaseClient)

#: Put and read one after the other: throttling is waited for rather than reported.
_PATIENCE = Config(connect_timeout=5, read_timeout=130, retries={"mode": "standard", "max_attempts": 10})

#: Output of the stack that holds each name.
OUTPUTS = {
    "rejected_bucket": "RejectedBucketName",
    "event_stream": "EventStreamName",
    "state_table": "StateTableName",
    "control_key_secret": "ControlKeySecretArn",
    "id_salt_secret": "IdSaltSecretArn",
    "dispatch_function": "DispatchOutboxFunctionName",
    "archive_function": "ArchiveOutboxFunctionName",
    "alerts_table": "AlertsTableName",
    "archive_bucket": "ArchiveBucketName",
    "alert_topic": "AlertTopicArn",
}
#: The names that every put-back needs.
NEEDED = ("rejected_bucket", "event_stream", "state_table", "control_key_secret")
_FIRST_GENERATION = 1  # the template's default


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a deployment's stores and functions, "" for an unknown one, and its stream's generation."""

    rejected_bucket: str
    event_stream: str
    state_table: str
    control_key_secret: str
    dispatch_function: str = ""
    archive_function: str = ""
    alerts_table: str = ""
    archive_bucket: str = ""
    alert_topic: str = ""
    id_salt_secret: str = ""
    stream_generation: int = _FIRST_GENERATION


#: The operation and service of the latest call: an error of the connection does not name it.
_latest_call = ["AWS"]


def latest_call() -> str:
    """The latest call, as in "DescribeStacks of cloudformation"; "AWS" before the first."""
    return _latest_call[0]


def _session() -> boto3.Session:
    """A session in the environment's region, which notes the calls of its clients as they begin."""

    def note(model: Any, **_: object) -> None:
        _latest_call[0] = f"{model.name} of {model.service_model.service_name}"

    refuse_bad_endpoints()
    session = boto3.Session(region_name=region_of_environment())
    session.events.register("before-parameter-build", note)
    return session


def _reached(client: Client) -> Client:
    """The client; OperationsError where its endpoint is one of this machine and nothing listens there."""
    require_listener(client.meta.endpoint_url)
    return client


class Clients:
    """Clients of AWS by the environment, made at their first use; OperationsError where nothing is there to answer."""

    def __init__(self) -> None:
        """Make no call yet."""
        self._session = _session()

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return _reached(self._session.client("s3", config=_PATIENCE))

    @cached_property
    def kinesis(self) -> "KinesisClient":
        """Kinesis."""
        return _reached(self._session.client("kinesis", config=_PATIENCE))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return _reached(self._session.client("dynamodb", config=_PATIENCE))

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        return _reached(self._session.client("lambda", config=_PATIENCE))

    @cached_property
    def sns(self) -> "SNSClient":
        """SNS."""
        return _reached(self._session.client("sns", config=_PATIENCE))

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return _reached(self._session.client("sqs", config=_PATIENCE))

    def read_secret(self, secret: str) -> bytes:
        """A secret's bytes: the key that signs control records, or the salt of the ids in alerts.

        DeploymentError for a secret that is missing or may not be read.
        """
        return read_secret(_reached(self._session.client("secretsmanager", config=_PATIENCE)), secret)


def find_names(given: Mapping[str, Any], needed: tuple[str, ...]) -> Names:
    """The names out of `given` options, those that are missing from the outputs of its `stack`.

    ArgumentsError names the needed options without a stack, NotThereError the outputs that the stack lacks.
    """
    found = {name.name: given.get(name.name) for name in fields(Names)}
    if given.get("stack"):
        declared = read_stack(given["stack"])
        found = {name: value or declared.get(name) for name, value in found.items()}
    missing = {f"--{name.replace('_', '-')}": OUTPUTS[name] for name in needed if not found[name]}
    if missing and given.get("stack"):
        outputs, flags = ", ".join(missing.values()), ", ".join(missing)
        raise NotThereError(f"found no output {outputs} of stack {given['stack']}, expected it; or give {flags}")
    if missing:
        raise ArgumentsError(f"found neither --stack nor {', '.join(missing)}, expected one or the other")
    generation = int(found.pop("stream_generation") or _FIRST_GENERATION)
    return Names(**{name: value or "" for name, value in found.items()}, stream_generation=generation)


def read_stack(name: str) -> dict[str, str]:
    """The names that a stack's outputs and parameters hold; NotThereError where there is no such stack."""
    outputs, parameters = describe_stack(name)
    found = {option: outputs[output] for option, output in OUTPUTS.items() if output in outputs}
    return found | {"stream_generation": parameters.get("StreamGeneration", "")}


def describe_stack(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """A stack's outputs and parameters by name; NotThereError where there is no such stack."""
    try:
        client = _reached(_session().client("cloudformation", config=_PATIENCE))
        stack = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("ValidationError", "AccessDenied"):
            raise NotThereError(f"found no stack {name} that may be read, expected one") from error
        raise
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    return outputs, {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
