"""Records that were rejected or parked, stored whole in S3 with reason and position."""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from service_quality.adapters.buckets.bucket import Bucket
from service_quality.events.identifiers import NO_SHOP
from service_quality.events.log_records import PARKED, Rejection
from service_quality.instants import format_instant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_OBJECT_BYTES = 8 * 1024 * 1024
REJECTED_FOLDER, PARKED_FOLDER = "rejected", "parked"


class RejectedStore:
    """One object of JSON lines per call, named by its content: the same records give the same object."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def check(self) -> None:
        """DeploymentError names the bucket that is missing or may not be written; nothing is written."""
        self._bucket.check("rejected")

    def put(self, rejections: Sequence[Rejection]) -> None:
        """Write the records, unchanged in base64, each on a line with its reason; without records nothing is written.

        Parked records have a folder of their own. An object of more than MAX_OBJECT_BYTES is split between lines; a
        longer line has an object of its own.
        """
        shops = {rejection.shop_id for rejection in rejections}
        shop_id = shops.pop() if len(shops) == 1 else NO_SHOP
        parked = [one for one in rejections if one.reason == PARKED]
        rejected = [one for one in rejections if one.reason != PARKED]
        for folder, found in ((PARKED_FOLDER, parked), (REJECTED_FOLDER, rejected)):
            for position, body in _bodies(found):
                key = rejected_key(shop_id, position, body, folder=folder)
                self._bucket.put(key, body, content_type="application/x-ndjson")


def rejected_key(shop_id: str, position: str, body: bytes, *, folder: str = REJECTED_FOLDER) -> str:
    """The key of an object whose first record is at a position; no shop and no position adds a segment.

    >>> rejected_key("shop/../1", "9", b"")
    'rejected/shop%2F..%2F1/9-e3b0c442.jsonl'
    """
    return f"{folder_of(shop_id, folder)}{_segment(position)}-{sha256(body).hexdigest()[:8]}.jsonl"


def folder_of(shop_id: str, folder: str) -> str:
    """The prefix of the keys of a shop's objects."""
    return f"{folder}/{_segment(shop_id)}/"


def _segment(name: str) -> str:
    segment = name.replace("%", "%25").replace("/", "%2F")
    return segment.replace(".", "%2E") if set(segment) == {"."} else segment


def _bodies(rejections: Sequence[Rejection]) -> Iterator[tuple[str, bytes]]:
    """The bodies of the objects, each with the position of its first record."""
    first, lines, size = "", list[bytes](), 0
    for rejection in rejections:
        line = _line(rejection)
        if lines and size + len(line) > MAX_OBJECT_BYTES:
            yield first, b"".join(lines)
            lines, size = [], 0
        first = first if lines else rejection.record.position
        lines.append(line)
        size += len(line)
    if lines:
        yield first, b"".join(lines)


def _line(rejection: Rejection) -> bytes:
    record = rejection.record
    form = {
        "shop_id": rejection.shop_id,
        "position": record.position,
        "reason": rejection.reason,
        "message": rejection.message,
        "arrived_at": format_instant(record.arrived_at),
        "raw_base64": b64encode(record.data).decode(),
    }
    return json.dumps(form, ensure_ascii=False).encode() + b"\n"
