"""Reached stages in the file of a replay: they stay before the events that they stand before, and are signed."""

import json

import pytest

from infra.local.errors import ReplayError
from infra.local.replaying import Signed, events_among, read_events, read_records, sign_stages
from service_quality.events.control_records import control_to_dict
from service_quality.events.event_forms import event_to_json
from service_quality.events.parsing import parse_record
from service_quality.events.time_reached import TimeReached
from service_quality.instants import MINUTE, parse_instant
from tests.unit.core.sample_events import NOON, event

ASKED, LATER = event("customer_message", 0), event("internal_note", 60 * MINUTE)
ELSEWHERE = event("internal_note", 40 * MINUTE, shop_id="other")
REACHED = TimeReached(
    shop_id="shop", conversation_id="c1", round=1, turn=1, stage="waiting_ms:1800000", due_at=NOON + 30 * MINUTE
)
LINE = json.dumps(control_to_dict(REACHED)).encode()


def written(tmp_path, *lines: bytes):
    path = tmp_path / "replay.jsonl"
    path.write_bytes(b"\n".join(lines))
    return path


def test_stage_stays_before_the_next_event_of_its_shop_however_the_file_is_sorted(tmp_path):
    ordered = [*map(event_to_json, (ASKED,)), LINE, *map(event_to_json, (ELSEWHERE, LATER))]
    shuffled = [LINE, event_to_json(LATER), event_to_json(ELSEWHERE), event_to_json(ASKED)]

    for lines in (ordered, shuffled):
        records = read_records(written(tmp_path, *lines))
        own = [one.event_id for one in records if one.shop_id == "shop"]
        assert own == [ASKED.event_id, REACHED.event_id, LATER.event_id]
        assert len(events_among(records)) == len(read_events(tmp_path / "replay.jsonl")) == 3


def test_stage_behind_the_last_event_stays_there(tmp_path):
    records = read_records(written(tmp_path, event_to_json(ASKED), LINE))

    assert [type(one) for one in records] == [type(ASKED), TimeReached]


def test_stage_is_signed_as_the_deployment_signs(tmp_path):
    records = read_records(written(tmp_path, event_to_json(ASKED), LINE))

    _, signed = sign_stages(records, b"key")

    assert isinstance(signed, Signed)
    issued_at = parse_instant(json.loads(signed.data)["issued_at"])
    assert parse_record(signed.data, arrived_at=issued_at, shop_id="shop", key=lambda: b"key") == REACHED


def test_stage_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ReplayError, match=r"replay\.jsonl, line 2: "):
        read_records(written(tmp_path, event_to_json(ASKED), b'{"kind":"time_reached","shop_id":"shop"}'))
