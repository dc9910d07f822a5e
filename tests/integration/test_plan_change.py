"""A release that serves more features is deployed to the embedded AWS while events flow, what it lacks of the past is
filled in, it is taken back and deployed again: no event is lost, and every value equals that of an undisturbed run."""

import json
import math
import os
import time
from base64 import b64decode
from collections import Counter, defaultdict
from operator import itemgetter
from pathlib import Path

import pytest

from infra.local.cloud import for_embedded
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from service_quality.events.event_forms import event_to_json
from service_quality.features.feature_set import FEATURES
from tests.integration.line_days import Day, entries_of, read_alerts, read_messages, read_state
from tests.integration.releases import ADDED_RULE, LARGER, ReleaseJobs, Releases

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.long]

MOST_SECONDS = 60
NEW_FEATURES = ("agent_second_replies_1d", "agent_replies_2h", "tenure_slow_rate_2h", "shop_contacts_90d")


def fill(day: Day, jobs: ReleaseJobs, folder: Path) -> dict[str, int]:
    """What the job filled in, as its summary says: columns by shop."""
    outputs, summary = day.outputs, folder / "filled.json"
    jobs.run(
        "spark_jobs", "materialize_histories", "--as-of", "2025-03-04", "--lake", folder / "lake",
        "--archive", f"s3a://{outputs['ArchiveBucketName']}/archive", "--state-table", outputs["StateTableName"],
        "--alerts-table", outputs["AlertsTableName"],
        "--event-stream", outputs["EventStreamName"], "--control-key-secret", outputs["ControlKeySecretArn"],
        "--json", summary,
    )  # fmt: skip
    filled: dict[str, int] = json.loads(summary.read_text("utf-8"))["filled"]
    return filled


def serve(day: Day, name: str, count: int) -> None:
    """Send so many events, and note how long it takes until the last of them is in the archive."""
    began = time.monotonic()
    assert day.await_folded(day.send(name, count=count))
    day.seen["delays"][name] = time.monotonic() - began


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Day:
    folder = tmp_path_factory.mktemp("plan")
    with Emulator(folder / "emulator") as emulator:
        day = Day(emulator.cloud, deploy(emulator))
        day.seen["delays"] = {}
        jobs = ReleaseJobs(LARGER, folder, for_embedded(os.environ, emulator.endpoint))
        world = "--shops 1 --new-shops 0 --days 3 --contacts-per-day 4 --seed 1 --start 2025-03-03".split()
        jobs.run("spark_jobs", "generate_shop", *world, "--lake", folder / "lake")
        releases = Releases(day.cloud, day.outputs)
        releases.promote("good", bias=1.5)
        serve(day, "first", 12)
        before, sent_at = day.send("before", count=8), time.monotonic()
        releases.deploy("larger", LARGER)
        serve(day, "larger", 12)
        assert day.await_folded(before)
        day.seen["delays"]["before"] = time.monotonic() - sent_at
        day.seen["filled"] = fill(day, jobs, folder)
        serve(day, "filled", 12)
        releases.take_back()
        serve(day, "back", 8)
        releases.deploy("larger", LARGER)
        serve(day, "again", 8)
        day.seen["filled again"] = fill(day, jobs, folder)
        serve(day, "last", 12)
        day.seen |= {"rows": day.rows(), "set aside": day.set_aside(), "said": read_messages(day)}
        day.seen["entries"] = entries_of(day.seen["rows"])
        checked, compared = folder / "checked.json", folder / "compared.json"
        archive = f"s3a://{day.outputs['ArchiveBucketName']}/archive"
        jobs.run("spark_jobs", "check_consistency", archive, "--lake", folder / "lake", "--json", checked)
        state = {key: data.hex() for key, data in read_state(day).items()}
        in_order = sorted(day.sent, key=lambda event: folded_at(day, event.event_id))
        given = {
            "events": [event_to_json(event).decode() for event in in_order],
            "state": state,
            "alerts": read_alerts(day),
        }
        jobs.run("tests.integration.undisturbed", compared, given=json.dumps(given).encode())
        day.seen |= {"checked": json.loads(checked.read_text("utf-8"))}
        day.seen |= {"compared": json.loads(compared.read_text("utf-8"))}
    return day


def folded_at(day: Day, event_id: str) -> str:
    """The position of an event on its shop's log."""
    if "positions" not in day.seen:
        entries = [one for one in day.seen["entries"] if "event_id" in one.get("event", {})]
        day.seen["positions"] = {one["event"]["event_id"]: one["position"] for one in entries}
    position: str = day.seen["positions"][event_id]
    return position


def test_every_event_is_folded_once_and_nothing_is_set_aside(day):
    folded = Counter(one["event"]["event_id"] for one in day.seen["entries"] if "event_id" in one.get("event", {}))

    assert folded == Counter(event.event_id for event in day.sent)
    assert day.seen["set aside"] == []


def test_no_event_is_delayed_beyond_a_minute(day):
    late = {name: seconds for name, seconds in day.seen["delays"].items() if seconds > MOST_SECONDS}

    assert len(day.seen["delays"]) == 7
    assert late == {}


def test_the_old_model_scores_events_of_every_release(day):
    scored = [one for one in day.seen["entries"] if "vector" in one]

    assert {one["model"] for one in scored} == {"good"}
    assert {len(one["vector"]) for one in scored} == {_width(len(FEATURES.names)), _width(len(FEATURES.names) + 4)}


def test_past_of_every_new_column_is_filled_in_for_every_shop(day):
    for filled in (day.seen["filled"], day.seen["filled again"]):
        assert filled == dict.fromkeys(("north", "south", "east"), 5)


def test_served_equals_recomputed_whatever_was_deployed(day):
    checked = day.seen["checked"]

    assert (checked["chain"], checked["differing"]) == ("whole", {})
    assert checked["compared"] > 43 * 100


def test_state_equals_that_of_a_run_in_which_everything_counted_from_the_start(day):
    assert day.seen["compared"]["differing"] == []
    assert day.seen["compared"]["histories"] > 10


def test_alerts_equal_those_of_a_run_in_which_everything_counted_from_the_start(day):
    differing = [key for key in day.seen["compared"]["differing_alerts"] if key.split("|")[1] != ADDED_RULE]

    assert differing == []
    assert day.seen["compared"]["alerts"] > 0


def test_added_rule_speaks_with_its_release_alone(day):
    said = {alert["event_id"].partition("-")[0] for alert in day.seen["said"] if alert["kind"] == ADDED_RULE}

    assert said & {"larger", "filled", "again", "last"}
    assert not said & {"first", "back"}


def test_new_features_are_missing_until_they_are_filled_in_and_have_values_then(day):
    served = served_by_phase(day.seen["rows"])

    assert served.keys() == {"first", "before", "larger", "filled", "back", "again", "last"}
    for phase, missing in (("larger", {True}), ("filled", {False}), ("again", {True}), ("last", {False})):
        assert {name: served[phase][name] for name in NEW_FEATURES} == dict.fromkeys(NEW_FEATURES, missing)
    for phase in ("first", "back"):
        assert not served[phase].keys() & set(NEW_FEATURES)


def served_by_phase(rows: list[dict]) -> dict[str, dict[str, set[bool]]]:
    """By phase and feature whether its served values were missing."""
    found: dict[str, dict[str, set[bool]]] = defaultdict(lambda: defaultdict(set))
    declared: dict[str, list[str]] = {}
    for row in sorted(rows, key=itemgetter("shop_id", "follows")):
        if "declared" in row:
            declared[row["shop_id"]] = [name for name, _ in row["declared"]["features"]]
        for entry in (entry for entry in row["entries"] if "vector" in entry):
            phase = entry["event"]["event_id"].partition("-")[0]
            vector = memoryview(b64decode(entry["vector"])).cast("f").tolist()
            for name, value in zip(declared[row["shop_id"]], vector, strict=True):
                found[phase][name].add(math.isnan(value))
    return found


def _width(features: int) -> int:
    """The length of a vector's base64."""
    return -(-features * 4 // 3) * 4
