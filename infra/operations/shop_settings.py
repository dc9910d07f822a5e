"""The settings of a shop's alerts, read and changed in their row of the alerts table."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cli.arguments import shown
from service_quality.adapters.shop_settings_table import settings_key
from service_quality.alerts.shop_settings import SETTINGS, shop_settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def setting(name: str, text: str) -> str:
    """The value of a setting, "" for its default; ValueError for one that alerts would not follow.

    >>> setting("time_zone", "Asia/Shanghai")
    'Asia/Shanghai'
    >>> setting("ids", "shown")
    Traceback (most recent call last):
        ...
    ValueError: found 'shown', expected hashed or plain
    """
    if not text:
        return text
    if getattr(shop_settings({name: text}), name) != text:
        raise ValueError(f"found {shown(text)}, expected {SETTINGS[name].partition(':')[2].strip()}")
    return text


def read_settings(dynamodb: "DynamoDBClient", table: str, shop_id: str) -> dict[str, str]:
    """The settings as stored; those that are not stored have their defaults."""
    found = dynamodb.get_item(TableName=table, Key=settings_key(shop_id), ConsistentRead=True).get("Item", {})
    return {name: found[name]["S"] for name in SETTINGS if "S" in found.get(name, {})}


def write_settings(dynamodb: "DynamoDBClient", table: str, shop_id: str, given: Mapping[str, str]) -> None:
    """Change the given settings and leave the others; an empty value goes back to the default."""
    changed = {name: value for name, value in given.items() if value}
    removed = [name for name, value in given.items() if not value]
    parts = ["SET " + ", ".join(f"#{name} = :{name}" for name in changed)] if changed else []
    parts += ["REMOVE " + ", ".join(f"#{name}" for name in removed)] if removed else []
    values = {f":{name}": {"S": value} for name, value in changed.items()}
    dynamodb.update_item(
        TableName=table,
        Key=settings_key(shop_id),
        UpdateExpression=" ".join(parts),
        ExpressionAttributeNames={f"#{name}": name for name in given},
        **({"ExpressionAttributeValues": values} if values else {}),  # type: ignore[arg-type]  # as the call wants it
    )
