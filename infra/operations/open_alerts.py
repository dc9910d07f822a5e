"""Alerts as their state rows in the alerts table hold them: what was sent last of each, and its plain ids."""

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from cli.progress import Signs
from service_quality.alerts.alert_messages import AlertBody
from service_quality.alerts.publications import Publication, publication_of
from service_quality.alerts.rules import SEVERITIES
from service_quality.alerts.shop_settings import ShopSettings
from service_quality.alerts.stored_alerts import AlertRow, read_alert
from service_quality.errors import UnreadableRowError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "open_alerts"
_STATE = "state"  # of a row: its kind, and its place in the stream of its alert
_LAST_NUMBER = re.compile(r"-(\d{14}-\d{4,9})", re.ASCII)


class FoundAlert(NamedTuple):
    """An alert with its plain ids, and the row of its last message; it is open or over."""

    row: AlertRow
    plain: AlertBody
    is_open: bool

    def sent(self, settings: ShopSettings, salt: bytes) -> Publication:
        """The alert's last message, as dispatch_outbox makes it."""
        return publication_of(self.row, settings, salt=salt)


def read_alerts(
    dynamodb: "DynamoDBClient", table: str, shop_id: str | None, *, with_resolved: bool = False
) -> list[FoundAlert]:
    """The open alerts of a shop, or of all, the gravest and then the oldest first.

    `with_resolved` reads the whole table, and gives those that are over, too.
    """
    items = _every(dynamodb, table, shop_id) if with_resolved else _open(dynamodb, table, shop_id)
    alerts = [alert for item in items for alert in _alert(item)]
    return sorted(alerts, key=lambda one: (-_rank(one.plain), one.plain["opened_at"] or "", one.plain["alert_id"]))


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
        ExpressionAttributeValues={":state": {"S": _STATE}},
    )
    signs, seen = Signs("table of alerts"), 0
    for page in pages:
        seen += page["ScannedCount"]
        signs.show(f"{seen} rows seen")
        yield from (item for item in page["Items"] if shop_id in (None, item["shop_id"]["S"]))


def _alert(item: dict[str, Any]) -> Iterator[FoundAlert]:
    """The alert in a row; nothing for a row that no release can read, which dispatch sets aside."""
    body = bytes(item["body"]["B"])
    row = AlertRow(item["stream_key"]["S"], _last_number(body), item["shop_id"]["S"], body)
    try:
        yield FoundAlert(row, read_alert(row), "open_shop" in item)
    except UnreadableRowError:
        return


def _last_number(body: bytes) -> str:
    """The number of the alert's last message, which its body names; "state" for a body of a release that does not.

    >>> _last_number(b'{"message_id": "0a1b2c-00001692864000-0002"}')
    '00001692864000-0002'
    """
    try:
        named = json.loads(body)["message_id"]
        found = _LAST_NUMBER.search(named)
    except (ValueError, KeyError, TypeError, RecursionError):
        return _STATE
    return found[1] if found else _STATE


def _rank(alert: AlertBody) -> int:
    severity = alert["severity"]
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
