"""botocore's data cut down to the calls that functions make, since each cold start searches and reads all of it."""

import gzip
import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

#: Service → its operations that adapters call; a client has no others.
CALLS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("BatchGetItem", "GetItem", "PutItem", "Query", "TransactWriteItems"),
    "kinesis": ("DescribeStreamSummary", "ListShards", "PutRecords"),
    "s3": ("GetObject", "HeadBucket", "PutObject"),  # botocore itself asks for a bucket's region by HeadBucket
    "secretsmanager": ("GetSecretValue",),
    "sns": ("GetTopicAttributes", "PublishBatch"),
    "sqs": ("GetQueueAttributes", "SendMessageBatch"),
}
#: Service → conditions of its endpoint rules that no call of ours meets: tables, streams and buckets go by their names.
_NEVER_MET: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "kinesis": tuple(
        {"fn": "isSet", "argv": [{"ref": name}]}
        for name in ("StreamId", "StreamARN", "ConsumerARN", "ResourceARN", "ChannelARN")
    ),
    "s3": tuple(
        {"fn": "stringEquals", "argv": [{"ref": name}, suffix]}
        for name, suffix in (
            ("bucketSuffix", "--x-s3"),
            ("accessPointSuffix", "--xa-s3"),
            ("bucketAliasSuffix", "--op-s3"),
        )
    )
    + ({"fn": "aws.parseArn", "argv": [{"ref": "Bucket"}], "assign": "bucketArn"},),
}
_CUT_OFF = "found a resource that goes by no plain name, expected one: its rules are not in the layer (infra/bundles)"
_LEFT_OUT = ("examples", "paginators", "waiters", "completions")


def keep_calls(data: Path, calls: Mapping[str, Iterable[str]] = CALLS) -> None:
    """Cut a copy of botocore's data folder; the remaining data are unchanged but for their documentation."""
    for entry in data.iterdir():
        if entry.is_dir() and entry.name not in calls:
            shutil.rmtree(entry)
    for service, operations in calls.items():
        for path in list((data / service).glob("*/*.json*")):
            document = read_json(path)
            path.unlink()
            if path.name.startswith(_LEFT_OUT):
                continue
            if path.name.startswith("service-2.json"):
                document = with_operations(document, operations)
            if path.name.startswith("endpoint-rule-set"):
                document["rules"] = without_rules(document["rules"], _NEVER_MET.get(service, ()))
            write_json(path.with_name(path.name.removesuffix(".gz")), document)
    endpoints = read_json(data / "endpoints.json")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: value for name, value in partition["services"].items() if name in calls}
    write_json(data / "endpoints.json", endpoints)


def with_operations(model: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """A service's model with these operations alone, and the shapes that they refer to."""
    operations = {name: model["operations"][name] for name in names}
    reached: set[str] = set()
    waiting = list(shapes_in(operations))
    while waiting:
        shape = waiting.pop()
        if shape not in reached:
            reached.add(shape)
            waiting += shapes_in(model["shapes"][shape])
    shapes = {name: shape for name, shape in model["shapes"].items() if name in reached}
    return {**model, "operations": operations, "shapes": shapes}


def without_rules(rules: Iterable[dict[str, Any]], conditions: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Endpoint rules in which a tree under one of these conditions is an error that says so: it is met by mistake.

    >>> arn = {"fn": "isSet", "argv": [{"ref": "StreamARN"}]}
    >>> tree = {"type": "tree", "conditions": [arn], "rules": [{"type": "endpoint", "conditions": []}]}
    >>> [one["type"] for one in without_rules([tree, {"type": "endpoint", "conditions": []}], [arn])]
    ['error', 'endpoint']
    """
    return [_without_rules(rule, conditions) if rule["type"] == "tree" else rule for rule in rules]


def _without_rules(tree: dict[str, Any], conditions: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    if any(one in conditions for one in tree["conditions"]):
        return {"type": "error", "conditions": tree["conditions"], "error": _CUT_OFF}
    return {**tree, "rules": without_rules(tree["rules"], conditions)}


def shapes_in(value: object) -> list[str]:
    """The names of all shapes that a part of a model refers to.

    >>> shapes_in({"input": {"shape": "Asked"}, "errors": [{"shape": "Refused"}]})
    ['Asked', 'Refused']
    """
    if isinstance(value, dict):
        named = [value["shape"]] if isinstance(value.get("shape"), str) else []
        return named + [name for part in value.values() for name in shapes_in(part)]
    return [name for part in value for name in shapes_in(part)] if isinstance(value, list) else []


def without_documentation(value: Any) -> Any:
    """The same with empty texts as `documentation`, since botocore looks for them.

    >>> without_documentation({"documentation": "text", "members": {"documentation": {"shape": "Text"}}})
    {'documentation': '', 'members': {'documentation': {'shape': 'Text'}}}
    """
    if isinstance(value, dict):
        return {
            key: "" if key == "documentation" and isinstance(part, str) else without_documentation(part)
            for key, part in value.items()
        }
    return [without_documentation(part) for part in value] if isinstance(value, list) else value


def read_json(path: Path) -> Any:
    """A document of botocore's, packed or not."""
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


def write_json(path: Path, document: Any) -> None:
    """Unpacked and without spaces: what is read fastest."""
    path.write_text(json.dumps(without_documentation(document), separators=(",", ":")), "utf-8")
