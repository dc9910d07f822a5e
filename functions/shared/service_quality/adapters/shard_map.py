"""The shards of the event stream, and the partition keys that each holds."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_of
from service_quality.errors import DependencyError
from service_quality.events.routing import HashRange

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_kinesis.type_defs import ListShardsOutputTypeDef

_LIST_AGAIN_SECONDS = 1.0  # a batch of an unlisted shard fails at once and comes again after about as long


class ShardMap:
    """The hash ranges of a stream's shards, listed when a shard is first met.

    A shard's range never changes and its id is never used again, so a listed range stays true. Closed shards are listed
    as long as they hold records.
    """

    def __init__(self, kinesis: "KinesisClient", stream: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._kinesis = kinesis
        self._stream = stream
        self._now = now
        self._ranges: dict[str, HashRange] = {}
        self._listed_at = float("-inf")

    def holds(self, shard_id: str, partition_key: str) -> bool:
        """Whether the stream puts records of this key on the shard.

        DependencyError for a shard that the stream does not list; DeploymentError for a stream that is missing or
        may not be listed (kinesis:ListShards).
        """
        found = self._ranges.get(shard_id) or self._find(shard_id)
        return found.holds(partition_key)

    def _find(self, shard_id: str) -> HashRange:
        if self._now() - self._listed_at >= _LIST_AGAIN_SECONDS:
            self._ranges = self._list()
            self._listed_at = self._now()
        if shard_id not in self._ranges:
            raise DependencyError(
                f"stream {self._stream}: found shard {shard_id} in a batch and not among those listed; "
                "the batch will be retried"
            )
        return self._ranges[shard_id]

    def _list(self) -> dict[str, HashRange]:
        ranges: dict[str, HashRange] = {}
        page = self._list_page(None)
        while True:
            for shard in page["Shards"]:
                hashes = shard["HashKeyRange"]
                ranges[shard["ShardId"]] = HashRange(int(hashes["StartingHashKey"]), int(hashes["EndingHashKey"]))
            token = page.get("NextToken")
            if not token:
                return ranges
            page = self._list_page(token)

    def _list_page(self, token: str | None) -> "ListShardsOutputTypeDef":
        try:
            if token is None:
                return self._kinesis.list_shards(StreamName=self._stream)
            return self._kinesis.list_shards(NextToken=token)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"stream {self._stream}") from error
