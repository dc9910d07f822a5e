"""Outbox to topic and timers' queue: alerts are published when inserted, in order; timers that ring soon are sent."""

import os
import time
import traceback
from collections import Counter

from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.alert_topic import AlertTopic
from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.buckets.unsent_rows import UnsentRows
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.shop_settings_table import ShopSettingsTable
from service_quality.adapters.telemetry import Telemetry
from service_quality.adapters.timer_queue import TimerQueue
from service_quality.alerts.publications import Publication, publication_of
from service_quality.alerts.stored_alerts import AlertRow
from service_quality.by_fields import value_class
from service_quality.commit.inserted_rows import StreamRecord, image_value, read_inserts, read_puts, read_row
from service_quality.commit.timer_messages import TimerMessage, message_of_record
from service_quality.commit.timers import TIMER
from service_quality.errors import ServiceQualityError, UnreadableRowError
from service_quality.settings import read_settings


@value_class(frozen=True, slots=True)
class Settings:
    """The variables that the stack sets for this function."""

    alert_topic_arn: str
    alerts_table: str
    id_salt_secret: str
    rejected_bucket: str
    timer_queue: str


def read_clock() -> int:
    """Now, in epoch milliseconds."""
    return time.time_ns() // 1_000_000


settings = read_settings(Settings, os.environ)
telemetry = Telemetry("dispatch_outbox")
topic = AlertTopic(make_client("sns"), settings.alert_topic_arn)
shops = ShopSettingsTable(make_client("dynamodb"), settings.alerts_table)
unsent = UnsentRows(make_client("s3"), settings.rejected_bucket, "alert")
salt = read_secret(make_client("secretsmanager"), settings.id_salt_secret)
timers = TimerQueue(make_client("sqs"), settings.timer_queue)
topic.check()
shops.check()
unsent.check()
timers.check()


@telemetry.metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, int]:
    """Let the batch's new alerts and its timers leave, and count them; neither waits for the other.

    When the topic or the queue fails, the batch is retried: an alert has the same id again, a second timer is dropped.
    """
    counts: dict[str, int] = {}
    failures: list[ServiceQualityError] = []
    for leave in (publish_alerts, send_timers):
        try:
            counts |= leave(event)
        except ServiceQualityError as error:
            failures.append(error)
    telemetry.count(counts)
    if failures:
        raise failures[0]
    return counts


def publish_alerts(event: object) -> dict[str, int]:
    """Publish the batch's new alerts; one that cannot be sent is set aside, and the others go out."""
    records = read_inserts(event, "alert")
    telemetry.count({"ReceivedRecords": len(records)})
    rendered = [(record, one) for record in records if (one := render(record)) is not None]
    rejected = topic.publish([publication for _, publication in rendered])
    for index, code in rejected.items():
        set_aside(rendered[index][0], "invalid_message", f"found {code} at the topic, expected the message to be taken")
    kinds = Counter(one.attributes["kind"] for index, (_, one) in enumerate(rendered) if index not in rejected)
    counts = {"PublishedAlerts": kinds.total(), "RejectedAlerts": len(records) - kinds.total()}
    if records:
        telemetry.logger.info("alerts_published", extra={**counts, "kinds": dict(kinds)})
    return counts


def send_timers(event: object) -> dict[str, int]:
    """Send the batch's timers that ring soon; the others stay in the index by due time, where the sweep finds them."""
    now = read_clock()
    found = [one for record in read_puts(event, TIMER) if (one := read_timer_message(record)) is not None]
    sent = [one for one in found if one.is_sent(now)]
    timers.send(sent)
    if found:
        telemetry.logger.info("timers_sent", extra={"sent": len(sent), "left": len(found) - len(sent)})
    return {"SentTimers": len(sent)}


def read_timer_message(record: StreamRecord) -> TimerMessage | None:
    """The message about a record's timer; None for one that rings no more, or that cannot be read, which is logged."""
    if image_value(record, "due_at", "N") is None:
        return None
    try:
        return message_of_record(record)
    except UnreadableRowError as error:
        telemetry.logger.warning("timer_unreadable", extra={"reason": error.reason, "found": str(error)})
        return None


def render(record: StreamRecord) -> Publication | None:
    """The publication of a record's row; None for one that cannot be rendered, which is set aside."""
    try:
        row = read_row(record)
        alert = AlertRow(row.stream_key, row.sequence, row.shop_id, row.body)
        return publication_of(alert, shops.read(row.shop_id), salt=salt)
    except UnreadableRowError as error:
        set_aside(record, error.reason, str(error))
    except ServiceQualityError:
        raise
    except Exception as error:  # a defect of the rendering must not hold back the later alerts
        stack = traceback.format_tb(error.__traceback__)  # without the message, which could quote the alert
        telemetry.logger.error("rendering_failed", extra={"error": type(error).__name__, "stack": stack})
        set_aside(record, "rendering_failed", f"found {type(error).__name__}, expected a message")
    return None


def set_aside(record: StreamRecord, reason: str, message: str) -> None:
    """Store a record that could not be sent, and log why."""
    unsent.put(record, reason, message)
    telemetry.logger.warning("alert_set_aside", extra={"reason": reason, "found": message})
