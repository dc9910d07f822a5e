"""Materialized, served, archived, recomputed on a real Spark: nothing differs, and what is made to differ is found."""

import copy
import json
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from service_quality.alerts.rule_set import RULES
from service_quality.events.control_records import HistoryImported
from service_quality.events.interaction_event import InteractionEvent, event_to_json
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, parse_instant
from spark_jobs import check_consistency, generate_shop, materialize_histories
from spark_jobs.command_line import run_job
from spark_jobs.synthetic_shop.world import World, events_of, shop_of
from tests.parity.archive_folder import write_archive
from tests.properties.online_run import batches, new_worker
from tests.stand_ins.archive_chain import archive_links
from tests.stand_ins.control import KEY, record_json
from tests.stand_ins.disturbances import UNREADABLE, disturb
from tests.stand_ins.memory_store import MemoryStore

pytestmark = pytest.mark.spark

START = parse_instant("2025-03-03T00:00:00Z")
WORLD = World(shops=2, days=6, contacts_per_day=8, seed=3, start=START)
SPLIT = START + 4 * DAY
ARGUMENTS = "--shops 2 --days 6 --contacts-per-day 8 --seed 3 --start 2025-03-03".split()
FEATURE = "agent_contacts_1h"


@dataclass
class FunctionsSide:
    """What materialize_histories would have written to AWS: every run's packs, and the marks it put on the logs."""

    packs: list[dict[tuple[str, str], bytes]]
    marks: list[HistoryImported]


@dataclass(frozen=True)
class Run:
    """A lake with the past, what was written of it for the functions, and the archive of what came later."""

    lake: Path
    written: FunctionsSide
    links: list[dict]


def later_events(shop_id: str) -> list[InteractionEvent]:
    shops = {shop_of(WORLD, number).shop_id: shop_of(WORLD, number) for number in range(WORLD.shops)}
    events = events_of(WORLD, shops[shop_id], range(WORLD.customers))
    return [event for event in events if event.occurred_at >= SPLIT]


def serve(shop_id: str, written: FunctionsSide) -> list[dict]:
    """The marks of both runs, then the later events with duplicates, shuffled, among records that nobody can read."""
    random = Random(shop_id)
    data = [record_json(mark, issued_at=WORLD.end) for mark in written.marks if mark.shop_id == shop_id]
    data += map(event_to_json, disturb(later_events(shop_id), random))
    for bad, _ in UNREADABLE:
        data.insert(random.randrange(2, len(data)), bad)
    store = MemoryStore(items={**written.packs[0]})
    worker = new_worker(store, FEATURES, RULES)
    records = [LogRecord(str(Position(1, number)), one, WORLD.end) for number, one in enumerate(data)]
    for batch in batches(records, [70]):
        worker.advance_shop(shop_id, batch)
    return archive_links(store.rows, shop_id)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    lake = tmp_path_factory.mktemp("checked") / "lake"
    written = FunctionsSide([], [])

    def write_packs(packs, table):
        written.packs.append({(row["shop_id"], row["key"]): bytes(row["data"]) for row in packs.collect()})
        return len(written.packs[-1])

    to = ["--lake", str(lake)]
    assert run_job(generate_shop.main, [*ARGUMENTS, *to]) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(materialize_histories, "write_packs", write_packs)
        patch.setattr(materialize_histories, "read_control_key", lambda secret: KEY)
        patch.setattr(materialize_histories, "mark_logs", lambda stream, marks, key: written.marks.extend(marks))
        words = [
            "--as-of",
            "2025-03-07",
            "--state-table",
            "state",
            "--event-stream",
            "events",
            "--control-key-secret",
            "key",
            *to,
        ]
        assert [run_job(materialize_histories.main, words) for _ in range(2)] == [0, 0]
    shops = sorted({mark.shop_id for mark in written.marks})
    return Run(lake, written, [link for shop_id in shops for link in serve(shop_id, written)])


def check(run: Run, links: list[dict], folder: Path) -> tuple[int, dict]:
    """The job's exit code and summary."""
    archive, summary = write_archive(folder / "archive", links), folder / "summary.json"
    words = [str(archive), "--lake", str(run.lake), "--json", str(summary)]
    return run_job(check_consistency.main, words), json.loads(summary.read_text("utf-8"))


def altered(links: list[dict], change: Callable[[dict], None]) -> list[dict]:
    """The links with one scored entry changed, of an event in the midst of the log that an agent had a share in."""
    copied = copy.deepcopy(links)
    scored = [entry for link in copied for entry in link["entries"] if "vector" in entry]
    change(scored[len(scored) // 2])
    return copied


def scored_events(links: list[dict]) -> int:
    return sum("vector" in entry for link in links for entry in link["entries"])


def test_materializing_again_writes_the_same_and_its_mark_counts_once(run):
    first, again = run.written.packs

    assert first == again
    assert len(first) > 2
    assert run.written.marks[:2] == run.written.marks[2:]
    marks = [
        entry for link in run.links for entry in link["entries"]
        if entry.get("event", {}).get("kind") == "history_imported"
    ]  # fmt: skip
    assert len(marks) == WORLD.shops


def test_what_was_served_equals_what_is_recomputed(run, tmp_path, capsys):
    code, found = check(run, run.links, tmp_path)

    assert code == 0
    assert (found["mismatched"], found["missing"], found["extra"]) == (0, 0, 0)
    assert found["compared"] == scored_events(run.links) * (len(FEATURES.names) + 1)
    assert (found["chain"], found["faults"]) == ("whole", [])
    assert "0 mismatched" in capsys.readouterr().out


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


def test_everything_else_that_can_be_wrong_is_found(run, tmp_path, capsys):
    """A vector lost, a clock changed, and a row lost, one that holds a duplicate only."""
    silent = altered(run.links, lambda entry: entry.pop("vector"))
    late = altered(silent, lambda entry: entry.update(clock=entry["clock"] + 1))
    lost = next(link for link in late if [*link["entries"][0]] == ["position", "duplicate"])

    code, found = check(run, [link for link in late if link is not lost], tmp_path)

    assert (code, found["mismatched"], found["extra"]) == (1, 1, 0)
    assert found["missing"] == len(FEATURES.names) + 1
    assert found["differing"]["clock"] == {"mismatched": 1, "missing": 1, "extra": 0}
    assert found["chain"] == "broken"
    (fault,) = found["faults"]
    assert fault.startswith(f"shop {lost['shop_id']}: a gap: found a row after {lost['last']}")
    assert "a gap" in capsys.readouterr().err
