"""A bad model, a bad rule and a bad release, deployed to the embedded AWS and taken back while events of several shops
flow: nothing is lost, and one command puts back all that was set aside."""

import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.local.archive import list_objects
from infra.local.cloud import for_embedded
from infra.local.deployment import STACK, deploy
from infra.local.emulator import Emulator
from infra.local.module_runs import run_module
from service_quality.commit.shop_item import SHOP_KEY, decode_shop
from service_quality.commit.state_items import decode_histories, entity_name
from service_quality.events.event_forms import event_to_json
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from tests.integration.line_days import SHOPS, Day, entries_of, read_state
from tests.integration.operators import operator_environment
from tests.integration.releases import Releases
from tests.properties.online_run import new_worker
from tests.stand_ins.memory_store import MemoryStore

pytestmark = [pytest.mark.aws, pytest.mark.slow, pytest.mark.long]

ILL, SINGLE, GIVEN_UP = "ill", "single", "given-up"
_CONVERSATIONS = ("contact", "visit", "count")


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Day:
    folder = tmp_path_factory.mktemp("day")
    with Emulator(folder / "emulator") as emulator:
        day = Day(emulator.cloud, deploy(emulator))
        releases = Releases(day.cloud, day.outputs)
        releases.promote("good", bias=1.5)
        assert day.await_folded(day.send("calm"))
        have_bad_model(day, releases)
        have_bad_rule(day, releases)
        have_bad_release_for_all(day, releases)
        have_bad_release_for_some(day, releases)
        environment = for_embedded(os.environ, emulator.endpoint)
        put_all_back(day, folder, operator_environment(day.cloud, day.outputs, environment))
        day.seen |= {"rows": day.rows(), "state": read_state(day)}
        day.seen["entries"] = entries_of(day.seen["rows"])
        day.seen["left"] = list_objects(day.cloud, day.outputs["RejectedBucketName"], "")
    return day


def have_bad_model(day: Day, releases: Releases) -> None:
    """A model that gives no number. It may serve or be refused: the events wait at most until it is taken back."""
    releases.promote("bad", bias=math.nan)
    during = day.send("model")
    day.await_folded(during, seconds=15)
    releases.promote("good", bias=1.5)
    assert day.await_folded(during)


def have_bad_rule(day: Day, releases: Releases) -> None:
    releases.deploy_bad("rule")
    assert day.await_folded(day.send("rule"))
    releases.take_back()


def have_bad_release_for_all(day: Day, releases: Releases) -> None:
    """The fold fails on records of several shops: the batch comes again until the release is taken back."""
    releases.deploy_bad("fold")
    during = day.send("cursed-release")
    assert not day.await_folded(during, seconds=6)
    day.seen["set aside by a bad release"] = day.set_aside()
    releases.take_back()
    assert day.await_folded(during)


def have_bad_release_for_some(day: Day, releases: Releases) -> None:
    """The fold fails on records of one shop, which is parked, later on one record of another, which is rejected."""
    before = day.send("before", ILL, SINGLE)
    assert day.await_folded(before)
    releases.deploy_bad("fold")
    others = day.send("beside")
    day.send("cursed", ILL)
    day.await_set_aside(ILL, "parked", 4)
    assert day.await_folded(others)
    day.send("cursed", SINGLE, count=1)
    day.await_set_aside(SINGLE, "fold_failed", 1)
    day.send("newer", ILL, SINGLE)
    day.await_set_aside(ILL, "parked", 8)
    day.give_up(day.send("lost", GIVEN_UP, *SHOPS, sent_by="nobody"))
    day.give_up_archive_row()
    releases.take_back()


def put_all_back(day: Day, folder: Path, environment: dict[str, str]) -> None:
    """The one command, with the permissions of the runbook, while events keep arriving."""
    count, summary = folder / "count.json", folder / "summary.json"
    run_module("count", ["infra.operations", "count", "--stack", STACK, "--json", count], environment)
    day.send("meanwhile", ILL, SINGLE, *SHOPS)
    run_module("put back", ["infra.operations", "put-back", "--stack", STACK, "--json", summary], environment)
    day.seen |= {"counted": json.loads(count.read_text("utf-8")), "summary": json.loads(summary.read_text("utf-8"))}
    day.send("after", ILL, SINGLE, GIVEN_UP, *SHOPS)
    assert day.await_folded(day.sent), f"missing: {sorted({one.event_id for one in day.sent} - day.folded().keys())}"


def histories_of(items: dict[str, bytes]) -> dict[str, dict[str, object]]:
    """Histories as stored, by shop and key; conversations and the shops' own items are left out."""
    found: dict[str, dict[str, object]] = {}
    for name, data in items.items():
        _, _, key = name.partition(SEPARATOR)
        if key != SHOP_KEY and entity_name(key) not in _CONVERSATIONS:
            histories = decode_histories(data, FEATURES.plan).histories
            found[name] = {entity: history.to_stored() for entity, history in histories.items()}
    return found


def undisturbed(events: Sequence[InteractionEvent]) -> dict[str, bytes]:
    """The items of a run in memory that met no trouble, by shop and key."""
    store = MemoryStore()
    worker = new_worker(store, FEATURES, ())
    for shop_id in {event.shop_id for event in events}:
        own = [event for event in events if event.shop_id == shop_id]
        records = [
            LogRecord(str(Position(1, number)), event_to_json(event), event.received_at)
            for number, event in enumerate(own)
        ]
        worker.advance_shop(shop_id, records)
    return {f"{shop_id}{SEPARATOR}{key}": data for (shop_id, key), data in store.items.items()}


def test_every_event_is_folded_once(day):
    folded = Counter(one["event"]["event_id"] for one in day.seen["entries"] if "event_id" in one.get("event", {}))

    assert folded == Counter(event.event_id for event in day.sent)


def test_bad_model_costs_scores_at_most(day):
    by_id = {one["event"]["event_id"]: one for one in day.seen["entries"] if "event_id" in one.get("event", {})}
    during = [by_id[event.event_id] for event in day.sent if event.event_id.startswith("model-")]

    assert len(during) == 4 * len(SHOPS)
    for entry in during:
        scored = entry.get("model") == "good" and math.isfinite(entry["score"])
        assert scored != ("score_failed" in entry)


def test_bad_rule_costs_neither_event_nor_score(day):
    by_id = {one["event"]["event_id"]: one for one in day.seen["entries"] if "event_id" in one.get("event", {})}
    during = [by_id[event.event_id] for event in day.sent if event.event_id.startswith("rule-")]

    assert [entry["model"] for entry in during] == ["good"] * 4 * len(SHOPS)


def test_release_that_is_bad_for_all_sets_nothing_aside(day):
    assert day.seen["set aside by a bad release"] == []


def test_what_was_set_aside_is_counted_before_it_is_put_back(day):
    counted = {(one["reason"], one["shop_id"]): one["records"] for one in day.seen["counted"]}

    assert (counted["fold_failed", SINGLE], counted["parked", ILL]) == (1, 8)
    assert counted["given_up", GIVEN_UP] == 4
    events, rows = 4 * len({GIVEN_UP, *SHOPS}), 1
    assert sum(counted.values()) == 1 + 8 + events + rows


def test_one_command_puts_everything_back(day):
    put = Counter[str]()
    for one in day.seen["summary"]["put_back"]:
        put[one["reason"]] += one["records"]

    assert (put["fold_failed"], put["given_up"]) == (1, 16)
    assert put["parked"] >= 8
    assert day.seen["summary"]["unparked_shops"] == [ILL]
    assert (day.seen["summary"]["resent_batches"], day.seen["summary"]["troubles"]) == (1, [])
    assert day.seen["left"] == []


def test_no_shop_is_parked_any_more(day):
    shops = {
        key: decode_shop(data) for key, data in day.seen["state"].items() if key.endswith(f"{SEPARATOR}{SHOP_KEY}")
    }

    assert len(shops) == len({event.shop_id for event in day.sent})
    assert [shop.parked for shop in shops.values()] == [None] * len(shops)


def test_parked_events_are_folded_in_the_order_in_which_they_were_sent(day):
    folded = [
        one["event"]["event_id"]
        for one in sorted(day.seen["entries"], key=lambda one: one["position"])
        if one["shop_id"] == ILL and "event_id" in one.get("event", {})
    ]

    assert folded == [event.event_id for event in day.sent if event.shop_id == ILL]


def test_chain_of_every_shop_is_whole(day):
    last: dict[str, str] = {}
    rows = sorted(day.seen["rows"], key=lambda row: (row["shop_id"], row["follows"]))
    for row in rows:
        assert row["follows"] == last.get(row["shop_id"], "")
        last[row["shop_id"]] = row["last"]

    assert set(last) == {event.shop_id for event in day.sent}


def test_histories_equal_those_of_an_undisturbed_run(day):
    found, expected = histories_of(day.seen["state"]), histories_of(undisturbed(day.sent))

    assert len(expected) > 20
    assert found == expected
