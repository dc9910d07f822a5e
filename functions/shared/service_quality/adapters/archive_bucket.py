"""The archive: what was committed, in large immutable objects by date."""

import gzip
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.call_failures import failure_code, failure_of
from service_quality.commit.archive_objects import ArchiveObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_DIGEST_OF_NOTHING = "1B2M2Y8AsgTpgAmY7PhCfg=="


class ArchiveBucket:
    """An S3 bucket of gzipped JSON lines."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def check(self) -> None:
        """DeploymentError names the bucket that is missing or may not be written; nothing is written.

        S3 refuses content that its digest contradicts, after it has looked for bucket and permission.
        """
        try:
            self._s3.put_object(Bucket=self._bucket, Key="archive/check", Body=b"check", ContentMD5=_DIGEST_OF_NOTHING)
        except (ClientError, BotoCoreError) as error:
            if failure_code(error) != "BadDigest":
                raise failure_of(error, f"bucket {self._bucket}") from error

    def write(self, archived: ArchiveObject) -> None:
        """Put an object under its name; the same rows give the same bytes under the same name."""
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=archived.key,
                Body=gzip.compress(archived.lines, mtime=0),
                ContentType="application/x-ndjson",
            )
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"bucket {self._bucket}") from error
