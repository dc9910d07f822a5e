"""Outbox to archive: what was committed, as large immutable objects that Spark reads."""

import os
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.commit.archive_objects import archive_objects
from service_quality.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template gives this function."""

    archive_bucket: str


settings = read_settings(Settings, os.environ)
logger = Logger(service="archive_outbox")
metrics = Metrics(namespace="ServiceQuality", service="archive_outbox")
bucket = ArchiveBucket(make_client("s3"), settings.archive_bucket)
bucket.check()


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Write the batch's archive rows, an object a date; the same batch again writes the same objects."""
    metrics.add_metric("ReceivedRecords", MetricUnit.Count, len(event["Records"]))
    archived = archive_objects(read_archive_rows(event))
    for one in archived:
        bucket.write(one)
    rows = sum(one.rows for one in archived)
    metrics.add_metric("ArchivedRows", MetricUnit.Count, rows)
    logger.info("rows_archived", extra={"ArchivedRows": rows, "objects": [one.key for one in archived]})


def read_archive_rows(event: dict[str, Any]) -> list[tuple[bytes, int]]:
    """Body and time of writing, in epoch milliseconds, of the archive rows in a batch of the table's stream."""
    changes = (record["dynamodb"] for record in event["Records"])
    return [
        (b64decode(change["NewImage"]["body"]["B"]), int(change["ApproximateCreationDateTime"] * 1000))
        for change in changes
        if change.get("NewImage", {}).get("row_kind", {}).get("S") == "archive"
    ]
