"""Records put many in a call: signed, under their shops' keys, again where the stream refused some."""

import json
import time
from typing import Any

import pytest

from service_quality.errors import DependencyError
from service_quality.events.control_parsing import parse_control
from service_quality.events.control_signatures import is_signed
from service_quality.events.finding_reported import FindingReported
from service_quality.instants import DAY, parse_instant
from spark_jobs.backfill.writing import put_many_control_records
from tests.stand_ins.control import KEY

AS_OF = parse_instant("2025-03-03T00:00:00Z")
FINDINGS = [
    FindingReported(
        shop_id=f"shop {number % 2}",
        finding="churn",
        subject_kind="customer",
        subject_id=f"customer {number}",
        as_of=AS_OF,
        valid_until=AS_OF + 8 * DAY,
        values={"churn_score": 0.75, "customer_overdue_365d": None},
        score=0.75,
        model_version="v1",
        reasons=(("customer_overdue_365d", None, 0.5),),
    )
    for number in range(501)
]


class Stream:
    """A stream that refuses the last record of its first calls."""

    def __init__(self, refusals: int) -> None:
        self.refusals, self.calls, self.taken = refusals, [], []  # type: ignore[var-annotated]

    def put_records(self, *, StreamName: str, Records: list[dict]) -> dict:
        assert StreamName == "events"
        self.calls.append(len(Records))
        refused = 1 if len(self.calls) <= self.refusals else 0
        taken = Records[: len(Records) - refused]
        self.taken += taken
        return {"Records": [{"SequenceNumber": "1"}] * len(taken) + [{"ErrorCode": "Throttled"}] * refused}


def put(refusals: int, monkeypatch: pytest.MonkeyPatch) -> Stream:
    stream = Stream(refusals)
    monkeypatch.setattr("spark_jobs.backfill.writing.boto3.client", lambda name: stream)
    monkeypatch.setattr("spark_jobs.backfill.writing.time.sleep", lambda seconds: None)
    put_many_control_records("events", FINDINGS, KEY)
    return stream


def test_every_finding_is_on_its_shops_log_signed_and_readable(monkeypatch):
    stream = put(0, monkeypatch)

    forms: list[dict[str, Any]] = [json.loads(record["Data"]) for record in stream.taken]
    assert stream.calls == [500, 1]
    assert all(is_signed(form, KEY) for form in forms)
    assert [record["PartitionKey"] for record in stream.taken] == [form["shop_id"] for form in forms]
    now = time.time_ns() // 1_000_000
    assert [parse_control(form, arrived_at=now, key=lambda: KEY) for form in forms] == FINDINGS


def test_refused_record_is_put_again_alone(monkeypatch):
    stream = put(2, monkeypatch)

    assert stream.calls == [500, 1, 1, 1]
    assert len(stream.taken) == 501


def test_stream_that_keeps_refusing_is_said(monkeypatch):
    with pytest.raises(DependencyError, match="events did not take 1 records in 8 attempts"):
        put(100, monkeypatch)
