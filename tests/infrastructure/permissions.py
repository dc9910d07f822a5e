"""What a function may do, read from its code: the calls of the adapters it uses, and what its event sources need.

A new adapter has its calls here, beside those of the others; a new function has nothing here.
"""

import ast
from collections.abc import Mapping
from typing import Any

from tests.infrastructure.templates import Function

#: A name in an app → what its use calls: resource as a policy names it → actions.
CALLS: Mapping[str, Mapping[str, set[str]]] = {
    "EventStream": {"EventStreamArn": {"kinesis:PutRecords"}},
    "stream.check": {"EventStreamArn": {"kinesis:DescribeStreamSummary"}},
    "ShardMap": {"EventStreamArn": {"kinesis:ListShards"}},
    "RejectedStore": {"${RejectedBucketArn}/rejected/*": {"s3:PutObject"}},
    "StateReader": {"StateTableArn": {"dynamodb:GetItem", "dynamodb:BatchGetItem"}},
    "StateTable": {
        "StateTableArn": {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem"},
        "AlertsTableArn": {"dynamodb:PutItem", "dynamodb:Query"},
        "${RejectedBucketArn}/parked/*": {"s3:PutObject"},
    },
    "make_registry": {
        "ModelsTableArn": {"dynamodb:GetItem"},
        "ModelsBucketArn": {"s3:ListBucket"},  # else a missing file is reported as a missing permission
        "${ModelsBucketArn}/models/*": {"s3:GetObject"},
    },
    "EntityModels": {
        "ModelsTableArn": {"dynamodb:GetItem"},
        "ModelsBucketArn": {"s3:ListBucket"},  # else a missing file is reported as a missing permission
        "${ModelsBucketArn}/models/*": {"s3:GetObject"},
    },
    "settings.control_key_secret": {"ControlKeySecretArn": {"secretsmanager:GetSecretValue"}},
    "settings.id_salt_secret": {"IdSaltSecretArn": {"secretsmanager:GetSecretValue"}},
    "AlertTopic": {
        "AlertTopicArn": {"sns:GetTopicAttributes", "sns:Publish", "sns:PublishBatch"},
        "AlertKeyArn": {"kms:Decrypt", "kms:GenerateDataKey"},
    },
    "ShopSettingsTable": {"AlertsTableArn": {"dynamodb:GetItem"}},
    "ArchiveBucket": {"${ArchiveBucketArn}/archive/*": {"s3:PutObject"}},
    "ArchiveLedger": {"AlertsTableArn": {"dynamodb:GetItem", "dynamodb:PutItem"}},
    "ArchiveSweep": {"AlertsTableArn": {"dynamodb:Query"}},
    "TimerQueue": {"TimerQueueArn": {"sqs:GetQueueAttributes", "sqs:SendMessage", "sqs:SendMessageBatch"}},
    "TimerRows": {"AlertsTableArn": {"dynamodb:BatchGetItem"}},
    "DueTimers": {"${AlertsTableArn}/index/due_timers": {"dynamodb:Query"}},
    "UnsentRows('alert')": {"${RejectedBucketArn}/outbox/alert/*": {"s3:PutObject"}},
    "UnsentRows('archive')": {"${RejectedBucketArn}/outbox/archive/*": {"s3:PutObject"}},
}

#: The service of an event source's ARN → what the source reads it by.
SOURCES: Mapping[str, set[str]] = {
    "EventQueueArn": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "TimerQueueArn": {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
    "EventStreamArn": {
        *("kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords"),
        *("kinesis:GetShardIterator", "kinesis:ListShards"),
    },
    "AlertsStreamArn": {
        *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"),
    },
}

#: What an event source stores batches by that it gives up on.
GIVEN_UP: Mapping[str, set[str]] = {
    "${RejectedBucketArn}/aws/lambda/*": {"s3:PutObject"},
    "RejectedBucketArn": {"s3:ListBucket"},
}


def needed(function: Function) -> dict[str, set[str]]:
    """Resource as a policy names it → the actions that a function's code and event sources need."""
    found: dict[str, set[str]] = {f"{function.title}LogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"}}
    for name in names_in(function.app) & CALLS.keys():
        add(found, CALLS[name])
    for source in function.resources("AWS::Lambda::EventSourceMapping").values():
        resource = source["EventSourceArn"]["Ref"]
        add(found, {resource: SOURCES[resource]})
        if "DestinationConfig" in source:
            add(found, GIVEN_UP)
    return found


def unknown_adapters(function: Function) -> set[str]:
    """The classes and functions of adapters that an app imports and that no line here knows."""
    imported = {
        alias.name
        for node in ast.walk(function.app)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("service_quality.adapters")
        for alias in node.names
    }
    calling = {name.partition("(")[0] for name in CALLS}
    return imported - calling - {"make_client", "read_secret", "Telemetry"}


def names_in(app: ast.Module) -> set[str]:
    """Names that an app uses, with an attribute as `name.attribute`, rows of the outbox with their kind."""
    names = {node.id for node in ast.walk(app) if isinstance(node, ast.Name)}
    names |= {ast.unparse(node) for node in ast.walk(app) if isinstance(node, ast.Attribute)}
    for node in ast.walk(app):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "UnsentRows":
            names.add(f"UnsentRows({ast.unparse(node.args[-1])})")
    return names


def add(found: dict[str, set[str]], more: Mapping[str, set[str]]) -> None:
    for resource, actions in more.items():
        found.setdefault(resource, set()).update(actions)


def allowed(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Resource → the actions that statements allow on it."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        (resource,) = statement["Resource"].values()
        add(found, {resource: set(statement["Action"])})
    return found
