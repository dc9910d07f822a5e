"""The whole line on the embedded AWS under a disturbed replay: learned, promoted, materialized twice, served, archived,
alerted; then everything that left is compared with what must have left."""

import json
import os
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from infra.local.archive import list_objects, read_archive_rows
from infra.local.cloud import Cloud, for_embedded
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.module_runs import run_module
from infra.local.outbox import count_alert_rows
from infra.local.replaying import log_order, read_events, wait_for_archive
from infra.local.subscribers import QueueSubscriber, Received, WebSubscriber
from service_quality.events import InteractionEvent, event_to_json
from service_quality.feature_set import FEATURES
from service_quality.instants import parse_instant
from service_quality.online_commit import LogRecord
from service_quality.positions import Position
from spark_jobs import check_consistency, evaluate_scores
from spark_jobs.command_line import run_job
from spark_jobs.evaluate_scores import SCORE_COLUMNS
from spark_jobs.synthetic_shop.world import events_of, shop_of
from tests.integration.conftest import LEARNED_WORLD, SPLIT, Learned
from tests.parity.archive_folder import write_archive
from tests.properties.online_run import batches, new_worker
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.disturbances import UNREADABLE, disturb
from tests.stand_ins.memory_store import MemoryStore

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.slow]

SECONDS = 120
SPLIT_AT = parse_instant(f"{SPLIT}T00:00:00Z")
SHOPS = [shop_of(LEARNED_WORLD, number) for number in range(LEARNED_WORLD.shops)]

StreamRecord = tuple[str, bytes]  # the partition key, and the data


@dataclass(frozen=True)
class Line:
    """What went onto the stream, and all that was found behind it."""

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
    order = disturb(read_events(learned.replay), Random(7))
    records = among_unreadable([(event.shop_id, event_to_json(event)) for event in order], Random(8))
    with Emulator(folder / "emulator") as emulator:
        cloud, outputs = emulator.cloud, deploy(emulator)
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


def among_unreadable(records: list[StreamRecord], random: Random) -> list[StreamRecord]:
    """The records with some in between that nobody can read, on the log of either shop."""
    mixed = list(records)
    for shop in SHOPS:
        for data, _ in UNREADABLE:
            mixed.insert(random.randrange(len(mixed)), (shop.shop_id, data))
    return mixed


def promote(learned: Learned, folder: Path, outputs: dict[str, str], environment: dict[str, str]) -> None:
    model, described = folder / "model", folder / "export.json"
    bucket = ("--bucket", outputs["ModelsBucketName"])
    words = ("--artefact", learned.artefact, "--output", model, "--json", described)
    run_module("export", ["model_export", "export", *words], environment)
    run_module("publish", ["model_export", "publish", "--model", model, *bucket], environment)
    version = json.loads(described.read_text("utf-8"))["version"]
    why = ("--table", outputs["ModelsTableName"], "--who", "test", "--why", "the first")
    run_module("promote", ["model_export", "promote", "--version", version, *bucket, *why], environment)


def materialize_twice(
    learned: Learned, folder: Path, outputs: dict[str, str], environment: dict[str, str]
) -> list[dict]:
    """The summaries of both runs."""
    targets = ("--state-table", outputs["StateTableName"], "--event-stream", outputs["EventStreamName"])
    job = ("materialize_histories", "--as-of", SPLIT, *targets, "--lake", learned.lake, "--json")
    summaries = [folder / "first.json", folder / "again.json"]
    run_module("materialize", ["spark_jobs", *job, summaries[0], "then", *job, summaries[1]], environment)
    return [json.loads(summary.read_text("utf-8")) for summary in summaries]


def put_records(cloud: Cloud, stream: str, records: Sequence[StreamRecord]) -> list[int]:
    """Put records of any content; their sequence numbers."""
    numbers: list[int] = []
    for first in range(0, len(records), 200):
        batch = [{"Data": data, "PartitionKey": shop_id} for shop_id, data in records[first : first + 200]]
        answer = cloud.kinesis.put_records(StreamName=stream, Records=batch)  # type: ignore[arg-type]
        assert answer["FailedRecordCount"] == 0
        numbers += [int(one["SequenceNumber"]) for one in answer["Records"]]
    return numbers


def read_rejected(cloud: Cloud, bucket: str) -> list[dict]:
    keys = list_objects(cloud, bucket, "rejected/")
    return [json.loads(cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys]


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
    marks = [entry for entry in line.entries if entry.get("event", {}).get("kind") == "history_imported"]

    assert first == again
    assert first["items"] > 100
    assert {entry["shop_id"]: entry["event"]["import_id"] for entry in marks} == first["imports"]
    assert len(marks) == len(SHOPS)


def test_what_was_served_equals_what_is_recomputed(line, learned, tmp_path):
    archive, summary = write_archive(tmp_path / "archive", line.archived), tmp_path / "summary.json"

    code = run_job(check_consistency.main, [str(archive), "--lake", str(learned.lake), "--json", str(summary)])

    found = json.loads(summary.read_text("utf-8"))
    assert (code, found["mismatched"], found["missing"], found["extra"]) == (0, 0, 0, 0), found["differing"]
    assert (found["chain"], found["faults"]) == ("whole", [])
    scored = sum("vector" in entry for entry in line.accepted)
    assert found["compared"] == scored * (len(FEATURES.names) + 1)
    assert scored > 500


def test_imported_past_is_served_as_if_it_had_been_lived(line):
    served = {
        (entry["shop_id"], entry["event"]["event_id"]): entry["vector"] for entry in line.accepted if "vector" in entry
    }
    lived = lived_vectors(line)

    assert served == {key: lived[key] for key in served}
    assert {
        (entry["shop_id"], entry["event"]["event_id"]) for entry in line.accepted if "vector" not in entry
    }.isdisjoint(lived)


def test_record_that_nobody_can_read_is_kept_with_reason_and_position(line):
    kept = Counter((one["shop_id"], b64decode(one["raw_base64"]), one["reason"]) for one in line.rejected)

    assert kept == Counter((shop.shop_id, data, reason) for shop in SHOPS for data, reason in UNREADABLE)
    refused = {(entry["shop_id"], entry["position"]): entry["refused"] for entry in line.entries if "refused" in entry}
    assert refused == {(one["shop_id"], one["position"]): one["reason"] for one in line.rejected}


def test_every_alert_published_was_received_by_both_subscribers(line):
    assert line.published > 10
    ids = [{json.loads(one.body)["message_id"] for one in inbox.values()} for inbox in (line.by_queue, line.by_web)]
    assert len(ids[0]) == len(ids[1]) == line.published
    assert ids[0] == ids[1]


def test_scores_are_written_and_judged_as_served(line, learned, tmp_path):
    archive, scores = write_archive(tmp_path / "archive", line.archived), tmp_path / "scores.parquet"
    words = [str(archive), "--scores", str(scores), "--lake", str(learned.lake)]

    assert run_job(evaluate_scores.main, [*words, "--json", str(tmp_path / "summary.json")]) == 0

    written = pd.read_parquet(scores)
    served = {
        (entry["shop_id"], entry["event"]["event_id"]): entry["score"] for entry in line.accepted if "score" in entry
    }
    assert tuple(written.columns) == SCORE_COLUMNS
    assert {(row.shop_id, row.event_id): row.score for row in written.itertuples()} == served
    judged = json.loads((tmp_path / "summary.json").read_text("utf-8"))
    assert judged["answer"]["metrics"]["rows"] > 20
    assert len(judged["model_versions"]) == 1
