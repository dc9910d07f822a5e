"""AWS services of a few lines each, for whole functions; they answer and refuse as botocore does."""

import io
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError


def refusal(code: str, operation: str = "Operation", **extra) -> ClientError:
    """The error that botocore raises for a service's refusal."""
    response: Any = {"Error": {"Code": code, "Message": code}, **extra}
    return ClientError(response, operation)


@dataclass
class DynamoDB:
    """Tables of items by their key attributes; the conditions that adapters use, queries in pages of some items."""

    tables: dict[str, dict[tuple, dict]] = field(default_factory=dict)
    failing: str = ""
    page: int = 2

    def get_item(self, *, TableName, Key, ConsistentRead=False):
        item = self._table(TableName).get(self._key(Key))
        return {"Item": item} if item else {}

    def batch_get_item(self, *, RequestItems):
        found = {}
        for name, request in RequestItems.items():
            table = self._table(name)
            found[name] = [table[key] for key in map(self._key, request["Keys"]) if key in table]
        return {"Responses": found, "UnprocessedKeys": {}}

    def put_item(self, *, TableName, Item, ConditionExpression=None, ExpressionAttributeValues=None, **_names):
        held = self._table(TableName).get(self._key(Item))
        holds = {
            None: True,
            "attribute_not_exists(stream_key)": held is None,
            "#body = :before": held is not None and held["body"] == (ExpressionAttributeValues or {}).get(":before"),
        }
        if not holds.get(ConditionExpression, False):
            raise refusal("ConditionalCheckFailedException")
        self.tables[TableName][self._key(Item)] = Item

    def query(self, *, TableName, KeyConditionExpression, ExpressionAttributeValues, ExclusiveStartKey=None, **request):
        if "IndexName" in request:
            return self._query_due(request["IndexName"], TableName, ExpressionAttributeValues, ExclusiveStartKey)
        if KeyConditionExpression == "stream_key = :key AND #sequence < :position":
            assert (request["ScanIndexForward"], request["Limit"], request["ConsistentRead"]) == (False, 1, True)
            stream_key, before = (ExpressionAttributeValues[name]["S"] for name in (":key", ":position"))
            keys = [key for key in self._table(TableName) if key[0] == stream_key and key[1] < before]
            return {"Items": [self.tables[TableName][max(keys)]] if keys else []}
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        condition = KeyConditionExpression.partition(" AND ")[2]
        meets = {
            "#sequence > :from": lambda key: key > values[":from"],
            "#sequence BETWEEN :from AND :to": lambda key: values[":from"] <= key <= values[":to"],
        }[condition]
        begin = self._key(ExclusiveStartKey) if ExclusiveStartKey else ("", "")
        found = [
            (key, item)
            for key, item in sorted(self._table(TableName).items())
            if key[0] == values[":stream_key"] and meets(key[1]) and key > begin
        ]
        page = found[: self.page]
        last = (
            {"stream_key": {"S": page[-1][0][0]}, "sequence": {"S": page[-1][0][1]}} if len(found) > len(page) else {}
        )
        return {"Items": [item for _, item in page], "LastEvaluatedKey": last}

    def _query_due(self, index, name, values, begin):
        """The index of due timers: its keys and the attributes that it is declared with."""
        assert index == "due_timers"
        first, last = int(values[":first"]["N"]), int(values[":last"]["N"])
        kept = ("stream_key", "sequence", "due_slot", "due_at", "expires_at")
        items = [
            {attribute: item[attribute] for attribute in kept}
            for item in self._table(name).values()
            if item.get("due_slot") == values[":slot"] and first <= int(item["due_at"]["N"]) <= last
        ]
        items.sort(key=lambda item: (int(item["due_at"]["N"]), item["stream_key"]["S"]))
        place = items.index(begin) + 1 if begin else 0
        page = items[place : place + self.page]
        return {"Items": page, "LastEvaluatedKey": page[-1] if items[place + self.page :] else {}}

    def transact_write_items(self, *, TransactItems):
        puts = [one["Put"] for one in TransactItems]
        reasons = [{"Code": "None" if self._meets(put) else "ConditionalCheckFailed"} for put in puts]
        if any(one["Code"] != "None" for one in reasons):
            raise refusal("TransactionCanceledException", CancellationReasons=reasons)
        for put in puts:
            self.tables[put["TableName"]][self._key(put["Item"])] = put["Item"]

    def _meets(self, put):
        held = self._table(put["TableName"]).get(self._key(put["Item"]))
        condition = put.get("ConditionExpression", "")
        if " AND " in condition:
            return False
        return not condition or (held or {}).get("version") == put.get("ExpressionAttributeValues", {}).get(":expected")

    def _table(self, name):
        if self.failing:
            raise refusal(self.failing)
        if name not in self.tables:
            raise refusal("ResourceNotFoundException")
        return self.tables[name]

    def _key(self, item):
        names = ("item_key", "stream_key", "sequence", "pk", "sk")
        return tuple(item[name]["S"] for name in names if name in item)


@dataclass
class S3:
    """Buckets of objects."""

    buckets: dict[str, dict[str, bytes]] = field(default_factory=dict)
    failing: str = ""
    failing_reads: str = ""

    def put_object(self, *, Bucket, Key, Body, ContentType="", ContentMD5=None):
        if self.failing:
            raise refusal(self.failing)
        if Bucket not in self.buckets:
            raise refusal("NoSuchBucket")
        if ContentMD5:
            raise refusal("BadDigest")
        self.buckets[Bucket][Key] = Body

    def get_object(self, *, Bucket, Key):
        if self.failing_reads:
            raise refusal(self.failing_reads)
        if Bucket not in self.buckets:
            raise refusal("NoSuchBucket")
        if Key not in self.buckets[Bucket]:
            raise refusal("NoSuchKey")
        return {"Body": io.BytesIO(self.buckets[Bucket][Key])}


@dataclass
class Kinesis:
    """A stream that takes everything, but for the events whose ids are in `refusing`.

    `shards` are the hash keys of each, first and last; a listing gives two a page.
    """

    name: str
    records: list[dict] = field(default_factory=list)
    shards: dict[str, tuple[int, int]] = field(default_factory=lambda: {"shardId-000000000000": (0, 2**128 - 1)})
    listings: int = 0
    refusing: set[bytes] = field(default_factory=set)
    failing: str = ""
    calls: int = 0

    def describe_stream_summary(self, *, StreamName):
        if StreamName != self.name:
            raise refusal("ResourceNotFoundException")

    def list_shards(self, *, StreamName="", NextToken="0"):
        if self.failing:
            raise refusal(self.failing)
        if StreamName not in ("", self.name):
            raise refusal("ResourceNotFoundException")
        self.listings += StreamName != ""
        first = int(NextToken)
        page = [
            {"ShardId": name, "HashKeyRange": {"StartingHashKey": str(low), "EndingHashKey": str(high)}}
            for name, (low, high) in list(self.shards.items())[first : first + 2]
        ]
        return {"Shards": page} | ({"NextToken": str(first + 2)} if first + 2 < len(self.shards) else {})

    def put_records(self, *, StreamName, Records):
        self.calls += 1
        if self.failing:
            raise refusal(self.failing)
        refused = [any(mark in record["Data"] for mark in self.refusing) for record in Records]
        self.records += [record for record, no in zip(Records, refused, strict=True) if not no]
        code = "ProvisionedThroughputExceededException"
        return {"Records": [{"ErrorCode": code} if no else {"SequenceNumber": "1"} for no in refused]}


@dataclass
class SNS:
    """A topic that keeps what was published; it calls messages invalid that hold one of the given texts."""

    arn: str
    published: list[dict] = field(default_factory=list)
    failing: str = ""
    invalid: set[str] = field(default_factory=set)

    def get_topic_attributes(self, *, TopicArn):
        if TopicArn != self.arn:
            raise refusal("NotFound")

    def publish_batch(self, *, TopicArn, PublishBatchRequestEntries):
        if self.failing:
            raise refusal(self.failing)
        entries = [(one, any(text in one["Message"] for text in self.invalid)) for one in PublishBatchRequestEntries]
        self.published += [one for one, invalid in entries if not invalid]
        failed = [{"Id": one["Id"], "Code": "InvalidParameter"} for one, invalid in entries if invalid]
        return {"Successful": [{"Id": one["Id"]} for one, invalid in entries if not invalid], "Failed": failed}


@dataclass
class SQS:
    """A queue that keeps what was sent, but for the messages that hold one of the given texts."""

    url: str
    sent: list[dict] = field(default_factory=list)
    failing: str = ""
    refusing: set[str] = field(default_factory=set)

    def get_queue_attributes(self, *, QueueUrl, AttributeNames):
        if QueueUrl != self.url:
            raise refusal("AWS.SimpleQueueService.NonExistentQueue")
        return {"Attributes": {}}

    def send_message_batch(self, *, QueueUrl, Entries):
        if self.failing:
            raise refusal(self.failing)
        assert QueueUrl == self.url
        assert 0 < len(Entries) <= 10
        entries = [(one, any(text in one["MessageBody"] for text in self.refusing)) for one in Entries]
        self.sent += [one for one, refused in entries if not refused]
        failed = [{"Id": one["Id"], "Code": "InternalError"} for one, refused in entries if refused]
        return {"Successful": [{"Id": one["Id"]} for one, refused in entries if not refused], "Failed": failed}


@dataclass
class SecretsManager:
    """Secrets by ARN."""

    secrets: dict[str, str]

    def get_secret_value(self, *, SecretId):
        if SecretId not in self.secrets:
            raise refusal("ResourceNotFoundException")
        return {"SecretString": self.secrets[SecretId]}
