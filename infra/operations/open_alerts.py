"""Alerts that are open now, from the index of the alerts table, and alerts of a file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from infra.operations.errors import ArgumentsError
from service_quality.alerts.alert_messages import AlertBody
from service_quality.alerts.rules import SEVERITIES
from service_quality.alerts.stored_alerts import AlertRow, read_alert
from service_quality.errors import UnreadableRowError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "open_alerts"


def read_open_alerts(dynamodb: "DynamoDBClient", table: str, shop_id: str | None) -> list[AlertBody]:
    """The open alerts of a shop, or of all, the gravest and then the oldest first, with their plain ids."""
    alerts = [alert for item in _items(dynamodb, table, shop_id) for alert in _alert(item)]
    return sorted(alerts, key=lambda one: (-_rank(one["severity"]), one["opened_at"] or "", one["alert_id"]))


def read_alert_file(path: Path) -> list[AlertBody]:
    """The alerts of a file with one message a line, as a demo writes; ArgumentsError for any other file."""
    try:
        lines = path.read_text("utf-8").splitlines()
        alerts = [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise ArgumentsError(f"{path}: found {type(error).__name__}, expected an alert in JSON on each line") from None
    if not all(isinstance(one, dict) and AlertBody.__required_keys__ <= one.keys() for one in alerts):
        raise ArgumentsError(f"{path}: found a line of another form, expected alerts as in docs/alert.schema.json")
    return cast(list[AlertBody], alerts)


def _items(dynamodb: "DynamoDBClient", table: str, shop_id: str | None) -> Iterator[dict[str, Any]]:
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


def _alert(item: dict[str, Any]) -> Iterator[AlertBody]:
    """The alert in a row; nothing for a row that no release can read, which dispatch sets aside."""
    row = AlertRow(item["stream_key"]["S"], item["sequence"]["S"], item["shop_id"]["S"], item["body"]["B"])
    try:
        yield read_alert(row)
    except UnreadableRowError:
        return


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
