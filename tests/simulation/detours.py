"""Detours that mutants take to the store: writes outside of the transaction, reads in the wrong order or too weak."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service_quality.adapters.state_table import StateTable
from service_quality.commit.shop_item import ShopItem
from service_quality.commit.state_items import entity_name
from service_quality.commit.transactions import Commit
from service_quality.errors import DependencyError
from service_quality.events.log_records import Rejection
from tests.simulation.outside import STATE


@dataclass
class Detour:
    """A store between the commit and the real one; mutants change one call of it."""

    store: StateTable

    def read_shop(self, shop_id: str) -> ShopItem | None:
        return self.store.read_shop(shop_id)

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        return self.store.read_items(shop_id, keys)

    def commit(self, commit: Commit) -> None:
        self.store.commit(commit)

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        self.store.store_rejected(rejections)

    def positions_archived(self, shop_id: str, positions: Sequence[str]) -> frozenset[str]:
        return self.store.positions_archived(shop_id, positions)

    def put_rows(self, commit: Commit, *, kinds: tuple[str, ...]) -> None:
        """Rows of a commit in a transaction of their own."""
        rows = [self.store._row_put(row) for row in commit.rows if row.row_kind in kinds]
        try:
            if rows:
                self.store.dynamodb.transact_write_items(TransactItems=rows)
        except Exception as error:
            raise DependencyError("the rows were not written") from error


@dataclass
class ItemsFirst(Detour):
    """Reads a shop's items before the item that fences them."""

    held: dict[str, Mapping[str, bytes]] = field(default_factory=dict)

    def read_shop(self, shop_id: str) -> ShopItem | None:
        door: Any = self.store.dynamodb
        stored = door.outside.tables.tables[STATE]
        keys = [key[0].removeprefix(f"{shop_id}\x1f") for key in stored if key[0].startswith(f"{shop_id}\x1f")]
        self.held[shop_id] = self.store.read_items(shop_id, keys) if keys else {}
        return self.store.read_shop(shop_id)

    def read_items(self, shop_id: str, keys: list[str]) -> Mapping[str, bytes]:
        return {key: self.held[shop_id][key] for key in keys if key in self.held[shop_id]}


class ArchiveAfter(Detour):
    """Writes the archive row once the transaction has succeeded."""

    def commit(self, commit: Commit) -> None:
        self.store.commit(commit._replace(rows=tuple(row for row in commit.rows if row.row_kind != "archive")))
        self.put_rows(commit, kinds=("archive",))


class ArchiveBefore(Detour):
    """Writes the archive row first, so that none is missing."""

    def commit(self, commit: Commit) -> None:
        self.put_rows(commit, kinds=("archive",))
        self.store.commit(commit._replace(rows=tuple(row for row in commit.rows if row.row_kind != "archive")))


class AlertsAfter(Detour):
    """Writes alerts once the transaction has succeeded."""

    def commit(self, commit: Commit) -> None:
        self.store.commit(commit._replace(rows=tuple(row for row in commit.rows if row.row_kind == "archive")))
        self.put_rows(commit, kinds=("alert", "state"))


class DocumentsAfter(Detour):
    """Writes the documents of policies once the transaction has succeeded."""

    def commit(self, commit: Commit) -> None:
        items = {key: data for key, data in commit.items.items() if entity_name(key) == "policy"}
        left = {key: data for key, data in commit.items.items() if key not in items}
        self.store.commit(commit._replace(items=left))
        puts = [self.store._item_put(commit.shop_id, key, data) for key, data in items.items()]
        try:
            if puts:
                self.store.dynamodb.transact_write_items(TransactItems=puts)
        except Exception as error:
            raise DependencyError("the documents were not written") from error


class TimeoutTaken(Detour):
    """Takes a commit that timed out for one that landed."""

    def commit(self, commit: Commit) -> None:
        try:
            self.store.commit(commit)
        except DependencyError:
            return


@dataclass
class RejectedAfter(Detour):
    """Stores rejected records once the transaction has succeeded."""

    waiting: list[Rejection] = field(default_factory=list)

    def store_rejected(self, rejections: Sequence[Rejection]) -> None:
        self.waiting += rejections

    def commit(self, commit: Commit) -> None:
        waiting, self.waiting = self.waiting, []
        self.store.commit(commit)
        self.store.store_rejected(waiting)


@dataclass
class StaleClient:
    """Forgets to ask for strong consistency."""

    door: Any

    def get_item(self, *, TableName: str, Key: Any, ConsistentRead: bool) -> Any:
        return self.door.get_item(TableName=TableName, Key=Key)

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> Any:
        return self.door.batch_get_item(
            RequestItems={name: {"Keys": one["Keys"]} for name, one in RequestItems.items()}
        )

    def query(self, **request: Any) -> Any:
        return self.door.query(**request | {"ConsistentRead": False})

    def transact_write_items(self, **request: Any) -> Any:
        return self.door.transact_write_items(**request)
