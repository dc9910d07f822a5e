"""A release with another fold is deployed to the embedded AWS while events flow, shops are rebuilt, it is taken back
and deployed again: no event is lost or folded twice, and state and alerts equal those of an undisturbed run."""

import json
import os
from base64 import b64encode
from collections import Counter
from operator import itemgetter
from pathlib import Path

import pytest

from infra.local.cloud import for_embedded
from infra.local.deployment import STACK, deploy
from infra.local.emulator import Emulator
from service_quality.events.event_forms import event_to_json
from service_quality.facts.conversation_fold import FOLD_VERSION
from service_quality.features.feature_set import FEATURES
from tests.integration.line_days import SHOPS, Day, entries_of, read_alerts, read_state
from tests.integration.releases import CHANGED, ReleaseJobs, Releases

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.long]


def rebuild(day: Day, jobs: ReleaseJobs, folder: Path) -> list[str]:
    """The shops that the job rebuilt; what waited is put back."""
    outputs, summary = day.outputs, folder / "rebuilt.json"
    jobs.run(
        "spark_jobs", "rebuild_state", "--archive", f"s3a://{outputs['ArchiveBucketName']}/archive",
        "--state-table", outputs["StateTableName"], "--alerts-table", outputs["AlertsTableName"],
        "--event-stream", outputs["EventStreamName"], "--control-key-secret", outputs["ControlKeySecretArn"],
        "--lake", folder / "lake", "--json", summary,
    )  # fmt: skip
    jobs.run("infra.operations", "put-back", "--stack", STACK, "--reason", "parked")
    shops: list[str] = json.loads(summary.read_text("utf-8"))["shops"]
    return shops


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Day:
    folder = tmp_path_factory.mktemp("fold")
    with Emulator(folder / "emulator") as emulator:
        day = Day(emulator.cloud, deploy(emulator))
        environment = for_embedded(os.environ, emulator.endpoint)
        changed = ReleaseJobs(CHANGED, folder, environment)
        sound = ReleaseJobs({}, folder / "sound", environment)
        releases = Releases(day.cloud, day.outputs)
        releases.promote("good", bias=1.5)
        assert day.await_folded(day.send("first", count=12))
        releases.deploy("changed", CHANGED)
        day.send("waiting", count=6)
        for shop in SHOPS:
            day.await_set_aside(shop, "parked", 6)
        day.seen["rebuilt"] = rebuild(day, changed, folder)
        assert day.await_folded(day.send("changed", count=8))
        releases.take_back()
        day.send("back", count=4)
        for shop in SHOPS:
            day.await_set_aside(shop, "parked", 4)
        sound.run("infra.operations", "rebuild", "--stack", STACK, "--lake", folder / "lake")
        assert day.await_folded(day.send("sound", count=4))
        releases.deploy("changed", CHANGED)
        day.send("again", "north", count=2)
        day.await_set_aside("north", "parked", 2)
        day.seen["rebuilt again"] = rebuild(day, changed, folder)
        assert day.await_folded(day.send("last", count=8))
        assert day.await_folded(day.sent)
        day.seen |= {"rows": day.rows(), "set aside": day.set_aside()}
        day.seen["entries"] = entries_of(day.seen["rows"])
        checked, compared = folder / "checked.json", folder / "compared.json"
        archive = f"s3a://{day.outputs['ArchiveBucketName']}/archive"
        changed.run("spark_jobs", "check_consistency", archive, "--lake", folder / "lake", "--json", checked)
        positions = {one["event"]["event_id"]: one["position"] for one in events_of(day)}
        given = {
            "events": [
                event_to_json(event).decode() for event in sorted(day.sent, key=lambda one: positions[one.event_id])
            ],
            "state": {key: data.hex() for key, data in read_state(day).items()},
            "alerts": read_alerts(day),
        }
        changed.run("tests.integration.undisturbed", compared, given=json.dumps(given).encode())
        day.seen |= {"checked": json.loads(checked.read_text("utf-8"))}
        day.seen |= {"compared": json.loads(compared.read_text("utf-8"))}
    return day


def events_of(day: Day) -> list[dict]:
    return [one for one in day.seen["entries"] if "event_id" in one.get("event", {})]


def test_every_event_is_folded_once_and_nothing_stays_set_aside(day):
    assert Counter(one["event"]["event_id"] for one in events_of(day)) == Counter(one.event_id for one in day.sent)
    assert day.seen["set aside"] == []


def test_every_shop_is_rebuilt_with_each_release(day):
    assert day.seen["rebuilt"] == day.seen["rebuilt again"] == sorted(SHOPS)
    rows = sorted(day.seen["rows"], key=itemgetter("follows"))
    for shop in SHOPS:
        of_shop = [row["fold_version"] for row in rows if row["shop_id"] == shop]
        assert [one for one, before in zip(of_shop, ["", *of_shop], strict=False) if one != before] == [
            FOLD_VERSION, "900", FOLD_VERSION, "900",
        ]  # fmt: skip


def test_what_a_release_served_equals_what_its_code_recomputes(day):
    checked = day.seen["checked"]

    assert (checked["chain"], checked["differing"]) == ("whole", {})
    assert checked["compared"] > 43 * 50
    assert checked["of_other_folds"] > 20


def test_state_and_alerts_equal_those_of_an_undisturbed_run(day):
    compared = day.seen["compared"]

    assert (compared["differing"], compared["differing_alerts"]) == ([], [])
    assert compared["histories"] > 10
    assert compared["alerts"] > 3


def test_every_event_was_scored(day):
    scored = [one for one in events_of(day) if "vector" in one]

    assert len(scored) == len(day.sent)
    assert {len(one["vector"]) for one in scored} == {len(b64encode(b"0000" * len(FEATURES.names)))}
