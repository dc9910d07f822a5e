"""Read the alerts that came into the queue of `subscribe.py`, and delete them there.

Messages come at least once and in any order: drop a `message_id` that you have seen, and a `sequence` below the highest
that you have seen of its `alert_id`.
"""

import json
import time
from collections.abc import Iterator

from examples.stack import client, run, stack_argument


def read_alerts(queue_name: str, *, seconds: float) -> Iterator[dict[str, object]]:
    """The alerts (docs/alert.schema.json) that come within the time, each message once."""
    sqs = client("sqs")
    try:
        url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        raise SystemExit(f"found no queue {queue_name}, expected one: run examples.subscribe first") from None
    seen: set[str] = set()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MaxNumberOfMessages=10).get("Messages", []):
            alert = json.loads(json.loads(message["Body"])["Message"])
            if alert["message_id"] not in seen:
                seen.add(alert["message_id"])
                yield alert
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def main(argv: list[str]) -> None:
    """Print what comes, one alert at a time."""
    parser = stack_argument(__doc__)
    parser.add_argument("--queue", default="my-alerts", help="name of the queue (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="how long to wait for alerts (%(default)s)")
    options = parser.parse_args(argv)
    for alert in read_alerts(options.queue, seconds=options.seconds):
        print(json.dumps(alert, indent=2, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    run(main)
