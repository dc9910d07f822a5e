"""One secret of Secrets Manager."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_of
from service_quality.errors import DeploymentError

if TYPE_CHECKING:
    from botocore.client import BaseClient


def read_secret(secrets: "BaseClient", arn: str) -> bytes:
    """The secret's bytes; DeploymentError names a secret that is missing, forbidden or empty."""
    try:
        answer = secrets.get_secret_value(SecretId=arn)  # type: ignore[attr-defined]  # made by botocore at run time
    except (ClientError, BotoCoreError) as error:
        raise failure_of(error, f"secret {arn}") from error
    value: bytes = answer.get("SecretBinary") or answer.get("SecretString", "").encode()
    if not value:
        raise DeploymentError(f"found nothing in secret {arn}, expected its bytes")
    return value
