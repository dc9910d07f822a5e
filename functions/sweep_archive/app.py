"""Table to archive, on a schedule: rows that archive_outbox missed are archived before they expire."""

import os
import time

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.archive_ledger import ArchiveLedger
from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.archive_bucket import ArchiveBucket
from service_quality.adapters.buckets.unsent_rows import UnsentRows
from service_quality.adapters.telemetry import Telemetry
from service_quality.by_fields import value_class
from service_quality.commit.archive_sweep import ArchiveSweep, Swept
from service_quality.commit.inserted_rows import InsertedRow, to_record
from service_quality.instants import MINUTE, SECOND
from service_quality.settings import read_settings

_LONGEST_PAGE = 90 * SECOND  # the most time for reading a page, writing its objects and entering them, retries included


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets; rows younger than `sweep_after_minutes` are left to archive_outbox."""

    archive_bucket: str
    alerts_table: str
    rejected_bucket: str
    sweep_after_minutes: int


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("sweep_archive")
s3 = make_client("s3")
bucket = ArchiveBucket(s3, settings.archive_bucket)
ledger = ArchiveLedger(make_client("dynamodb"), settings.alerts_table)
unsent = UnsentRows(s3, settings.rejected_bucket, "archive")
bucket.check()
ledger.check()
unsent.check()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, int | bool]:
    """Sweep as many shops as time allows; returns the counts. The next sweep goes on where this one ends."""
    sweep = ArchiveSweep(
        ledger, bucket.write, set_aside, has_time=lambda: context.get_remaining_time_in_millis() > _LONGEST_PAGE
    )
    now = int(time.time() * SECOND)
    try:
        sweep.run(written_before=now - settings.sweep_after_minutes * MINUTE)
    finally:
        answer = report(sweep.swept)
    return answer


def report(swept: Swept) -> dict[str, int | bool]:
    """Report the counts in one log entry and in metrics, also after a failing sweep."""
    counts = {
        "SweptShops": swept.shops,
        "SweptRows": swept.rows,
        "UnreadableRows": swept.unreadable,
        "UnfilledGaps": swept.unfilled,
    }
    telemetry.count(counts)
    answer: dict[str, int | bool] = {**counts, "finished": swept.finished}
    telemetry.logger.info("archive_swept", extra=answer)
    return answer


def set_aside(row: InsertedRow, reason: str, message: str) -> None:
    """Store a row that cannot be read, and log why."""
    unsent.put(to_record(row, "archive"), reason, message)
    telemetry.logger.warning("row_set_aside", extra={"reason": reason, "found": message})
