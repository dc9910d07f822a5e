"""Outbox to archive: committed rows as large immutable objects that Spark reads."""

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.archive_ledger import ArchiveLedger
from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.adapters.buckets.unsent_rows import UnsentRows
from service_quality.adapters.telemetry import Telemetry
from service_quality.by_fields import value_class
from service_quality.commit.archive_objects import ArchiveRow, archive_objects, ranges_by_shop, unpack_archive_row
from service_quality.commit.inserted_rows import StreamRecord, read_inserts, read_row
from service_quality.errors import UnreadableRowError
from service_quality.settings import read_settings


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets for this function."""

    archive_bucket: str
    alerts_table: str
    rejected_bucket: str


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("archive_outbox")
s3 = make_client("s3")
bucket = ArchiveBucket(s3, settings.archive_bucket)
ledger = ArchiveLedger(make_client("dynamodb"), settings.alerts_table)
unsent = UnsentRows(s3, settings.rejected_bucket, "archive")
bucket.check()
ledger.check()
unsent.check()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, int]:
    """Write the batch's new archive rows, an object a date and bucket, then enter them into their shops' ledgers.

    Returns the counts. The same batch again writes the same objects. A row that cannot be read is set aside, and the
    others are archived.
    """
    records = read_inserts(event, "archive")
    telemetry.count({"ReceivedRecords": len(records)})
    rows = [row for record in records if (row := unpack(record)) is not None]
    archived = archive_objects(rows)
    for one in archived:
        bucket.write(one)
    for shop_id, ranges in ranges_by_shop(rows).items():
        ledger.add(shop_id, ranges)
    counts = {"ArchivedRows": len(rows), "UnreadableRows": len(records) - len(rows)}
    telemetry.count(counts)
    telemetry.logger.info("rows_archived", extra={**counts, "objects": [one.key for one in archived]})
    return counts


def unpack(record: StreamRecord) -> ArchiveRow | None:
    """The archive row in a record; None for an unreadable one, which is set aside."""
    try:
        return unpack_archive_row(read_row(record))
    except UnreadableRowError as error:
        unsent.put(record, error.reason, str(error))
        telemetry.logger.warning("row_set_aside", extra={"reason": error.reason, "found": str(error)})
        return None
