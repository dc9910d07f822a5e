"""Rows of the outbox that could not leave, stored in S3 in the form with which their function is invoked again."""

import json
from typing import TYPE_CHECKING

from service_quality.adapters.buckets.bucket import Bucket
from service_quality.commit.inserted_rows import StreamRecord, row_name

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class UnsentRows:
    """One object per row of a kind; the same row gives the same object."""

    def __init__(self, s3: "S3Client", bucket: str, row_kind: str) -> None:
        self._bucket = Bucket(s3, bucket)
        self._folder = f"outbox/{row_kind}"

    def check(self) -> None:
        """DeploymentError names the bucket that is missing or may not be written; nothing is written."""
        self._bucket.check(self._folder)

    def put(self, record: StreamRecord, reason: str, message: str) -> None:
        """Write the record of the table's stream unchanged, with the reason why it could not leave."""
        form = {"reason": reason, "message": message, "Records": [record]}
        body = json.dumps(form, ensure_ascii=False).encode("utf-8", "surrogatepass")
        self._bucket.put(f"{self._folder}/{row_name(record)}.json", body, content_type="application/json")
