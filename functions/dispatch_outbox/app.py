"""Outbox to people: every alert row published once, in the order of the table's stream."""

import os
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from service_quality.adapters.alert_topic import AlertTopic
from service_quality.adapters.aws_clients import make_client
from service_quality.adapters.secret_value import read_secret
from service_quality.adapters.shop_settings_table import ShopSettingsTable
from service_quality.alerts.publications import publication_of
from service_quality.settings import read_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the template gives this function."""

    alert_topic_arn: str
    alerts_table: str
    id_salt_secret: str


settings = read_settings(Settings, os.environ)
logger = Logger(service="dispatch_outbox")
metrics = Metrics(namespace="ServiceQuality", service="dispatch_outbox")
topic = AlertTopic(make_client("sns"), settings.alert_topic_arn)
shops = ShopSettingsTable(make_client("dynamodb"), settings.alerts_table)
salt = read_secret(make_client("secretsmanager"), settings.id_salt_secret)
topic.check()
shops.check()


@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Publish the batch's alerts; when one fails the batch comes again, each message with the id it had."""
    metrics.add_metric("ReceivedRecords", MetricUnit.Count, len(event["Records"]))
    publications = [
        publication_of(row["body"], shops.read(row["shop_id"]), salt=salt) for row in read_alert_rows(event)
    ]
    topic.publish(publications)
    published = Counter(publication.attributes["kind"] for publication in publications)
    metrics.add_metric("PublishedAlerts", MetricUnit.Count, published.total())
    logger.info("alerts_published", extra={"PublishedAlerts": dict(published)})


def read_alert_rows(event: dict[str, Any]) -> list[dict[str, Any]]:
    """Body and shop of the alert rows in a batch of the table's stream, in its order."""
    images = (record["dynamodb"].get("NewImage", {}) for record in event["Records"])
    return [
        {"body": b64decode(image["body"]["B"]), "shop_id": image["shop_id"]["S"]}
        for image in images
        if image.get("row_kind", {}).get("S") == "alert"
    ]
