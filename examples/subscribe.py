"""Subscribe a queue of your own to the alerts.

The queue needs a policy that lets the topic write to it. Without one the subscription is accepted all the same, and no
message ever comes.
"""

import json

from examples.stack import client, read_outputs, run, stack_argument


def subscribe(topic: str, queue_name: str, *, severities: list[str], audiences: list[str]) -> str:
    """Make the queue, let the topic write to it, subscribe it; returns the queue's URL.

    With severities or audiences only their alerts come: a message has to match each name of the filter policy. Every
    attribute of docs/alert.schema.json may be filtered by.
    """
    sqs, sns = client("sqs"), client("sns")
    url: str = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    wanted = {name: values for name, values in (("severity", severities), ("audience", audiences)) if values}
    chosen = {"FilterPolicy": json.dumps(wanted)} if wanted else {}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=chosen)
    return url


def main(argv: list[str]) -> None:
    """Subscribe and print the queue's URL."""
    parser = stack_argument(__doc__)
    parser.add_argument("--queue", default="my-alerts", help="name of the queue (%(default)s)")
    parser.add_argument("--severity", action="append", default=[], help="only these (default: all)")
    parser.add_argument(
        "--audience", action="append", default=[], help="only for these, such as coaching (default: all)"
    )
    options = parser.parse_args(argv)
    topic = read_outputs(options.stack)["AlertTopicArn"]
    print(subscribe(topic, options.queue, severities=options.severity, audiences=options.audience))


if __name__ == "__main__":
    run(main)
