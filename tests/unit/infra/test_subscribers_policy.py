"""Which policy of a queue lets a topic in."""

import json

import pytest

from infra.operations.subscribers import lets_in

TOPIC = "arn:aws:sns:eu-west-1:1:alerts"
GOOD = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Condition": {"ArnEquals": {"aws:SourceArn": TOPIC}},
}


def policy(**changes: object) -> str:
    return json.dumps({"Statement": [GOOD | changes]})


def test_policy_of_the_example_lets_the_topic_in():
    assert lets_in(policy(), TOPIC)
    assert lets_in(policy(Condition={}, Principal="*", Action=["SQS:*"]), TOPIC)


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Principal": {"Service": "events.amazonaws.com"}},
        {"Action": "sqs:ReceiveMessage"},
        {"Condition": {"ArnEquals": {"aws:SourceArn": f"{TOPIC}-of-others"}}},
    ],
)
def test_other_policy_does_not(changes):
    assert not lets_in(policy(**changes), TOPIC)


def test_no_policy_does_not():
    assert not lets_in("", TOPIC)
