"""The archive's ledgers in the alerts table: the archived part of each shop's chain, and the rows that are missing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_code, failure_of
from service_quality.commit.archive_sweep import ArchivedShop
from service_quality.commit.archived_ranges import (
    LEDGER,
    NOTHING_ARCHIVED,
    OUTBOX_DAYS,
    Gap,
    Range,
    add_ranges,
    decode_ranges,
    encode_ranges,
    row_key,
)
from service_quality.commit.inserted_rows import InsertedRow
from service_quality.errors import DependencyError
from service_quality.events.identifiers import SEPARATOR

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

SWEEP = "archive_sweep"

_BEHIND_POSITIONS = ":"  # positions begin with a digit
_ATTEMPTS = 5
_MOST_KNOWN = 10_000
_KEPT_SECONDS = OUTBOX_DAYS * 86_400


@dataclass(slots=True, eq=False, repr=False)
class ArchiveLedger:
    """Implements `archive_sweep.Ledger`. A ledger is written on the condition that it is unchanged since the read."""

    dynamodb: "DynamoDBClient"
    table: str
    _known: dict[str, bytes] = field(default_factory=dict)

    def check(self) -> None:
        """DeploymentError names the table that is missing, or whose ledgers may not be read or written."""
        self._read(LEDGER, "check")
        condition = "attribute_exists(stream_key) AND attribute_not_exists(stream_key)"  # which no item meets
        try:
            self.dynamodb.put_item(TableName=self.table, Item=_key(LEDGER, "check"), ConditionExpression=condition)
        except (ClientError, BotoCoreError) as error:
            if failure_code(error) != "ConditionalCheckFailedException":
                raise failure_of(error, f"table {self.table}") from error

    def add(self, shop_id: str, ranges: Iterable[Range]) -> None:
        """Add archived ranges to a shop's ledger; DependencyError when other workers keep changing it."""
        new = tuple(ranges)
        for _ in range(_ATTEMPTS):
            before = self._known.pop(shop_id, None) or self._read(LEDGER, shop_id)
            after = encode_ranges(add_ranges(decode_ranges(before or NOTHING_ARCHIVED), new))
            if after == before or self._replace(shop_id, before, after):
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[shop_id] = after
                return
        raise DependencyError(
            f"table {self.table}: a ledger kept changing {_ATTEMPTS} times; a later attempt may succeed"
        )

    def read_shops(self, *, after: str) -> Iterator[ArchivedShop]:
        """Every shop with a commit, in order of their ids, from the one after `after` on."""
        for page in self._query(LEDGER, "#sequence > :from", {":from": after or "\x01"}):
            for item in page:
                yield ArchivedShop(item["sequence"]["S"], decode_ranges(bytes(item["body"]["B"])))

    def read_rows(self, shop_id: str, gap: Gap) -> Iterator[list[InsertedRow]]:
        """A shop's archive rows in a gap, page by page, in order of the chain."""
        chain = f"{shop_id}{SEPARATOR}archive"
        bounds = {":from": row_key(gap.after), ":to": gap.before or _BEHIND_POSITIONS}
        for page in self._query(chain, "#sequence BETWEEN :from AND :to", bounds):
            yield [row for row in map(_row, page) if row.sequence != gap.before]

    def read_progress(self) -> str:
        """The shop after which the next sweep begins; empty before the first."""
        return (self._read(SWEEP, "after") or b"").decode()

    def write_progress(self, shop_id: str) -> None:
        """Let the next sweep begin after a shop."""
        item = {**_key(SWEEP, "after"), "row_kind": {"S": SWEEP}, "body": {"B": shop_id.encode()}}
        try:
            self.dynamodb.put_item(TableName=self.table, Item=item)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.table}") from error

    def _read(self, stream_key: str, sequence: str) -> bytes | None:
        try:
            found = self.dynamodb.get_item(TableName=self.table, Key=_key(stream_key, sequence), ConsistentRead=True)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"table {self.table}") from error
        return bytes(found["Item"]["body"]["B"]) if "Item" in found else None

    def _replace(self, shop_id: str, before: bytes | None, after: bytes) -> bool:
        """Write a ledger that is unchanged since the read; False where it has changed."""
        item: dict[str, AttributeValueTypeDef] = {
            **_key(LEDGER, shop_id),
            "row_kind": {"S": LEDGER},
            "shop_id": {"S": shop_id},
            "body": {"B": after},
        }
        try:
            if before is None:
                condition = "attribute_not_exists(stream_key)"
                self.dynamodb.put_item(TableName=self.table, Item=item, ConditionExpression=condition)
            else:
                self.dynamodb.put_item(
                    TableName=self.table,
                    Item=item,
                    ConditionExpression="#body = :before",
                    ExpressionAttributeNames={"#body": "body"},
                    ExpressionAttributeValues={":before": {"B": before}},
                )
        except (ClientError, BotoCoreError) as error:
            if failure_code(error) == "ConditionalCheckFailedException":
                return False
            raise failure_of(error, f"table {self.table}") from error
        return True

    def _query(
        self, stream_key: str, condition: str, bounds: dict[str, str]
    ) -> "Iterator[list[dict[str, AttributeValueTypeDef]]]":
        """Items of a partition in order, page by page (a page is at most 1 MB)."""
        values: dict[str, AttributeValueTypeDef] = {":stream_key": {"S": stream_key}}
        request: QueryInputTypeDef = {
            "TableName": self.table,
            "KeyConditionExpression": f"stream_key = :stream_key AND {condition}",
            "ExpressionAttributeNames": {"#sequence": "sequence"},
            "ExpressionAttributeValues": values | {name: {"S": value} for name, value in bounds.items()},
        }
        while True:
            try:
                answer = self.dynamodb.query(**request)
            except (ClientError, BotoCoreError) as error:
                raise failure_of(error, f"table {self.table}") from error
            yield answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _key(stream_key: str, sequence: str) -> "dict[str, AttributeValueTypeDef]":
    return {"stream_key": {"S": stream_key}, "sequence": {"S": sequence}}


def _row(item: "dict[str, AttributeValueTypeDef]") -> InsertedRow:
    """A stored row; when it was written follows from when it expires."""
    return InsertedRow(
        stream_key=item["stream_key"]["S"],
        sequence=item["sequence"]["S"],
        shop_id=item["shop_id"]["S"],
        body=bytes(item["body"]["B"]),
        written_at=(int(item["expires_at"]["N"]) - _KEPT_SECONDS) * 1000,
    )
