"""The lease on a shop's parked records: one run at a time puts them back, and a killed run's lease expires."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from infra.operations.errors import OtherRunError
from service_quality.commit.state_items import item_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

LEASE_SECONDS = 120
_RENEW_SECONDS = 30
_LOOK_SECONDS = 5  # between two looks at a lease of another run, which may end
#: The key of a shop's lease in the state table; the fold reads no item of this name.
_LEASE_KEY = "put_back_lease"


@dataclass(slots=True)
class Lease:
    """A lease of one `owner`, renewed while it works; `now` gives the wall clock in seconds."""

    dynamodb: "DynamoDBClient"
    table: str
    shop_id: str
    owner: str
    now: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    _renewed_at: float = 0.0

    @contextmanager
    def held(self, *, waiting: Callable[[float], None]) -> Iterator[None]:
        """Hold it while the context lasts; `waiting` is called with the seconds that another's lease still runs.

        OtherRunError when another run holds it and goes on renewing it.
        """
        left = min(self._take(), LEASE_SECONDS + 2.0)
        if left:
            waiting(left)
        while left:
            pause = min(left, _LOOK_SECONDS)
            self.pause(pause)
            held = self._take()
            left = min(held, left - pause)
            if held and left <= 0:
                raise OtherRunError(
                    "found another run that puts this shop's records back, expected no other: let it end"
                )
        try:
            yield
        finally:
            self._release()

    def renew(self) -> bool:
        """Renew an old lease; True where it was old. OtherRunError where another run took it."""
        if self.now() - self._renewed_at < _RENEW_SECONDS:
            return False
        if self._take():
            raise OtherRunError("found the lease on this shop's records taken by another run, expected it to be ours")
        return True

    def _take(self) -> float:
        """Take or renew it; the seconds for which another run still holds it, 0 once it is ours."""
        now = self.now()
        try:
            self.dynamodb.put_item(
                TableName=self.table,
                Item={**self._key(), "owner": {"S": self.owner}, "expires_at": {"N": str(int(now) + LEASE_SECONDS)}},
                ConditionExpression="attribute_not_exists(item_key) OR #owner = :owner OR expires_at <= :now",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": self.owner}, ":now": {"N": str(int(now))}},
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise
            return self._seconds_left(now)
        self._renewed_at = now
        return 0.0

    def _seconds_left(self, now: float) -> float:
        held = self.dynamodb.get_item(TableName=self.table, Key=self._key(), ConsistentRead=True).get("Item")
        return max(1.0, int(held["expires_at"]["N"]) - now + 1) if held else 1.0

    def _release(self) -> None:
        try:
            self.dynamodb.delete_item(
                TableName=self.table,
                Key=self._key(),
                ConditionExpression="#owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": self.owner}},
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
                raise

    def _key(self) -> dict[str, "AttributeValueTypeDef"]:
        return {"item_key": {"S": item_key(self.shop_id, _LEASE_KEY)}}
