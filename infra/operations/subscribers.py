"""The subscribers of the alert topic, and why one of them gets nothing."""

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CONFIRMED = "gets alerts"
PENDING = "has not confirmed its subscription and gets nothing"
CLOSED = "gets nothing: the queue's policy does not let the topic write to it (examples/subscribe.py sets one)"
UNKNOWN = "subscribed; its queue cannot be looked at from here"


class Subscriber(NamedTuple):
    """One subscription; `state` says whether alerts arrive."""

    protocol: str
    endpoint: str
    state: str
    filter_policy: str


def read_subscribers(sns: "SNSClient", sqs: "SQSClient", topic: str) -> list[Subscriber]:
    """Every subscription of the topic, in order of protocol and endpoint."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    found = [_subscriber(sns, sqs, topic, one) for page in pages for one in page["Subscriptions"]]
    return sorted(found)


def _subscriber(sns: "SNSClient", sqs: "SQSClient", topic: str, one: Any) -> Subscriber:
    arn, protocol, endpoint = one["SubscriptionArn"], one["Protocol"], one["Endpoint"]
    if not arn.startswith("arn:"):
        return Subscriber(protocol, endpoint, PENDING, "")
    attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    state = _queue_state(sqs, topic, endpoint) if protocol == "sqs" else CONFIRMED
    return Subscriber(protocol, endpoint, state, attributes.get("FilterPolicy", ""))


def _queue_state(sqs: "SQSClient", topic: str, queue_arn: str) -> str:
    try:
        url = sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    except ClientError:
        return UNKNOWN
    return CONFIRMED if lets_in(attributes.get("Policy", ""), topic) else CLOSED


def lets_in(policy: str, topic: str) -> bool:
    """Whether a queue's policy lets a topic send to it.

    >>> lets_in("", "arn:aws:sns:eu-west-1:1:alerts")
    False
    """
    statements = json.loads(policy).get("Statement", []) if policy else []
    return any(_allows(one, topic) for one in (statements if isinstance(statements, list) else [statements]))


def _allows(statement: dict[str, Any], topic: str) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", principal.get("AWS")) if isinstance(principal, dict) else principal
    actions = statement.get("Action")
    conditions = statement.get("Condition", {})
    sources = [
        source for test in conditions.values() for name, source in test.items() if name.lower() == "aws:sourcearn"
    ]
    return (
        statement.get("Effect") == "Allow"
        and any(one in ("sns.amazonaws.com", "*") for one in _listed(services))
        and any(one.lower() in ("sqs:sendmessage", "sqs:*", "*") for one in _listed(actions))
        and (not sources or any(topic in _listed(one) for one in sources))
    )


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []
