"""Timers in the alerts table: the pending one of a conversation, and the index of all by due time."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_of
from service_quality.commit.archived_ranges import OUTBOX_DAYS
from service_quality.commit.timer_messages import TimerMessage, message_of_row
from service_quality.commit.timer_sweep import PendingTimer
from service_quality.commit.timers import PENDING, Timer, read_timer
from service_quality.errors import DependencyError, UnreadableRowError
from service_quality.instants import DAY, SECOND

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, QueryInputTypeDef

INDEX = "due_timers"
_MOST_KEYS = 100
_ATTEMPTS = 6


@dataclass(slots=True, eq=False, repr=False)
class TimerRows:
    """The timer of each conversation as the latest transaction left it.

    `observe_unreadable` hears of rows that hold no timer.
    """

    dynamodb: "DynamoDBClient"
    table: str
    observe_unreadable: Callable[[UnreadableRowError], None]
    pause: Callable[[float], None] = time.sleep

    def check(self) -> None:
        """DeploymentError names the table when it is missing or may not be read."""
        self._read(["check"])

    def read(self, messages: Sequence[TimerMessage]) -> dict[str, Timer]:
        """The pending timers of the messages' conversations by stream key, strongly consistent."""
        keys = sorted({one.stream_key for one in messages})
        shops = {one.stream_key: one.shop_id for one in messages}
        timers: dict[str, Timer] = {}
        for first in range(0, len(keys), _MOST_KEYS):
            for item in self._read(keys[first : first + _MOST_KEYS]):
                key = item["stream_key"]["S"]
                try:
                    timer = read_timer(shops[key], bytes(item["body"]["B"]))
                except UnreadableRowError as error:
                    self.observe_unreadable(error)
                    continue
                if timer is not None:
                    timers[key] = timer
        return timers

    def _read(self, stream_keys: Sequence[str]) -> list[Mapping[str, "AttributeValueTypeDef"]]:
        found: list[Mapping[str, AttributeValueTypeDef]] = []
        wanted: Sequence[Mapping[str, AttributeValueTypeDef]] = [
            {"stream_key": {"S": key}, "sequence": {"S": PENDING}} for key in stream_keys
        ]
        for attempt in range(_ATTEMPTS):
            if attempt:
                self.pause(0.025 * 2**attempt)
            try:
                answer = self.dynamodb.batch_get_item(
                    RequestItems={self.table: {"Keys": wanted, "ConsistentRead": True}}
                )
            except (ClientError, BotoCoreError) as error:
                raise failure_of(error, f"table {self.table}") from error
            found += answer["Responses"].get(self.table, [])
            unprocessed = answer.get("UnprocessedKeys", {})
            if self.table not in unprocessed:
                return found
            wanted = unprocessed[self.table]["Keys"]
        raise DependencyError(f"table {self.table}: no answer to {len(wanted)} keys; the batch will be retried")


@dataclass(slots=True, eq=False, repr=False)
class DueTimers:
    """Implements `timer_sweep.TimerIndex`; `observe_unreadable` hears of rows that are no timers."""

    dynamodb: "DynamoDBClient"
    table: str
    observe_unreadable: Callable[[UnreadableRowError], None]

    def check(self) -> None:
        """DeploymentError names the table when it or its index is missing or may not be read."""
        for _ in self.read("check", 0, 0):
            pass

    def read(self, slot: str, first: int, last: int) -> Iterator[list[PendingTimer]]:
        """The timers of a part of the index that are due from one instant until another, earliest first, by page."""
        request: QueryInputTypeDef = {
            "TableName": self.table,
            "IndexName": INDEX,
            "KeyConditionExpression": "due_slot = :slot AND due_at BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":slot": {"S": slot},
                ":first": {"N": str(first)},
                ":last": {"N": str(last)},
            },
        }
        while True:
            try:
                answer = self.dynamodb.query(**request)
            except (ClientError, BotoCoreError) as error:
                raise failure_of(error, f"table {self.table}, index {INDEX}") from error
            yield list(self._timers(answer["Items"]))
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _timers(self, items: Sequence[Mapping[str, "AttributeValueTypeDef"]]) -> Iterator[PendingTimer]:
        for item in items:
            try:
                message = message_of_row(item["stream_key"]["S"], item["due_at"]["N"])
            except UnreadableRowError as error:
                self.observe_unreadable(error)
                continue
            yield PendingTimer(message, int(item["expires_at"]["N"]) * SECOND - OUTBOX_DAYS * DAY)
