"""Whether a shop has a state: it has one from its first folded event on."""

from typing import TYPE_CHECKING

from service_quality.commit.shop_item import SHOP_KEY
from service_quality.commit.state_items import item_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def has_state(dynamodb: "DynamoDBClient", table: str, shop_id: str) -> bool:
    """Whether the state table holds the shop's item, whatever release wrote it."""
    key = {"item_key": {"S": item_key(shop_id, SHOP_KEY)}}
    answer = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True, ProjectionExpression="item_key")
    return "Item" in answer
