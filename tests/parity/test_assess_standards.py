"""A log by the platform standards: what the job says, worked out by hand."""

import json
from typing import Any

import pytest

from service_quality.events.control_records import SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, MINUTE, SECOND, parse_instant
from spark_jobs import assess_standards
from spark_jobs.command_line import run_job
from tests.parity.archive_folder import write_archive
from tests.properties.online_run import new_store, new_worker
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import KEY

pytestmark = pytest.mark.spark

MORNING = parse_instant("2026-11-23T10:00:00+08:00")
#: Each contact: when it begins, its customer, and after how long it is answered (None: never).
CONTACTS = (
    *((number * MINUTE, f"in time {number}", 2 * MINUTE) for number in range(95)),
    *((HOUR + number * SECOND, f"late {number}", 4 * MINUTE) for number in range(15)),
    (2 * HOUR, "patient", 20 * SECOND),
    (2 * HOUR + 5 * MINUTE, "patient", 25 * SECOND),
    (3 * HOUR, "alone", None),
    (-3 * HOUR, "early", 1 * SECOND),
)
LAST = DAY


def events() -> list[InteractionEvent]:
    found = []
    for number, (begins, customer, waits) in enumerate(CONTACTS):
        of_contact = {"conversation_id": f"c{number}", "customer_id": customer}
        found.append(event(f"q{number}", "customer_message", MORNING + begins, **of_contact))
        if waits is not None:
            found.append(event(f"a{number}", "agent_message", MORNING + begins + waits, **of_contact))
    found.append(event("last", "internal_note", MORNING + LAST, conversation_id="c0"))
    return sorted(found, key=lambda one: one.occurred_at)


def event(event_id: str, kind: str, at: int, **given: Any) -> InteractionEvent:
    return InteractionEvent(event_id=event_id, shop_id="shop", kind=kind, occurred_at=at, received_at=at, **given)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The archive of a shop with a policy whose pauses and limits are no concern of the platforms."""
    policy = json.dumps({"revision": "a", "valid_from": "2026-01-01T00:00:00Z", "on_time_within": "PT1S"}).encode()
    data = [sign_control(SettingsChanged(shop_id="shop", document=policy), KEY, issued_at=MORNING - DAY)]
    data += [event_to_json(one) for one in events()]
    store = new_store()
    records = [LogRecord(str(Position(1, number)), one, MORNING + LAST) for number, one in enumerate(data)]
    new_worker(store, FEATURES, ()).advance_shop("shop", records)
    return write_archive(tmp_path_factory.mktemp("served") / "archive", archive_links(store.rows, "shop"))


def test_standards_are_assessed_from_the_log(archive, tmp_path, capsys):
    summary = tmp_path / "summary.json"

    code = run_job(assess_standards.main, [str(archive), "--lake", str(tmp_path / "lake"), "--json", str(summary)])

    said = capsys.readouterr()
    found = {one["standard"]: one for one in json.loads(summary.read_text("utf-8"))["assessed"]}
    assert code == 0, said.err
    taobao, pinduoduo, jd = (found[name] for name in ("taobao_tmall_3_minutes", "pinduoduo_3_minutes", "jd_30_seconds"))
    assert (taobao["rounds"], taobao["on_time"], taobao["permille"], taobao["state"]) == (113, 97, 858, "missed")
    assert taobao["rounds_to_target"] == 47  # (97 + n) / (113 + n) >= 0.9
    assert taobao["days"] == [{"day": "2026-11-23", "rounds": 113, "on_time": 97}]
    assert (pinduoduo["rounds"], pinduoduo["on_time"], pinduoduo["state"]) == (112, 96, "no_target")
    assert (jd["rounds"], jd["on_time"]) == (112, 1)
    assert "shop: taobao_tmall_3_minutes until 2026-11-24: 85.8 % of 113 rounds in time: misses the target of 90 %" in (
        said.out
    )
    assert "47 rounds in time, one after another, reach it" in said.out


def test_unknown_standard_is_named(archive, capsys):
    assert run_job(assess_standards.main, [str(archive), "--standard", "amazon"]) == 2
    assert "found 'amazon', expected one of taobao_tmall_3_minutes" in capsys.readouterr().err
