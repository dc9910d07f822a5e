"""Steps of a whole run on the embedded AWS, as the demo takes them; a test disturbs the system between them."""

import json
from collections.abc import Sequence
from pathlib import Path

from infra.local.archive import list_objects
from infra.local.cloud import Cloud
from infra.local.module_runs import run_module
from tests.integration.conftest import SPLIT, Learned

StreamRecord = tuple[str, bytes]  # the partition key, and the data


def promote(learned: Learned, folder: Path, outputs: dict[str, str], environment: dict[str, str]) -> None:
    model, described = folder / "model", folder / "export.json"
    bucket = ("--bucket", outputs["ModelsBucketName"])
    argv = ("--artefact", learned.artefact, "--output", model, "--json", described)
    run_module("export", ["model_export", "export", *argv], environment)
    run_module("publish", ["model_export", "publish", "--model", model, *bucket], environment)
    version = json.loads(described.read_text("utf-8"))["version"]
    why = ("--table", outputs["ModelsTableName"], "--who", "test", "--why", "the first")
    run_module("promote", ["model_export", "promote", "--version", version, *bucket, *why], environment)


def materialize_twice(
    learned: Learned, folder: Path, outputs: dict[str, str], environment: dict[str, str]
) -> list[dict]:
    """The summaries of both runs."""
    archive = ("--archive", f"s3a://{outputs['ArchiveBucketName']}/archive")
    tables = ("--state-table", outputs["StateTableName"], "--alerts-table", outputs["AlertsTableName"])
    targets = (*tables, "--event-stream", outputs["EventStreamName"], *archive)
    key = ("--control-key-secret", outputs["ControlKeySecretArn"])
    job = ("materialize_histories", "--as-of", SPLIT, *targets, *key, "--lake", learned.lake, "--json")
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
    bodies = [cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return [json.loads(line) for body in bodies for line in body.splitlines()]
