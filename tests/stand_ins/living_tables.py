"""DynamoDB as long-lived tables show it: transactions, conditions, stale replicas, expiry, a stream of changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.stand_ins.aws_services import refusal
from tests.stand_ins.memory_store import MOST_ITEMS, MOST_ROW_BYTES, RefusedByTableError

Key = tuple[str, ...]
Item = dict[str, Any]
_KEY_NAMES = ("item_key", "stream_key", "sequence")
_MOST_TRANSACTION_BYTES = 4_000_000


@dataclass(frozen=True)
class Change:
    """One record of a table's stream: the item as it was put, and when."""

    table: str
    item: Item
    written_at: int


@dataclass
class LivingTables:
    """Answers as DynamoDB's client does. `now` is the wall clock; `lags` says whether a read that may be stale is."""

    tables: dict[str, dict[Key, Item]]
    now: Callable[[], int]
    lags: Callable[[], bool]
    changes: list[Change] = field(default_factory=list)
    _replicas: dict[tuple[str, Key], Item | None] = field(default_factory=dict)

    def get_item(self, *, TableName: str, Key: Item, ConsistentRead: bool = False) -> Item:
        found = self._read(TableName, _key(Key), consistent=ConsistentRead)
        return {"Item": found} if found else {}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Item:
        found = {name: self._read_all(name, request) for name, request in RequestItems.items()}
        return {"Responses": found, "UnprocessedKeys": {}}

    def query(self, *, TableName: str, ConsistentRead: bool = False, **request: Any) -> Item:
        assert request["KeyConditionExpression"] == "stream_key = :key AND #sequence < :position"
        assert (request["ScanIndexForward"], request["Limit"]) == (False, 1)
        values = request["ExpressionAttributeValues"]
        stream_key, before = values[":key"]["S"], values[":position"]["S"]
        keys = [key for key in self.tables[TableName] if key[0] == stream_key and key[1] < before]
        if not ConsistentRead:
            keys = [key for key in keys if self._read(TableName, key, consistent=False)]
        return {"Items": [self.tables[TableName][max(keys)]] if keys else []}

    def transact_write_items(self, *, TransactItems: Sequence[Mapping[str, Any]]) -> None:
        puts = [one["Put"] for one in TransactItems]
        _refuse_what_no_transaction_holds(puts)
        reasons = [{"Code": "None" if self._meets(put) else "ConditionalCheckFailed"} for put in puts]
        if any(reason["Code"] != "None" for reason in reasons):
            raise refusal("TransactionCanceledException", CancellationReasons=reasons)
        for put in puts:
            self._put(put["TableName"], put["Item"])

    def put_item(self, *, TableName: str, Item: Item) -> None:
        self._put(TableName, Item)

    def expire(self, *, spares: Callable[[], bool]) -> list[tuple[str, Item]]:
        """Delete what has expired by the wall clock, but for what the sweep has not come to yet."""
        deleted = []
        now = self.now() / 1000
        for name, table in self.tables.items():
            expired = [key for key, item in table.items() if float(item.get("expires_at", {}).get("N", "inf")) < now]
            for key in expired:
                if not spares():
                    self._replicas[name, key] = table[key]
                    deleted.append((name, table.pop(key)))
        return deleted

    def _read_all(self, name: str, request: Mapping[str, Any]) -> list[Item]:
        consistent = request.get("ConsistentRead", False)
        found = [self._read(name, _key(key), consistent=consistent) for key in request["Keys"]]
        return [item for item in found if item]

    def _read(self, name: str, key: Key, *, consistent: bool) -> Item | None:
        if not consistent and (name, key) in self._replicas and self.lags():
            return self._replicas[name, key]
        return self.tables[name].get(key)

    def _put(self, name: str, item: Item) -> None:
        key = _key(item)
        self._replicas[name, key] = self.tables[name].get(key)
        self.tables[name][key] = item
        self.changes.append(Change(name, item, self.now()))

    def _meets(self, put: Mapping[str, Any]) -> bool:
        condition = put.get("ConditionExpression")
        held = self.tables[put["TableName"]].get(_key(put["Item"]))
        if condition is None:
            return True
        if condition == "attribute_not_exists(item_key)":
            return held is None
        assert condition == "#version = :expected", condition
        return held is not None and held["version"] == put["ExpressionAttributeValues"][":expected"]


def _key(item: Mapping[str, Any]) -> Key:
    return tuple(item[name]["S"] for name in _KEY_NAMES if name in item)


def _refuse_what_no_transaction_holds(puts: Sequence[Mapping[str, Any]]) -> None:
    keys = {(put["TableName"], _key(put["Item"])) for put in puts}
    sizes = [len(value.get("B", b"")) for put in puts for value in put["Item"].values()]
    if len(puts) > MOST_ITEMS:
        raise RefusedByTableError(f"found {len(puts)} items, expected at most {MOST_ITEMS}")
    if len(keys) != len(puts):
        raise RefusedByTableError("found a key twice in one transaction, expected each once")
    if max(sizes) > MOST_ROW_BYTES or sum(sizes) > _MOST_TRANSACTION_BYTES:
        raise RefusedByTableError(f"found {max(sizes)} bytes in an item and {sum(sizes)} in all")
