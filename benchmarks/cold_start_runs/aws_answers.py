"""AWS for a function's first event: tables empty but for the champions' pointers, their models, a stream of one shard.

They answer at once and always the same, so that only the function is measured.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.cold_start_runs.local_server import Answer, Request

SHARD = "shardId-000000000000"

_TARGET = "X-Amz-Target"


@dataclass(frozen=True)
class AwsAnswers:
    """Answers the requests of a function that scores its first event ever."""

    models: Mapping[str, bytes]
    """The model of each task, by the name of its pointer, which is its version, too."""

    def answer(self, request: Request) -> Answer:
        """DynamoDB and Kinesis by the operation in the header, S3 by the method."""
        if _TARGET in request.headers:
            operation = request.headers[_TARGET].rpartition(".")[2]
            if operation == "ListShards":
                hashes = {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)}
                return _json({"Shards": [{"ShardId": SHARD, "HashKeyRange": hashes}]})
            return self._dynamodb(operation, json.loads(request.body))
        if request.method == "GET":
            version = request.path.split("/")[-2]
            return Answer(200, self.models[version])
        if "Content-MD5" in request.headers:
            return Answer(400, b"<Error><Code>BadDigest</Code></Error>", {"Content-Type": "application/xml"})
        return Answer(200)

    def _dynamodb(self, operation: str, asked: dict[str, Any]) -> Answer:
        if operation == "GetItem" and asked["TableName"] == "models":
            return _json({"Item": {"version": asked["Key"]["sk"]}})
        if operation == "BatchGetItem":
            return _json({"Responses": {}, "UnprocessedKeys": {}})
        items = asked.get("TransactItems")
        if isinstance(items, list) and all(map(_is_check, items)):
            code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
            reasons = [{"Code": "ConditionalCheckFailed"}] * len(items)
            return _json({"__type": code, "CancellationReasons": reasons}, status=400)
        return _json({})


def _is_check(item: dict[str, dict[str, str]]) -> bool:
    """Whether a put of a transaction checks a deployment, on a condition that no item meets."""
    condition = item["Put"].get("ConditionExpression", "")
    return "attribute_exists" in condition and "attribute_not_exists" in condition


def _json(content: object, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/x-amz-json-1.0"})
