"""The online commit's store in DynamoDB: shops, their items and the outbox."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_code, failure_of
from service_quality.commit.archived_ranges import LEDGER, OUTBOX_DAYS, follows_of
from service_quality.commit.outbox_rows import OutboxRow
from service_quality.commit.shop_item import SHOP_KEY, ShopItem, decode_shop, encode_shop
from service_quality.commit.state_items import HISTORY_DAYS, item_key, stored_days
from service_quality.commit.timers import due_slot
from service_quality.commit.transactions import Commit, archive_key, positions_in
from service_quality.errors import ConflictError, DependencyError, ServiceQualityError, ShopTroubleError
from service_quality.events.identifiers import SEPARATOR
from service_quality.events.log_records import Rejection

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

_MOST_KEYS = 100
_FRUITLESS_ROUNDS = 6
_CHECK: "AttributeValueTypeDef" = {"S": "check"}
_DAY_SECONDS = 86_400


_INVALID = "ValidationException"  # the answer to a request that a table will never take
_INVALID_ITEMS = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})


@dataclass(slots=True, eq=False, repr=False)
class StateReader:
    """Implements `preview.StateStore`: the state table, read strongly consistent."""

    dynamodb: "DynamoDBClient"
    state_table: str
    pause: Callable[[float], None] = time.sleep

    def check(self) -> None:
        """DeploymentError names the table when it is missing or may not be read."""
        self.read_shop("check")

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """The shop's item, strongly consistent."""
        try:
            found = self.dynamodb.get_item(
                TableName=self.state_table, Key={"item_key": {"S": _shop_key(shop_id)}}, ConsistentRead=True
            ).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.state_table}") from error
        return decode_shop(bytes(found["data"]["B"])) if found else None

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """Stored items by key, strongly consistent; what does not exist is left out."""
        start = len(shop_id) + len(SEPARATOR)
        items: dict[str, bytes] = {}
        for first in range(0, len(keys), _MOST_KEYS):
            for found in self._read_batch([item_key(shop_id, key) for key in keys[first : first + _MOST_KEYS]]):
                items[found["item_key"]["S"][start:]] = bytes(found["data"]["B"])
        return items

    def _read_batch(self, keys: list[str]) -> list[dict[str, "AttributeValueTypeDef"]]:
        found: list[dict[str, AttributeValueTypeDef]] = []
        wanted: Sequence[Mapping[str, AttributeValueTypeDef]] = [{"item_key": {"S": key}} for key in keys]
        fruitless = 0
        while wanted:
            try:
                answer = self.dynamodb.batch_get_item(
                    RequestItems={self.state_table: {"Keys": wanted, "ConsistentRead": True}}
                )
            except (ClientError, BotoCoreError) as error:
                raise failure_of(error, f"table {self.state_table}") from error
            found += answer["Responses"].get(self.state_table, [])
            unprocessed = answer.get("UnprocessedKeys", {})
            left = unprocessed[self.state_table]["Keys"] if self.state_table in unprocessed else []
            fruitless = fruitless + 1 if len(left) == len(wanted) else 0
            if fruitless == _FRUITLESS_ROUNDS:
                raise DependencyError(
                    f"table {self.state_table}: no answer to {len(left)} keys; the batch will be retried"
                )
            if fruitless:
                self.pause(0.025 * 2**fruitless)
            wanted = left
        return found


@dataclass(slots=True, eq=False, repr=False)
class StateTable:
    """Implements `online_commit.Store`; `now` gives the wall clock in seconds, for expiry alone."""

    dynamodb: "DynamoDBClient"
    state_table: str
    alerts_table: str
    rejected: Callable[[Sequence[Rejection]], None]
    now: Callable[[], float] = time.time
    pause: Callable[[float], None] = time.sleep
    _reader: StateReader = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is read yet."""
        self._reader = StateReader(self.dynamodb, self.state_table, self.pause)

    def check(self) -> None:
        """DeploymentError names the table that is missing or may not be read and written; nothing is written."""
        self._reader.check()
        puts = {
            self.state_table: {"item_key": _CHECK},
            self.alerts_table: {"stream_key": _CHECK, "sequence": _CHECK},
        }
        if not self._refuses_all(puts):
            for table, item in puts.items():
                self._refuse_put(table, item)

    def read_shop(self, shop_id: str) -> ShopItem | None:
        """The shop's item, strongly consistent."""
        return self._reader.read_shop(shop_id)

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        """Stored items by key, strongly consistent; what does not exist is left out."""
        return self._reader.read_items(shop_id, keys)

    def commit(self, commit: Commit) -> None:
        """One transaction over both tables; ConflictError when the shop's version is not the expected one."""
        items = [self._shop_put(commit)]
        items += [self._item_put(commit.shop_id, key, data) for key, data in commit.items.items()]
        items += [self._row_put(row) for row in commit.rows]
        try:
            self.dynamodb.transact_write_items(TransactItems=items)
        except (ClientError, BotoCoreError) as error:
            raise self._commit_failure(error) from error

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        """Store records of a shop that were rejected or parked; a second time changes nothing."""
        self.rejected(rejections)

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        """Those of these positions that some archive row of the shop holds, strongly consistent.

        A row is found by the position that it follows: of the rows that follow an earlier position, only the latest can
        hold a position.
        """
        held: set[str] = set()
        left = sorted(positions)
        while left:
            row = self._archive_row_before(shop_id, left[-1])
            if row is None:
                break
            follows, found = row
            held |= found & set(left)
            left = [position for position in left if position <= follows]
        return frozenset(held)

    def _archive_row_before(self, shop_id: str, position: str) -> tuple[str, frozenset[str]] | None:
        """The latest archive row that follows an earlier position: which one it follows, and the positions in it."""
        try:
            found = self.dynamodb.query(
                TableName=self.alerts_table,
                KeyConditionExpression="stream_key = :key AND #sequence < :position",
                ExpressionAttributeNames={"#sequence": "sequence"},
                ExpressionAttributeValues={":key": {"S": archive_key(shop_id)}, ":position": {"S": position}},
                ScanIndexForward=False,
                Limit=1,
                ConsistentRead=True,
            )["Items"]
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.alerts_table}") from error
        if not found:
            return None
        return follows_of(found[0]["sequence"]["S"]), positions_in(bytes(found[0]["body"]["B"]))

    def _refuses_all(self, puts: Mapping[str, dict[str, "AttributeValueTypeDef"]]) -> bool:
        """Whether a transaction of puts on conditions that no item meets fails for nothing else, as it should.

        It is the call of every commit, made for the first time; but its other errors name no table.
        """
        items: list[TransactWriteItemTypeDef] = [
            {"Put": {"TableName": table, "Item": item, "ConditionExpression": _unmet(item)}}
            for table, item in puts.items()
        ]
        try:
            self.dynamodb.transact_write_items(TransactItems=items)
        except (ClientError, BotoCoreError) as error:
            return _reasons(error) == ["ConditionalCheckFailed"] * len(items)
        return False

    def _refuse_put(self, table: str, item: dict[str, "AttributeValueTypeDef"]) -> None:
        """A put on a condition that no item meets: it fails only for the table or the permission."""
        try:
            self.dynamodb.put_item(TableName=table, Item=item, ConditionExpression=_unmet(item))
        except (ClientError, BotoCoreError) as error:
            if failure_code(error) != "ConditionalCheckFailedException":
                raise failure_of(error, f"table {table}") from error

    def _shop_put(self, commit: Commit) -> "TransactWriteItemTypeDef":
        item: dict[str, AttributeValueTypeDef] = {
            "item_key": {"S": _shop_key(commit.shop_id)},
            "version": {"N": str(commit.shop.version)},
            "data": {"B": encode_shop(commit.shop)},
        }
        if commit.expected_version == 0:
            absent = "attribute_not_exists(item_key)"
            return {"Put": {"TableName": self.state_table, "Item": item, "ConditionExpression": absent}}
        return {
            "Put": {
                "TableName": self.state_table,
                "Item": item,
                "ConditionExpression": "#version = :expected",
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": {":expected": {"N": str(commit.expected_version)}},
            }
        }

    def _item_put(self, shop_id: str, key: str, data: bytes) -> "TransactWriteItemTypeDef":
        item: dict[str, AttributeValueTypeDef] = {
            "item_key": {"S": item_key(shop_id, key)},
            "data": {"B": data},
        }
        days = stored_days(key)
        if days is not None:
            item["expires_at"] = _in_days(days, now=int(self.now()))
        return {"Put": {"TableName": self.state_table, "Item": item}}

    def _row_put(self, row: OutboxRow) -> "TransactWriteItemTypeDef":
        return {"Put": {"TableName": self.alerts_table, "Item": outbox_item(row, now=int(self.now()))}}

    def _commit_failure(self, error: Exception) -> ServiceQualityError:
        tables = f"tables {self.state_table} and {self.alerts_table}"
        if failure_code(error) == _INVALID:
            return ShopTroubleError(f"found {_INVALID} at {tables}, expected a transaction that they take")
        if failure_code(error) != "TransactionCanceledException":
            return failure_of(error, tables)
        reasons = _reasons(error)
        if reasons[:1] == ["ConditionalCheckFailed"] or "TransactionConflict" in reasons:
            return ConflictError("found another version of the shop's item, expected the one that was read")
        codes = sorted({str(code) for code in reasons if code and code != "None"})
        if set(codes) & _INVALID_ITEMS:
            return ShopTroubleError(f"found {', '.join(codes)} at {tables}, expected items that they take")
        return DependencyError(f"{tables}: {', '.join(codes) or 'no reason'}; the batch will be retried")


def _unmet(item: Mapping[str, object]) -> str:
    """A condition that no item meets."""
    name = next(iter(item))
    return f"attribute_exists({name}) AND attribute_not_exists({name})"


def _reasons(error: Exception) -> list[object]:
    """Why each item of a transaction was refused; empty for another error."""
    return [reason.get("Code") for reason in getattr(error, "response", {}).get("CancellationReasons", [])]


def _shop_key(shop_id: str) -> str:
    return item_key(shop_id, SHOP_KEY)


def outbox_item(row: OutboxRow, *, now: int) -> "dict[str, AttributeValueTypeDef]":
    """A row of the outbox as an item of the alerts table, put at an instant in seconds of the wall clock."""
    item: dict[str, AttributeValueTypeDef] = {
        "stream_key": {"S": row.stream_key},
        "sequence": {"S": row.sequence},
        "row_kind": {"S": row.row_kind},
        "body": {"B": row.body},
        "shop_id": {"S": row.shop_id},
    }
    if row.row_kind != LEDGER:
        item["expires_at"] = _in_days(HISTORY_DAYS if row.row_kind == "state" else OUTBOX_DAYS, now=now)
    if row.open:
        item["open_shop"] = {"S": row.shop_id}
    if row.due_at is not None:
        item["due_slot"] = {"S": due_slot(row.stream_key, row.due_at)}
        item["due_at"] = {"N": str(row.due_at)}
    return item


def _in_days(days: int, *, now: int) -> "AttributeValueTypeDef":
    return {"N": str(now + days * _DAY_SECONDS)}
