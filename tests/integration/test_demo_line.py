"""The whole line on the embedded AWS under a disturbed replay: learned, promoted, materialized twice, served, archived,
alerted; then everything that left is compared with what must have left."""

import json
import os
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

import pandas as pd
import pytest

from infra.local.archive import read_archive_rows
from infra.local.cloud import for_embedded
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.outbox import count_alert_rows
from infra.local.replaying import read_events, wait_for_archive
from infra.local.subscribers import QueueSubscriber, Received, WebSubscriber
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent, log_order
from service_quality.events.log_records import LogRecord
from service_quality.events.positions import Position
from service_quality.events.time_reached import TimeReached
from service_quality.features.feature_set import FEATURES
from service_quality.instants import HOUR, MINUTE, parse_instant
from spark_jobs import check_consistency, evaluate_scores, fold_archive
from spark_jobs.command_line import run_job
from spark_jobs.evaluate_scores import SCORE_COLUMNS
from spark_jobs.synthetic_shop.world import events_of, shop_of
from tests.integration.conftest import LEARNED_WORLD, SPLIT, Learned
from tests.integration.line_steps import StreamRecord, materialize_twice, promote, put_records, read_rejected
from tests.parity.archive_folder import write_archive
from tests.properties.online_run import batches, new_worker
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.disturbances import UNREADABLE, disturb
from tests.stand_ins.memory_store import MemoryStore

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.slow]

SECONDS = 120
PATIENT = 10
SPLIT_AT = parse_instant(f"{SPLIT}T00:00:00Z")
SHOPS = [shop_of(LEARNED_WORLD, number) for number in range(LEARNED_WORLD.shops)]


@dataclass(frozen=True)
class Line:
    """The records put on the stream, and everything that the system wrote from them."""

    records: list[StreamRecord]
    order: list[InteractionEvent]
    archived: list[dict]
    rejected: list[dict]
    published: int
    by_queue: dict[str, Received]
    by_web: dict[str, Received]
    materialized: list[dict]

    @cached_property
    def entries(self) -> list[dict]:
        """Every entry of the archive, second copies of a row left out."""
        rows = {(row["shop_id"], row["follows"]): row for row in self.archived}
        return [{**entry, "shop_id": row["shop_id"]} for row in rows.values() for entry in row["entries"]]

    @cached_property
    def accepted(self) -> list[dict]:
        return [entry for entry in self.entries if "event_id" in entry.get("event", {})]


@pytest.fixture(scope="module")
def line(learned: Learned, tmp_path_factory: pytest.TempPathFactory) -> Line:
    folder = tmp_path_factory.mktemp("line")
    order = disturb(sorted([*read_events(learned.replay), *patient_customers()], key=log_order), Random(7))
    with Emulator(folder / "emulator") as emulator:
        cloud, outputs = emulator.cloud, deploy(emulator)
        key = cloud.read_secret(outputs["ControlKeySecretArn"])
        records = among_unreadable(list(with_reached_stages(order, key)), Random(8))
        environment = for_embedded(os.environ, emulator.endpoint)
        promote(learned, folder, outputs, environment)
        materialized = materialize_twice(learned, folder, outputs, environment)
        topic = outputs["AlertTopicArn"]
        with QueueSubscriber(cloud, topic) as queue, WebSubscriber(cloud, topic) as web:
            numbers = put_records(cloud, outputs["EventStreamName"], records)
            wait_for_archive(cloud, outputs["ArchiveBucketName"], numbers, quiet=SECONDS)
            published = count_alert_rows(cloud, outputs["AlertsTableName"])
            for inbox in (queue.inbox, web.inbox):
                inbox.wait_for(published, seconds=SECONDS)
        return Line(
            records,
            order,
            list(read_archive_rows(cloud, outputs["ArchiveBucketName"])),
            read_rejected(cloud, outputs["RejectedBucketName"]),
            published,
            queue.inbox.messages,
            web.inbox.messages,
            materialized,
        )


def patient_customers() -> list[InteractionEvent]:
    """Customers who ask, ask again after forty minutes, and are helped at last: an alert and its end for each."""
    asked = [("customer_message", 0), ("customer_message", 40 * MINUTE), ("resolved", 2 * HOUR)]
    return [
        InteractionEvent(
            event_id=f"patient-{number}-{turn}",
            shop_id=SHOPS[number % len(SHOPS)].shop_id,
            kind=kind,
            occurred_at=SPLIT_AT + number * HOUR + later,
            received_at=SPLIT_AT + number * HOUR + later,
            conversation_id=f"patient-{number}",
        )
        for number in range(PATIENT)
        for turn, (kind, later) in enumerate(asked)
    ]


def with_reached_stages(order: list[InteractionEvent], key: bytes) -> Iterator[StreamRecord]:
    """The events as records; before a patient customer asks again the stage that half an hour of waiting is."""
    met: set[str] = set()
    for event in order:
        if event.event_id.startswith("patient-") and event.event_id.endswith("-1") and event.event_id not in met:
            met.add(event.event_id)
            assert event.conversation_id is not None
            due_at = event.occurred_at - 10 * MINUTE
            stage = f"waiting_ms:{30 * MINUTE}"
            reached = TimeReached(
                shop_id=event.shop_id,
                conversation_id=event.conversation_id,
                round=1,
                turn=1,
                stage=stage,
                due_at=due_at,
            )
            yield event.shop_id, sign_control(reached, key, issued_at=time.time_ns() // 1_000_000)
        yield event.shop_id, event_to_json(event)


def among_unreadable(records: list[StreamRecord], random: Random) -> list[StreamRecord]:
    """The records with unreadable ones between them, on the log of either shop."""
    mixed = list(records)
    for shop in SHOPS:
        for data, _ in UNREADABLE:
            mixed.insert(random.randrange(len(mixed)), (shop.shop_id, data))
    return mixed


def lived_vectors(line: Line) -> dict[tuple[str, str], str]:
    """Vectors by shop and event of a run in memory that saw the whole past event by event, and no import."""
    found: dict[tuple[str, str], str] = {}
    for shop in SHOPS:
        world = events_of(LEARNED_WORLD, shop, range(LEARNED_WORLD.customers))
        past = sorted((event for event in world if event.occurred_at < SPLIT_AT), key=log_order)
        later = [event for event in line.order if event.shop_id == shop.shop_id]
        records = [
            LogRecord(str(Position(1, number)), event_to_json(event), LEARNED_WORLD.end)
            for number, event in enumerate([*past, *later])
        ]
        store = MemoryStore()
        worker = new_worker(store, FEATURES, ())
        for batch in batches(records, [100]):
            worker.advance_shop(shop.shop_id, batch)
        for entry in archived_entries(store.rows, shop.shop_id):
            if "vector" in entry:
                found[shop.shop_id, entry["event"]["event_id"]] = entry["vector"]
    return found


def test_every_event_is_archived_once_and_its_copies_as_duplicates(line):
    expected = Counter((event.shop_id, event.event_id) for event in line.order)

    found = Counter((entry["shop_id"], entry["event"]["event_id"]) for entry in line.accepted)

    assert found == Counter(expected.keys())
    copies = expected.total() - len(expected)
    marks_twice = len(SHOPS)
    assert copies > 100
    assert sum(entry.get("duplicate", False) for entry in line.entries) == copies + marks_twice


def test_history_materialized_again_changes_nothing(line):
    first, again = line.materialized
    import_records = [entry for entry in line.entries if entry.get("event", {}).get("kind") == "history_imported"]

    assert first["items"] > 100
    assert (first["marked_again"], again["marked_again"]) == (0, len(SHOPS))
    assert (again["events"], again["packs"], again["imports"]) == (0, 0, {})
    assert {entry["shop_id"]: entry["event"]["import_id"] for entry in import_records} == first["imports"]
    assert len(import_records) == len(SHOPS)


def test_what_was_served_equals_what_is_recomputed(line, learned, tmp_path):
    archive, summary = write_archive(tmp_path / "archive", line.archived), tmp_path / "summary.json"

    code = run_job(check_consistency.main, [str(archive), "--lake", str(learned.lake), "--json", str(summary)])

    found = json.loads(summary.read_text("utf-8"))
    assert (code, found["mismatched"], found["missing"], found["extra"]) == (0, 0, 0, 0), found["differing"]
    assert (found["chain"], found["faults"]) == ("whole", [])
    scored = sum("vector" in entry for entry in line.entries)
    assert found["compared"] == scored * (len(FEATURES.names) + 1)
    assert scored > 500


@pytest.fixture(scope="module")
def folded(line: Line, learned: Learned, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The archive in the lake's log; the arguments that lead a job to it."""
    archive = write_archive(tmp_path_factory.mktemp("folded") / "archive", line.archived)
    assert run_job(fold_archive.main, [str(archive), "--lake", str(learned.lake)]) == 0
    return ["--lake", str(learned.lake)]


def test_what_was_served_equals_what_is_recomputed_from_the_lakes_log(line, folded, tmp_path):
    summary = tmp_path / "summary.json"

    code = run_job(check_consistency.main, [*folded, "--json", str(summary)])

    found = json.loads(summary.read_text("utf-8"))
    assert (code, found["chain"], found["differing"]) == (0, "whole", {})
    assert found["compared"] == sum("vector" in entry for entry in line.entries) * (len(FEATURES.names) + 1)


def test_imported_past_is_served_as_if_it_had_been_lived(line):
    served = {
        (entry["shop_id"], entry["event"]["event_id"]): entry["vector"] for entry in line.accepted if "vector" in entry
    }
    lived = lived_vectors(line)

    assert served == {key: lived[key] for key in served}
    assert {
        (entry["shop_id"], entry["event"]["event_id"]) for entry in line.accepted if "vector" not in entry
    }.isdisjoint(lived)


def test_record_that_nobody_can_read_is_stored_with_reason_and_position(line):
    stored = Counter((one["shop_id"], b64decode(one["raw_base64"]), one["reason"]) for one in line.rejected)

    assert stored == Counter((shop.shop_id, data, reason) for shop in SHOPS for data, reason in UNREADABLE)
    rejected = {
        (entry["shop_id"], entry["position"]): entry["rejected"] for entry in line.entries if "rejected" in entry
    }
    assert rejected == {(one["shop_id"], one["position"]): one["reason"] for one in line.rejected}


def test_every_alert_published_was_received_by_both_subscribers(line):
    ids = [{json.loads(one.body)["message_id"] for one in inbox.values()} for inbox in (line.by_queue, line.by_web)]
    assert len(ids[0]) == len(ids[1]) == line.published
    assert ids[0] == ids[1]
    bodies = [json.loads(one.body) for one in line.by_queue.values()]
    waited = Counter(body["state"] for body in bodies if body["kind"] == "waiting_too_long")
    assert waited["opened"] >= PATIENT
    assert waited["resolved"] >= PATIENT


def name_of(event: dict) -> str:
    """The id of an event, or the name of a reached stage."""
    if "event_id" in event:
        return str(event["event_id"])
    return "/".join(str(event[part]) for part in ("conversation_id", "round", "turn", "stage"))


def test_scores_are_written_and_judged_as_served(line, folded, tmp_path):
    scores = tmp_path / "scores.parquet"
    argv = ["--scores", str(scores), "--json", str(tmp_path / "summary.json"), *folded]

    assert run_job(evaluate_scores.main, argv) == 0

    written = pd.read_parquet(scores)
    served = {(entry["shop_id"], name_of(entry["event"])): entry["score"] for entry in line.entries if "score" in entry}
    assert tuple(written.columns) == SCORE_COLUMNS
    assert {(row.shop_id, row.event_id): row.score for row in written.itertuples()} == served
    judged = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert judged["answer"]["metrics"]["rows"] > 20
    assert len(judged["model_versions"]) == 1
