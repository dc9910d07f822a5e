"""A bucket of S3 that is written into; its errors name the bucket."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_code, failure_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGEST_OF_NOTHING = "1B2M2Y8AsgTpgAmY7PhCfg=="


class Bucket:
    """One bucket; a failing call raises DeploymentError or DependencyError."""

    def __init__(self, s3: "S3Client", name: str) -> None:
        self._s3 = s3
        self._name = name

    def check(self, folder: str) -> None:
        """DeploymentError names the bucket that is missing or may not be written in a folder; nothing is written.

        S3 rejects content that its digest contradicts, after it has checked bucket and permission.
        """
        try:
            self._s3.put_object(Bucket=self._name, Key=f"{folder}/check", Body=b"check", ContentMD5=_DIGEST_OF_NOTHING)
        except (ClientError, BotoCoreError) as error:
            if failure_code(error) != "BadDigest":
                raise failure_of(error, f"bucket {self._name}") from error

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write one object."""
        try:
            self._s3.put_object(Bucket=self._name, Key=key, Body=body, ContentType=content_type)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"bucket {self._name}") from error
