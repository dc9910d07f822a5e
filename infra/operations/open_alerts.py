"""Alerts as their rows in the alerts table hold them: what each is now and was told last, with its plain ids."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.progress import Signs
from service_quality.alerts.alert import Alert
from service_quality.alerts.publications import Publication, as_published, publication_of
from service_quality.alerts.rules import SEVERITIES
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import STATE, AlertRow, alert_stream_key, read_alert
from service_quality.errors import UnreadableRowError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "open_alerts"


class FoundAlert(NamedTuple):
    """An alert as it is now, with its plain ids, and its row; it is open or over."""

    row: AlertRow
    plain: Alert
    is_open: bool

    def shown(self, settings: ShopSettings, salt: bytes) -> Alert:
        """The alert with the ids that its messages carry."""
        return as_published(self.plain, settings, salt)


def read_alerts(
    dynamodb: "DynamoDBClient", table: str, shop_id: str | None, *, with_resolved: bool = False
) -> list[FoundAlert]:
    """The open alerts of a shop, or of all, the gravest and then the newest first.

    `with_resolved` reads the whole table, and gives those that are over, too.
    """
    items = _every(dynamodb, table, shop_id) if with_resolved else _open(dynamodb, table, shop_id)
    alerts = [alert for item in items for alert in _alert(item)]
    return sorted(alerts, key=lambda one: (-_rank(one.plain), -(one.plain.opened_at or 0), one.plain.alert_id))


def read_alert_of(dynamodb: "DynamoDBClient", table: str, shop_id: str, alert_id: str) -> list[FoundAlert]:
    """The one alert of a shop with this id, open or over; empty where there is none."""
    key = {"stream_key": {"S": alert_stream_key(shop_id, alert_id)}, "sequence": {"S": STATE}}
    item = dynamodb.get_item(TableName=table, Key=key).get("Item")
    return list(_alert(item)) if item else []


def last_message(
    dynamodb: "DynamoDBClient", table: str, found: FoundAlert, settings: ShopSettings, *, salt: bytes
) -> Publication:
    """What dispatch_outbox sent of an alert last; the alert as it is now where the message's row has expired."""
    messages = dynamodb.query(
        TableName=table,
        KeyConditionExpression="stream_key = :key AND #sequence < :state",
        ExpressionAttributeNames={"#sequence": "sequence"},
        ExpressionAttributeValues={":key": {"S": found.row.stream_key}, ":state": {"S": STATE}},
        ScanIndexForward=False,
        Limit=1,
    )["Items"]
    return publication_of(_row(messages[0]) if messages else found.row, settings, salt=salt)


def _open(dynamodb: "DynamoDBClient", table: str, shop_id: str | None) -> Iterator[dict[str, Any]]:
    if shop_id is None:
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, IndexName=INDEX)
    else:
        pages = dynamodb.get_paginator("query").paginate(
            TableName=table,
            IndexName=INDEX,
            KeyConditionExpression="open_shop = :shop",
            ExpressionAttributeValues={":shop": {"S": shop_id}},
        )
    for page in pages:
        yield from page["Items"]


def _every(dynamodb: "DynamoDBClient", table: str, shop_id: str | None) -> Iterator[dict[str, Any]]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="row_kind = :state",
        ExpressionAttributeValues={":state": {"S": STATE}},
    )
    signs, seen = Signs("table of alerts"), 0
    for page in pages:
        seen += page["ScannedCount"]
        signs.show(f"{seen} rows seen")
        yield from (item for item in page["Items"] if shop_id in (None, item["shop_id"]["S"]))


def _alert(item: dict[str, Any]) -> Iterator[FoundAlert]:
    """The alert in a row; nothing for a row that no release can read, which dispatch sets aside."""
    row = _row(item)
    try:
        yield FoundAlert(row, read_alert(row), "open_shop" in item)
    except UnreadableRowError:
        return


def _row(item: dict[str, Any]) -> AlertRow:
    return AlertRow(item["stream_key"]["S"], item["sequence"]["S"], item["shop_id"]["S"], bytes(item["body"]["B"]))


def _rank(alert: Alert) -> int:
    return SEVERITIES.index(alert.severity) if alert.severity in SEVERITIES else len(SEVERITIES)
