"""Send a conversation: a customer asks, asks again, and has waited half an hour in ten seconds: `waiting_too_long`.

By default the events go into the queue, as from most sources; with --by call the function is called directly, and its
answer says what was accepted, what was rejected and why, and which fields were not read.
"""

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from examples.stack import client, read_outputs, run, stack_argument


def conversation(shop: str, now: datetime) -> list[dict[str, object]]:
    """Two events; every kind and field is described in docs/events.md."""
    asked, again = now - timedelta(minutes=29, seconds=50), now - timedelta(minutes=1)
    contact = f"contact-{int(time.time())}"
    return [
        {
            "event_id": f"{contact}-opened",  # unique in the shop: sent twice, it counts once
            "shop_id": shop,
            "kind": "conversation_opened",
            "occurred_at": asked.isoformat(),
            "conversation_id": contact,
            "customer_id": "customer-7",
            "category": "Returns",
            "channel": "chat",
            "text": "Where is my parcel?",
        },
        {
            "event_id": f"{contact}-asked-again",
            "shop_id": shop,
            "kind": "customer_message",
            "occurred_at": again.isoformat(),
            "conversation_id": contact,
            "text": "Is anybody there?",
        },
    ]


def add_conversation(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which conversation it is: the example's in a shop, or one of a file."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--shop", default="my-shop", help="id of the example's shop (%(default)s)")
    which.add_argument("--file", type=Path, metavar="EVENTS.jsonl", help="events of your own instead, one a line")


def given_conversation(options: argparse.Namespace) -> list[dict[str, object]]:
    """The events of these arguments."""
    return read_events(options.file) if options.file else conversation(options.shop, datetime.now(UTC))


def read_events(path: Path) -> list[dict[str, object]]:
    """The events of a file of JSON lines; SystemExit for what is none. What is wrong with an event AWS says itself."""
    try:
        lines = path.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise SystemExit(f"found no events in {path}, expected JSON, one event a line: {error}") from None


def send_by_queue(queue_url: str, events: list[dict[str, object]]) -> str:
    """One message with all events, since a queue keeps no order; returns the message's id."""
    body = json.dumps({"events": events})
    message_id: str = client("sqs").send_message(QueueUrl=queue_url, MessageBody=body)["MessageId"]
    return message_id


def call(function: str, payload: dict[str, object]) -> dict[str, Any]:
    """A function's answer; SystemExit with its error where it failed."""
    answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload).encode())
    content: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise SystemExit(f"{function}: {content.get('errorMessage')}")
    return content


def main(argv: list[str]) -> None:
    """Send it and print what came back."""
    parser = stack_argument(__doc__)
    add_conversation(parser)
    parser.add_argument("--by", choices=("queue", "call"), default="queue", help="the way in (%(default)s)")
    options = parser.parse_args(argv)
    outputs = read_outputs(options.stack)
    events = given_conversation(options)
    if options.by == "queue":
        print(f"queued as message {send_by_queue(outputs['EventQueueUrl'], events)}")
    else:
        print(json.dumps(call(outputs["IngestEventsFunctionName"], {"events": events}), indent=2))


if __name__ == "__main__":
    run(main)
