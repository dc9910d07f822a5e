"""The archive: committed rows in large immutable objects by date."""

import gzip
from typing import TYPE_CHECKING

from service_quality.adapters.buckets.bucket import Bucket
from service_quality.commit.archive_objects import ArchiveObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ArchiveBucket:
    """An S3 bucket of gzipped JSON lines."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def check(self) -> None:
        """DeploymentError names the bucket that is missing or may not be written; nothing is written."""
        self._bucket.check("archive")

    def write(self, archived: ArchiveObject) -> None:
        """Put an object under its name; the same rows give the same bytes under the same name."""
        body = gzip.compress(archived.lines, mtime=0)
        self._bucket.put(archived.key, body, content_type="application/x-ndjson")
