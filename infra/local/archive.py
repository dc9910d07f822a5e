"""The archive's rows in their bucket, read object by object, each object once."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.cloud import Cloud
from service_quality.events.positions import sequence_of

PREFIX = "archive/"
DUPLICATE = "duplicate"


def read_archive_rows(cloud: Cloud, bucket: str) -> Iterator[dict[str, Any]]:
    """Every row of every object, in the order of their names; a row written twice comes twice."""
    for key in list_objects(cloud, bucket):
        yield from read_object(cloud, bucket, key)


def list_objects(cloud: Cloud, bucket: str, prefix: str = PREFIX) -> list[str]:
    """The keys below a prefix, in order."""
    pages = cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def read_object(cloud: Cloud, bucket: str, key: str) -> list[dict[str, Any]]:
    """The rows of one object."""
    body = cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


@dataclass
class ArchivedSequences:
    """The sequence numbers that the archive holds, known from the objects seen so far.

    `left_out` says of those that the fold did not take why: rejected for a reason, or a duplicate.
    """

    cloud: Cloud
    bucket: str
    numbers: set[int] = field(default_factory=set)
    left_out: dict[int, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Read the objects that have come since the last look; objects never change."""
        for key in list_objects(self.cloud, self.bucket):
            if key in self._seen:
                continue
            for row in read_object(self.cloud, self.bucket, key):
                for entry in row["entries"]:
                    self._note(sequence_of(entry["position"]), entry)
            self._seen.add(key)

    def _note(self, number: int, entry: Mapping[str, Any]) -> None:
        self.numbers.add(number)
        if entry.get("duplicate"):
            self.left_out[number] = DUPLICATE
        elif "rejected" in entry:
            self.left_out[number] = entry["rejected"]


def explain_left_out(reasons: Iterable[str]) -> str:
    """What the fold did not take, by reason; empty where it took everything.

    >>> explain_left_out(["duplicate", "older_than_retention", "duplicate"])
    '2 duplicates, 1 rejected as older_than_retention'
    """
    counts = Counter(reasons)
    said = [f"{counts[DUPLICATE]} duplicate{'s' if counts[DUPLICATE] > 1 else ''}"] if counts[DUPLICATE] else []
    others = sorted((reason, count) for reason, count in counts.items() if reason != DUPLICATE)
    return ", ".join([*said, *(f"{count} rejected as {reason}" for reason, count in others)])
