"""One archive row as entries of the lake's log, and which lines are second copies."""

import json
from datetime import date

import pytest

from service_quality.commit.shop_buckets import shop_bucket
from service_quality.events.event_forms import event_to_dict
from service_quality.events.interaction_event import InteractionEvent
from service_quality.instants import DAY, parse_instant
from spark_jobs.errors import InputError
from spark_jobs.logs.archive_fold import ArchiveObject, _entries, _Head, _second_copies, in_pieces

NOON = parse_instant("2025-03-03T12:00:00Z")
BUCKET = shop_bucket("shop")


def line(*entries: dict, bucket: int = BUCKET) -> dict:
    row = {"shop_id": "shop", "follows": "1", "last": "9", "fold_version": "3", "fingerprint": "f", "entries": entries}
    return {
        "object": f"date=2025-03-02/bucket={bucket:02d}/a",
        "value": json.dumps(row),
        "row_hash": "h",
        "bucket": bucket,
    }


def event_at(received_at: int, position: str) -> dict:
    event = InteractionEvent(
        event_id=position,
        shop_id="shop",
        kind="page_viewed",
        occurred_at=received_at,
        received_at=received_at,
        customer_id="zoe",
    )
    return {"position": position, "event": event_to_dict(event), "clock": received_at}


def days_of(*entries: dict) -> list[str]:
    start = date(1970, 1, 1).toordinal()
    return [date.fromordinal(start + entry["received_day"]).isoformat() for entry in _entries(line(*entries))]


def test_entry_without_an_arrival_has_the_day_of_the_event_before_it_else_of_the_first():
    rejected = {"position": "0", "rejected": "malformed_json", "field": ""}

    assert days_of(rejected, event_at(NOON, "2"), event_at(NOON + DAY, "3"), {"position": "4", "duplicate": True}) == [
        "2025-03-03",
        "2025-03-03",
        "2025-03-04",
        "2025-03-04",
    ]


def test_row_without_any_event_has_the_date_of_its_object():
    assert days_of({"position": "2", "rejected": "malformed_json", "field": ""}) == ["2025-03-02"]


def test_entry_holds_the_link_of_its_row():
    (entry,) = _entries(line({"position": "2", "duplicate": True}))

    assert [entry[name] for name in ("row_follows", "row_last", "row_entries", "row_hash", "fold_version")] == [
        "1", "9", 1, "h", "3"
    ]  # fmt: skip


def test_row_of_a_shop_of_another_bucket_is_refused():
    with pytest.raises(InputError, match=f"found a row of bucket {BUCKET} in date=2025-03-02/bucket=00/a"):
        list(_entries(line(bucket=0)))


def test_second_copy_is_a_known_line_or_one_that_an_earlier_object_holds():
    heads = {_Head("b", "1", 0, ""), _Head("a", "1", 0, ""), _Head("a", "2", 0, ""), _Head("b", "3", 0, "")}

    assert _second_copies(heads, {"3"}) == {("b", "1"), ("b", "3")}


def test_pieces_hold_every_object_once_in_order():
    objects = [ArchiveObject(f"{number:05d}", 1) for number in range(11_000)]

    pieces = list(in_pieces(objects))

    assert [one for piece in pieces for one in piece] == objects
    assert [len(piece) for piece in pieces] == [5_000, 5_000, 1_000]
