"""Materialized, served, archived, recomputed on a real Spark: nothing differs, and what is made to differ is found."""

import copy
import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyspark.sql import functions as F

from service_quality.commit.state_items import decode_pack, decode_part
from service_quality.conversations.description import describe_conversation
from service_quality.events.control_records import RULES, SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import FIELDS, InteractionEvent
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, format_instant, parse_instant
from service_quality.policies.policy_document import parse_policy
from service_quality.tasks.declared_tasks import CHURN
from spark_jobs import check_consistency, evaluate_scores, generate_shop, materialize_histories
from spark_jobs.command_line import run_job
from spark_jobs.entry.endings import Main
from spark_jobs.lake.tables import (
    EVENTS_IN_MILLIS,
    IMPORTS_SCHEMA,
    read_imports,
    record_imports,
    with_timestamps,
    write_events,
)
from spark_jobs.session.start import start_session
from spark_jobs.synthetic_shop.world import World, events_of, shop_of
from tests.parity.archive_folder import write_archive
from tests.parity.functions_side import TARGET, FunctionsSide
from tests.stand_ins.control import KEY
from tests.stand_ins.disturbances import UNREADABLE, disturb
from tests.unit.core.rule_documents import document as rule_document

pytestmark = pytest.mark.spark

START = parse_instant("2025-03-03T00:00:00Z")
WORLD = World(shops=2, days=6, contacts_per_day=8, seed=3, start=START)
SPLIT = START + 4 * DAY
LATER = SPLIT + DAY
ARGUMENTS = "--shops 2 --new-shops 0 --days 6 --contacts-per-day 8 --seed 3 --start 2025-03-03".split()
FEATURE = "agent_contacts_1h"
SHOPS = [shop_of(WORLD, number).shop_id for number in range(WORLD.shops)]
#: Of a past of the shop, too, if an import names it.
STRICT: dict[str, Any] = {
    "revision": "strict", "valid_from": "2025-01-01T00:00:00Z", "dissatisfied_at_most": 2, "on_time_within": "PT30S",
    "slow_beyond": "PT1M", "ends_after": "P2D",
}  # fmt: skip
IN_BUSINESS_HOURS: dict[str, Any] = {
    "revision": "in-business-hours", "valid_from": "2025-03-08T00:00:00+08:00", "zone": "Asia/Shanghai",
    "opening": {day: ["09:00-12:00", "13:00-19:00"] for day in ("monday", "friday", "saturday", "sunday")},
    "holidays": "CN", "targets": [{"first_response": "PT1M", "next_reply": "PT2M", "judged_by": "business"}],
}  # fmt: skip
#: The archive lacks the latest links of each shop when the second import is made.
NOT_ARCHIVED = 1


def set_policy(side: FunctionsSide, shop_id: str, document: dict) -> None:
    record = SettingsChanged(shop_id=shop_id, document=json.dumps(document).encode())
    # Rules beside it, which no feature reads.
    rules = SettingsChanged(shop_id=shop_id, document=rule_document(revision=document["revision"]), section=RULES)
    side.logs[shop_id] += [sign_control(one, KEY, issued_at=WORLD.end) for one in (rules, record)]


def put(side: FunctionsSide, events: Sequence[InteractionEvent], *, seed: int) -> None:
    """The events with duplicates, shuffled, among unreadable records."""
    for shop_id in SHOPS:
        random = Random(f"{shop_id}{seed}")
        data = [*map(event_to_json, disturb([one for one in events if one.shop_id == shop_id], random))]
        for bad, _ in UNREADABLE:
            data.insert(random.randrange(2, len(data)), bad)
        side.logs[shop_id] += data


@dataclass(frozen=True)
class Run:
    """A lake, what was written of it for the functions, the summaries of each run of the job, and the archive."""

    lake: Path
    written: FunctionsSide
    summaries: list[dict]
    links: list[dict]
    unarchived: set[tuple[str, str]]


def world_events() -> list[InteractionEvent]:
    return [
        event
        for number in range(WORLD.shops)
        for event in events_of(WORLD, shop_of(WORLD, number), range(WORLD.customers))
    ]


def file_found_later() -> list[InteractionEvent]:
    """Ratings of contacts of the log, unknown contacts, and another shop's past."""
    answered = [
        one for one in world_events() if one.kind == "agent_message" and SPLIT <= one.occurred_at < LATER - HOUR
    ]
    known = [(one.shop_id, one.conversation_id, one.agent_id, one.occurred_at + HOUR) for one in answered[::4]]
    unknown = [(shop, f"found-{number}", answered[0].agent_id, SPLIT - DAY) for shop in SHOPS for number in range(3)]
    other = [("other", f"c{number}", "ann", SPLIT - number * DAY) for number in range(2)]
    return [
        InteractionEvent(
            event_id=f"found-later-{number}", shop_id=shop, kind="rated", occurred_at=at, received_at=at,
            conversation_id=conversation, agent_id=agent, rating=1 + 2 * (number % 2),
        )
        for number, (shop, conversation, agent, at) in enumerate([*known, *unknown, *other])
    ]  # fmt: skip


def into_lake(lake: Path, events: list[InteractionEvent]) -> None:
    spark = start_session("test", str(lake))
    rows = [(*(getattr(event, name) for name in FIELDS), "test") for event in events]
    write_events(with_timestamps(spark.createDataFrame(rows, EVENTS_IN_MILLIS)))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("checked")
    lake, side, summaries = folder / "lake", FunctionsSide(WORLD.end), []

    def materialize(day: str, links: list[dict], name: str, *options: str) -> None:
        archive = write_archive(folder / name, links) if links else folder / "nothing archived"
        summary = folder / f"{name}.json"
        argv = ["--as-of", day, "--archive", str(archive), *TARGET, "--lake", str(lake), "--json", str(summary)]
        assert run_job(materialize_histories.main, [*argv, *options]) == 0
        summaries.append(json.loads(summary.read_text("utf-8")))

    assert run_job(generate_shop.main, [*ARGUMENTS, "--lake", str(lake)]) == 0
    later = [event for event in world_events() if event.occurred_at >= SPLIT]
    with side.takes_imports():
        materialize("2025-03-07", [], "first")
        materialize("2025-03-07", [], "again")
        set_policy(side, SHOPS[0], STRICT)
        put(side, [event for event in later if event.occurred_at < LATER], seed=1)
        set_policy(side, SHOPS[1], IN_BUSINESS_HOURS)
        side.serve()
        into_lake(lake, file_found_later())
        archived = side.links(but_last=NOT_ARCHIVED)
        materialize("2025-03-08", archived, "difference", "--policy", SHOPS[0], STRICT["revision"])
        unarchived = events_in(side.links()) - events_in(archived)
        put(side, [event for event in later if event.occurred_at >= LATER], seed=2)
        side.serve()
        materialize("2025-03-08", side.links(), "difference again")
    return Run(lake, side, summaries, side.links(), unarchived)


def events_in(links: list[dict]) -> set[tuple[str, str]]:
    entries = ((link["shop_id"], entry.get("event", {})) for link in links for entry in link["entries"])
    return {(shop_id, event["event_id"]) for shop_id, event in entries if "event_id" in event}


def check(
    run: Run, links: list[dict], folder: Path, *options: str, job: Main = check_consistency.main
) -> tuple[int, dict]:
    """The job's exit code and summary."""
    archive, summary = write_archive(folder / "archive", links), folder / "summary.json"
    argv = [str(archive), "--lake", str(run.lake), "--json", str(summary), *options]
    return run_job(job, argv), json.loads(summary.read_text("utf-8"))


def received(entry: dict) -> str:
    return str(entry.get("event", {}).get("received_at", ""))


def ended_before(links: list[dict], instant: str) -> list[dict]:
    """The chains of which each ends before its first entry that was received at an instant or later."""
    kept, ended = [], set()
    for link in sorted(links, key=lambda link: (link["shop_id"], link["follows"])):
        before = [*takewhile(lambda entry: received(entry) < instant, link["entries"])]
        if before and link["shop_id"] not in ended:
            kept.append({**link, "entries": before})
        if len(before) < len(link["entries"]):
            ended.add(link["shop_id"])
    return kept


def altered(links: list[dict], change: Callable[[dict], None]) -> list[dict]:
    """The links with one scored entry changed, of an event in the midst of the log that an agent had a share in."""
    copied = copy.deepcopy(links)
    scored = [entry for link in copied for entry in link["entries"] if "vector" in entry]
    change(scored[len(scored) // 2])
    return copied


def scored_events(links: list[dict]) -> int:
    return sum("vector" in entry for link in links for entry in link["entries"])


def scored_customers(links: list[dict]) -> list[dict]:
    """What was served of customers to the model of churn."""
    return [entry["tasks"]["churn"] for link in links for entry in link["entries"] if "tasks" in entry]


def compared_values(links: list[dict]) -> int:
    """Every feature that was served, and the clock beside each vector."""
    customers = len(scored_customers(links)) * (len(CHURN.features.names) + 1)
    return scored_events(links) * (len(FEATURES.names) + 1) + customers


def test_materializing_again_holds_nothing_and_records_again_what_the_archive_does_not_show(run):
    first, again, _, last = run.summaries

    assert (first["shops"], first["marked_again"]) == (WORLD.shops, 0)
    assert first["events"] == sum(event.occurred_at < SPLIT for event in world_events())
    assert (again["events"], again["packs"], again["imports"], again["marked_again"]) == (0, 0, {}, WORLD.shops)
    assert (last["events"], last["imports"], last["marked_again"]) == (0, {}, 0)
    assert len(run.written.packs) == 2
    assert run.written.import_records[:2] == run.written.import_records[2:4]
    import_records = [
        entry["event"]["import_id"] for link in run.links for entry in link["entries"]
        if entry.get("event", {}).get("kind") == "history_imported"
    ]  # fmt: skip
    assert sorted(import_records) == sorted({one.import_id for one in run.written.import_records})


def test_file_found_later_is_imported_as_a_difference(run):
    difference = run.summaries[2]

    assert set(difference["imports"]) == {*SHOPS, "other"}
    lagging = {(event.shop_id, event.event_id) for event in world_events() if event.occurred_at < LATER}
    assert difference["events"] == len(file_found_later()) + len(run.unarchived & lagging)
    assert run.unarchived


def imported_ratings(run: Run, shop_id: str) -> set[tuple[int, bool]]:
    """Each rating of the contacts that only the second import knows, and whether it is a dissatisfied one."""
    policy = parse_policy(json.dumps(STRICT if shop_id == SHOPS[0] else IN_BUSINESS_HOURS).encode())
    packs = [data for (shop, _), data in run.written.packs[1].items() if shop == shop_id]
    parts = [decode_part(data, shop_id) for pack in packs for key, data in decode_pack(pack).items() if "found-" in key]
    described: list[dict[str, Any]] = [describe_conversation(part.after, (policy,)) for part in parts]
    return {(one["rating"], one["dissatisfied"]) for conversation in described for one in conversation["rounds"]}


def test_policy_of_the_past_judges_the_events_of_an_import(run):
    """Half of the found ratings are a 3, which the policy of one shop calls satisfied."""
    states = {}
    for shop_id in SHOPS:
        shop = run.written.store.read_shop(shop_id)
        assert shop is not None
        states[shop_id] = shop.policies
    imports = read_imports(start_session("test", str(run.lake)))[0].where("number = 2").collect()
    noted = {row["shop_id"]: row["policies_known"] for row in imports}

    assert states == {SHOPS[0]: ("strict",), SHOPS[1]: ("in-business-hours",)}
    assert noted == {SHOPS[0]: 1, SHOPS[1]: 0}
    assert imported_ratings(run, SHOPS[0]) == {(1, True), (3, False)}
    assert imported_ratings(run, SHOPS[1]) == {(1, True), (3, True)}


def test_policy_that_no_log_shows_is_named(run, tmp_path, capsys):
    archive = str(write_archive(tmp_path / "archive", run.links))
    argv = ["--as-of", "2025-03-08", "--archive", archive, *TARGET, "--lake", str(run.lake)]

    codes = [run_job(materialize_histories.main, [*argv, "--policy", shop, "lax"]) for shop in (SHOPS[0], "other")]

    said = capsys.readouterr().err
    assert codes == [3, 3]
    assert f"found no policy 'lax' on the archived log of shop {SHOPS[0]}, expected one of strict" in said
    assert "of shop other, expected one that infra.operations policy set has put there" in said


def test_what_was_served_equals_what_is_recomputed(run, tmp_path, capsys):
    code, found = check(run, run.links, tmp_path)

    assert code == 0
    assert (found["mismatched"], found["missing"], found["extra"]) == (0, 0, 0)
    assert found["compared"] == compared_values(run.links)
    assert (found["chain"], found["faults"]) == ("whole", [])
    assert "0 mismatched" in capsys.readouterr().out


def test_import_that_holds_what_an_earlier_one_holds_is_found(run, tmp_path, capsys):
    """The first import's packs a second time under another id, noted in the lake and recorded as if they were new."""
    spark, side = start_session("test", str(run.lake)), copy.deepcopy(run.written)
    noted, base = read_imports(spark)
    import_record = next(one for one in side.import_records if one.shop_id == SHOPS[0])
    (row,) = (one.asDict() for one in noted.where(F.col("import_id") == import_record.import_id).collect())
    twice = {**row, "import_id": "again", "number": 3, "log_until": side.links()[-1]["last"]}
    record_imports(spark.createDataFrame([twice], IMPORTS_SCHEMA), base)
    side.store.items |= {
        (shop, key.replace(import_record.import_id, "again")): data
        for (shop, key), data in side.packs[0].items()
        if import_record.import_id in key
    }
    side.put_control_records("events", [replace(import_record, import_id="again")], KEY)
    event = next(e for e in world_events() if e.shop_id == SHOPS[0] and e.kind == "agent_message")
    after_it = replace(event, event_id="after it", conversation_id="new", occurred_at=WORLD.end, received_at=WORLD.end)
    side.logs[SHOPS[0]].append(event_to_json(after_it))
    side.serve()

    code, found = check(run, side.links(), tmp_path)

    assert code == 1
    assert found["mismatched"] > 0
    assert (found["missing"], found["extra"], found["chain"]) == (0, 0, "whole")
    assert "agent_dissatisfied_rate_30d" in found["differing"]
    assert "served and recomputed differ" in capsys.readouterr().err


def test_event_of_which_the_archive_says_why_it_has_no_features_is_counted_and_not_missing(run, tmp_path):
    def fail(entry):
        for name in ("vector", "score", "model"):
            entry.pop(name, None)
        entry["score_failed"] = "ValueError"

    code, found = check(run, altered(run.links, fail), tmp_path)

    assert (code, found["mismatched"], found["missing"], found["extra"], found["unscored"]) == (0, 0, 0, 0, 1)
    assert found["compared"] == compared_values(run.links) - (len(FEATURES.names) + 1)


def test_feature_changed_by_hand_is_named(run, tmp_path, capsys):
    def change(entry):
        vector = array("f", b64decode(entry["vector"]))
        vector[FEATURES.names.index(FEATURE)] += 1
        entry["vector"] = b64encode(vector.tobytes()).decode()

    code, found = check(run, altered(run.links, change), tmp_path)

    assert (code, found["mismatched"], found["missing"], found["extra"]) == (1, 1, 0, 0)
    assert found["differing"] == {FEATURE: {"mismatched": 1, "missing": 0, "extra": 0}}
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert FEATURE in said[0]


def test_consistency_by_an_instant_is_that_of_the_log_that_ended_there(run, tmp_path):
    """Behind the instant a vector is changed and a row is lost."""
    instant = format_instant(LATER)
    wrong = copy.deepcopy(run.links)
    *_, lost, last = (link for link in wrong if link["shop_id"] == SHOPS[1])
    wrong.remove(lost)
    changed = next(entry for entry in last["entries"] if "vector" in entry)
    changed["vector"] = b64encode(bytes(len(b64decode(changed["vector"])))).decode()

    code, found = check(run, wrong, tmp_path / "by then", "--as-of", instant)

    assert check(run, wrong, tmp_path / "whole")[0] == 1
    assert (code, found) == check(run, ended_before(run.links, instant), tmp_path / "ended")
    assert (code, found["chain"], found["mismatched"]) == (0, "whole", 0)
    assert 0 < found["compared"] < compared_values(run.links)


def test_scores_by_an_instant_are_those_of_the_log_that_ended_there(run, tmp_path):
    instant = format_instant(LATER)
    ended = ended_before(run.links, instant)

    code, found = check(run, run.links, tmp_path / "by then", "--as-of", instant, job=evaluate_scores.main)

    assert (code, found) == check(run, ended, tmp_path / "ended", job=evaluate_scores.main)
    assert found["scores"] == scored_events(ended) < scored_events(run.links)
    assert found["answer"]["metrics"]["rows"]


def test_everything_else_that_can_be_wrong_is_found(run, tmp_path, capsys):
    """A vector lost, a clock changed, and a row lost, one that holds a duplicate only."""
    silent = altered(run.links, lambda entry: entry.pop("vector"))
    late = altered(silent, lambda entry: entry.update(clock=entry["clock"] + 1))
    lost = next(link for link in late if [*link["entries"][0]] == ["position", "duplicate"])

    code, found = check(run, [link for link in late if link is not lost], tmp_path)

    clocks = [name for name in found["differing"] if name.endswith("clock")]  # of a customer, too, if it names one
    assert (code, found["mismatched"], found["extra"]) == (1, len(clocks), 0)
    assert found["missing"] == len(FEATURES.names) + 1
    assert found["differing"]["clock"] == {"mismatched": 1, "missing": 1, "extra": 0}
    assert found["chain"] == "broken"
    (fault,) = found["faults"]
    assert fault.startswith(f"shop {lost['shop_id']}: a gap: found a row after {lost['last']}")
    assert "a gap" in capsys.readouterr().err


def test_what_was_served_of_customers_is_recomputed_of_one_shop_alone(run, tmp_path):
    """A value changed, an entry moved to an event that scores nobody, one of other features; all else of the other
    shop, whose clocks are wrong."""
    own = copy.deepcopy([link for link in run.links if link["shop_id"] == SHOPS[0]])
    others = [link for link in run.links if link["shop_id"] != SHOPS[0]]
    wrong = altered(others, lambda entry: entry.update(clock=entry["clock"] + 1))
    entries = [entry for link in own for entry in link["entries"]]
    scored = [entry for entry in entries if "tasks" in entry]
    changed = scored[len(scored) // 2]["tasks"]["churn"]
    vector = array("f", b64decode(changed["vector"]))
    vector[CHURN.features.names.index("customer_orders_365d")] += 1
    changed["vector"] = b64encode(vector.tobytes()).decode()
    silent = next(entry for entry in entries if entry.get("event", {}).get("kind") == "page_viewed")
    silent["tasks"] = scored[0].pop("tasks")
    scored[1]["tasks"]["churn"]["features"] = "another declaration"

    code, found = check(run, [*own, *wrong], tmp_path, "--shop", SHOPS[0])

    assert len(scored) > 50
    assert (code, found["chain"], found["missing"], found["of_other_features"]) == (1, "whole", 0, 1)
    assert found["entities"] == {"churn": len(scored) - 1}
    assert (found["mismatched"], found["extra"]) == (1, len(CHURN.features.names) + 1)
    assert found["differing"]["churn: customer_orders_365d"] == {"mismatched": 1, "missing": 0, "extra": 1}
