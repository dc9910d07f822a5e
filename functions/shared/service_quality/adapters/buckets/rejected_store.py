"""Records that were refused, kept whole in S3 with reason and position."""

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from service_quality.adapters.buckets.bucket import Bucket
from service_quality.events.log_records import Rejection
from service_quality.instants import format_instant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RejectedStore:
    """One object per refused record; the same record lands on the same object again."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def check(self) -> None:
        """DeploymentError names the bucket that is missing or may not be written; nothing is written."""
        self._bucket.check("rejected")

    def keep(self, rejection: Rejection) -> None:
        """Write the record, base64 as it came, with what was wrong with it."""
        record = rejection.record
        form = {
            "shop_id": rejection.shop_id,
            "position": record.position,
            "reason": rejection.reason,
            "message": rejection.message,
            "arrived_at": format_instant(record.arrived_at),
            "raw_base64": b64encode(record.data).decode(),
        }
        key, body = rejected_key(rejection.shop_id, record.position), json.dumps(form, ensure_ascii=False).encode()
        self._bucket.put(key, body, content_type="application/json")


def rejected_key(shop_id: str, position: str) -> str:
    """The object's key. A shop's id stays one segment of the path, whatever stands in it.

    >>> rejected_key("shop/../1", "9")
    'rejected/shop%2F..%2F1/9.json'
    """
    segment = shop_id.replace("%", "%25").replace("/", "%2F")
    if set(segment) == {"."}:
        segment = segment.replace(".", "%2E")
    return f"rejected/{segment}/{position}.json"
