"""What the archive says became of the records that were put on the stream."""

import gzip
import json
from io import BytesIO
from types import SimpleNamespace
from typing import Any

from infra.local.archive import ArchivedSequences, explain_left_out
from service_quality.events.positions import Position


def at(number: int) -> str:
    return str(Position(1, number))


ROWS: list[dict[str, object]] = [
    {"entries": [{"position": at(1), "event": {"event_id": "a"}}, {"position": at(2), "duplicate": True}]},
    {"entries": [{"position": at(3), "rejected": "older_than_retention", "field": "occurred_at"}]},
]


class OneObject:
    """A bucket with one object of these rows."""

    def get_paginator(self, name):
        return SimpleNamespace(paginate=lambda **asked: [{"Contents": [{"Key": "archive/one"}]}])

    def get_object(self, **asked):
        lines = "\n".join(map(json.dumps, ROWS))
        return {"Body": BytesIO(gzip.compress(lines.encode()))}


def test_records_that_were_not_taken_are_known_by_their_reason():
    cloud: Any = SimpleNamespace(s3=OneObject())
    archived = ArchivedSequences(cloud, "bucket")

    archived.look()
    archived.look()

    assert len(archived.numbers) == 3
    assert sorted(archived.left_out.values()) == ["duplicate", "older_than_retention"]
    assert explain_left_out(archived.left_out.values()) == "1 duplicate, 1 rejected as older_than_retention"
    assert explain_left_out([]) == ""
