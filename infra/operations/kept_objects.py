"""The rejected bucket as it is read and cleared: objects of kept records, each line one record."""

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
from service_quality.commit.put_back import KeptRecord
from service_quality.instants import parse_instant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Held = TypeVar("Held")
Unreadable = Callable[[UnreadableObjectError], object]

_MOST_HELD = 4  # objects in memory at once, of some eight megabytes each
_MOST_DELETED = 1000  # keys that one call deletes


class KeptObject(NamedTuple):
    """An object of the bucket, and when it was written last."""

    key: str
    modified: datetime


class KeptLine(NamedTuple):
    """A record, why it is kept, and the line that holds it."""

    record: KeptRecord
    message: str
    line: bytes


@dataclass(frozen=True, slots=True)
class KeptObjects:
    """Objects of the rejected bucket."""

    s3: "S3Client"
    bucket: str

    def below(self, prefix: str) -> Iterator[KeptObject]:
        """Objects below a prefix, in the order of their keys."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                yield KeptObject(found["Key"], found["LastModified"])

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
        """What an object holds; nothing of one that is gone, or that `read` finds unreadable: `unreadable` hears of it.

        `read` takes the key and the content.
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

    def lines(self, key: str) -> list[KeptLine]:
        """The records of an object; UnreadableObjectError for a line that is no kept record."""
        return read_lines(key, self.body(key) or b"")

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is gone counts as deleted."""
        left = list(keys)
        for first in range(0, len(left), _MOST_DELETED):
            named = [{"Key": key} for key in left[first : first + _MOST_DELETED]]
            answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": named, "Quiet": True})  # type: ignore[typeddict-item]
            if errors := answer.get("Errors"):
                raise OperationsError(f"found {errors[0].get('Code')} while deleting, expected {len(named)} deleted")

    def keep_only(self, key: str, left: Sequence[KeptLine]) -> None:
        """Leave these lines of an object and no others: under a name of their content, before the old one goes."""
        if left:
            body = b"".join(one.line + b"\n" for one in left)
            first = left[0].record
            folder = key.rpartition("/")[0]
            renamed = f"{folder}/{rejected_key(first.shop_id, first.position, body).rpartition('/')[2]}"
            self.s3.put_object(Bucket=self.bucket, Key=renamed, Body=body, ContentType="application/x-ndjson")
            if renamed == key:
                return
        self.delete([key])


def read_lines(key: str, body: bytes) -> list[KeptLine]:
    """The records in the object of this key; UnreadableObjectError for a line that is no kept record."""
    return [_read_line(line, key) for line in body.splitlines()]


def in_order(objects: KeptObjects, wanted: Sequence[KeptObject]) -> Iterator[KeptRecord]:
    """The records of objects by position, each position once.

    Two readings: the first holds positions alone, the second a few objects at a time.
    """
    places: dict[str, int] = {}
    for number, one in enumerate(wanted):
        for line in objects.lines(one.key):
            places.setdefault(line.record.position, number)
    held: OrderedDict[int, dict[str, KeptRecord]] = OrderedDict()
    for position in sorted(places):
        number = places[position]
        if number not in held:
            held[number] = {line.record.position: line.record for line in objects.lines(wanted[number].key)}
            while len(held) > _MOST_HELD:
                held.popitem(last=False)
        if position in held[number]:
            yield held[number][position]


def _read_line(line: bytes, key: str) -> KeptLine:
    try:
        form = json.loads(line)
        record = KeptRecord(
            shop_id=form["shop_id"],
            position=form["position"],
            reason=form["reason"],
            arrived_at=parse_instant(form["arrived_at"]),
            data=b64decode(form["raw_base64"], validate=True),
        )
        words = (record.shop_id, record.position, record.reason, form["message"])
        if not all(isinstance(word, str) for word in words):
            raise TypeError
        return KeptLine(record, form["message"], line)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableObjectError(
            f"{key}: found a line that is no kept record, expected one ({type(error).__name__})"
        ) from None
