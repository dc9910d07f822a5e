"""The outbox rows of the alerts table, counted."""

from infra.local.cloud import Cloud


def count_alert_rows(cloud: Cloud, table: str) -> int:
    """The number of alerts that the functions have committed to be sent."""
    pages = cloud.dynamodb.get_paginator("scan").paginate(
        TableName=table,
        Select="COUNT",
        FilterExpression="row_kind = :alert",
        ExpressionAttributeValues={":alert": {"S": "alert"}},
    )
    return sum(page["Count"] for page in pages)
