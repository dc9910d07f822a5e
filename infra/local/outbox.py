"""The outbox rows of the alerts table: the alerts that the functions have committed to be sent."""

from infra.local.cloud import Cloud
from service_quality.alerts.alert import Alert
from service_quality.alerts.stored_alerts import AlertRow, read_alert

_ALERTS = "row_kind = :alert"


def count_alert_rows(cloud: Cloud, table: str) -> int:
    """The number of alerts that the functions have committed to be sent."""
    values = {":alert": {"S": "alert"}}
    pages = cloud.dynamodb.get_paginator("scan").paginate(
        TableName=table, Select="COUNT", FilterExpression=_ALERTS, ExpressionAttributeValues=values
    )
    return sum(page["Count"] for page in pages)


def read_alert_rows(cloud: Cloud, table: str) -> list[Alert]:
    """Those alerts with their plain ids, in no order."""
    values = {":alert": {"S": "alert"}}
    pages = cloud.dynamodb.get_paginator("scan").paginate(
        TableName=table, FilterExpression=_ALERTS, ExpressionAttributeValues=values
    )
    rows = [item for page in pages for item in page["Items"]]
    return [
        read_alert(AlertRow(row["stream_key"]["S"], row["sequence"]["S"], row["shop_id"]["S"], row["body"]["B"]))
        for row in rows
    ]
