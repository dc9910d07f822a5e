"""Each shop's settings of its alerts, read from the alerts table and cached for a minute."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.alerts.shop_settings import ShopSettings, shop_settings
from service_quality.aws_errors import failure_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_CACHED_SECONDS = 60


def settings_key(shop_id: str) -> "dict[str, AttributeValueTypeDef]":
    """The key of a shop's row; each setting is an attribute of its own name."""
    return {"stream_key": {"S": "settings"}, "sequence": {"S": shop_id}}


@dataclass(slots=True, eq=False, repr=False)
class ShopSettingsTable:
    """One row per shop under the stream key "settings"; a shop without one has the defaults."""

    dynamodb: "DynamoDBClient"
    table: str
    now: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[float, ShopSettings]] = field(default_factory=dict)

    def check(self) -> None:
        """DeploymentError names the table that is missing or may not be read."""
        self._read("check")

    def read(self, shop_id: str) -> ShopSettings:
        """The shop's settings, at most a minute old."""
        read_at, settings = self._known.get(shop_id, (None, None))
        if read_at is None or settings is None or self.now() - read_at >= _CACHED_SECONDS:
            settings = self._read(shop_id)
            self._known[shop_id] = (self.now(), settings)
        return settings

    def _read(self, shop_id: str) -> ShopSettings:
        try:
            found = self.dynamodb.get_item(TableName=self.table, Key=settings_key(shop_id)).get("Item", {})
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.table}") from error
        return shop_settings({name: value.get("S") for name, value in found.items()})
