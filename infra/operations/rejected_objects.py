"""The rejected bucket as it is read and cleared: objects of rejected records, each line one record."""

import json
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from infra.operations.errors import OperationsError, UnreadableObjectError
from service_quality.adapters.buckets.rejected_store import rejected_key
from service_quality.commit.put_back import RejectedRecord
from service_quality.instants import parse_instant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Held = TypeVar("Held")
Unreadable = Callable[[UnreadableObjectError], object]

_MOST_HELD = 4  # objects in memory at once, of some eight megabytes each
_MOST_DELETED = 1000  # keys that one call deletes


class RejectedObject(NamedTuple):
    """An object of the bucket, and when it was written last."""

    key: str
    modified: datetime


class RejectedLine(NamedTuple):
    """A record, why it was rejected, and the line that holds it."""

    record: RejectedRecord
    message: str
    line: bytes


@dataclass(frozen=True, slots=True)
class RejectedObjects:
    """Objects of the rejected bucket."""

    s3: "S3Client"
    bucket: str

    def below(self, prefix: str) -> Iterator[RejectedObject]:
        """Objects below a prefix, in the order of their keys."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield RejectedObject(found["Key"], found["LastModified"])

    def folders(self, prefix: str) -> list[str]:
        """The prefixes one level below a prefix that ends in a slash: a shop each."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
        return [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]

    def body(self, key: str) -> bytes | None:
        """An object's content; None when it is gone, since another run put it back."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise

    def readable(self, key: str, read: Callable[[str, bytes], Held], unreadable: Unreadable) -> Iterator[Held]:
        """The content of an object as `read` returns it; nothing for one that is gone or unreadable.

        `read` takes the key and the content, `unreadable` the error of an unreadable object.
        """
        body = self.body(key)
        if body is None:
            return
        try:
            held = read(key, body)
        except UnreadableObjectError as error:
            unreadable(error)
        else:
            yield held

    def lines(self, key: str) -> list[RejectedLine]:
        """The records of an object; UnreadableObjectError for a line that is no rejected record."""
        return read_lines(key, self.body(key) or b"")

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is gone counts as deleted."""
        left = list(keys)
        for first in range(0, len(left), _MOST_DELETED):
            named = [{"Key": key} for key in left[first : first + _MOST_DELETED]]
            answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": named, "Quiet": True})  # type: ignore[typeddict-item]
            if errors := answer.get("Errors"):
                raise OperationsError(f"found {errors[0].get('Code')} while deleting, expected {len(named)} deleted")

    def leave_only(self, key: str, left: Sequence[RejectedLine]) -> None:
        """Leave only these lines of an object: they are stored under a name of their content, then the old one goes."""
        if left:
            body = b"".join(one.line + b"\n" for one in left)
            first = left[0].record
            folder = key.rpartition("/")[0]
            renamed = f"{folder}/{rejected_key(first.shop_id, first.position, body).rpartition('/')[2]}"
            self.s3.put_object(Bucket=self.bucket, Key=renamed, Body=body, ContentType="application/x-ndjson")
            if renamed == key:
                return
        self.delete([key])


def read_lines(key: str, body: bytes) -> list[RejectedLine]:
    """The records in the object of this key; UnreadableObjectError for a line that is no rejected record."""
    return [_read_line(line, key) for line in body.splitlines()]


def in_order(objects: RejectedObjects, wanted: Sequence[RejectedObject]) -> Iterator[RejectedRecord]:
    """The records of objects by position, each position once.

    Two readings: the first holds positions alone, the second a few objects at a time.
    """
    places: dict[str, int] = {}
    for number, one in enumerate(wanted):
        for line in objects.lines(one.key):
            places.setdefault(line.record.position, number)
    held: OrderedDict[int, dict[str, RejectedRecord]] = OrderedDict()
    for position in sorted(places):
        number = places[position]
        if number not in held:
            held[number] = {line.record.position: line.record for line in objects.lines(wanted[number].key)}
            while len(held) > _MOST_HELD:
                held.popitem(last=False)
        if position in held[number]:
            yield held[number][position]


def _read_line(line: bytes, key: str) -> RejectedLine:
    try:
        form = json.loads(line)
        record = RejectedRecord(
            shop_id=form["shop_id"],
            position=form["position"],
            reason=form["reason"],
            arrived_at=parse_instant(form["arrived_at"]),
            data=b64decode(form["raw_base64"], validate=True),
        )
        words = (record.shop_id, record.position, record.reason, form["message"])
        if not all(isinstance(word, str) for word in words):
            raise TypeError
        return RejectedLine(record, form["message"], line)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableObjectError(
            f"{key}: found a line that is no rejected record, expected one ({type(error).__name__})"
        ) from None
