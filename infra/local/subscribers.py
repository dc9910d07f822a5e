"""Subscribers of the alert topic, a queue and a web server, with the messages that they received."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

from cli.progress import wait_until
from infra.local.cloud import Cloud
from infra.local.emulator import HOST
from infra.local.errors import NotReceivedError
from infra.local.replaying import now_ms

CONFIRMATION_SECONDS = 30
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Received:
    """One message as a subscriber got it, at an instant in epoch milliseconds."""

    message_id: str
    subject: str
    body: str
    attributes: dict[str, str]
    received_at: int


@dataclass
class Inbox:
    """The messages that a subscriber has received, by message id; `copies` counts repeated deliveries."""

    messages: dict[str, Received] = field(default_factory=dict)
    copies: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, notification: dict[str, Any], received_at: int) -> None:
        """Store one notification of SNS that came at an instant in epoch milliseconds."""
        attributes = {name: one["Value"] for name, one in notification.get("MessageAttributes", {}).items()}
        subject = notification.get("Subject") or ""
        received = Received(notification["MessageId"], subject, notification["Message"], attributes, received_at)
        with self._lock:
            self.copies += received.message_id in self.messages
            self.messages[received.message_id] = received

    def wait_for(self, count: int, *, seconds: float) -> None:
        """Wait until so many different messages are here; NotReceivedError if they do not come in time."""
        if not wait_until(
            lambda: len(self.messages) >= count,
            title="subscriber",
            state=lambda: f"{len(self.messages)} of {count} messages",
            seconds=seconds,
        ):
            raise NotReceivedError(f"found {len(self.messages)} messages after {seconds:.0f} s, expected {count}")


def unsubscribe(cloud: Cloud, subscription: str) -> None:
    """End a subscription; one that went away with its AWS is ended, too."""
    with suppress(BotoCoreError, ClientError):
        cloud.sns.unsubscribe(SubscriptionArn=subscription)


class QueueSubscriber:
    """An SQS queue subscribed to a topic, emptied by a thread while the context lasts."""

    def __init__(self, cloud: Cloud, topic: str, name: str = "alert-subscriber") -> None:
        """Prepare a queue of this name for the topic."""
        self.inbox = Inbox()
        self._cloud = cloud
        self._topic = topic
        self._name = name
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._empty, daemon=True)
        self._url = ""
        self._subscription = ""

    def __enter__(self) -> Self:
        """Make the queue, let the topic write to it, subscribe it and begin to empty it."""
        self._url = self._cloud.sqs.create_queue(QueueName=self._name)["QueueUrl"]
        attributes = self._cloud.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn = attributes["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self._topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._cloud.sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        self._subscription = self._cloud.sns.subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=arn)[
            "SubscriptionArn"
        ]
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Unsubscribe the queue and stop emptying it."""
        unsubscribe(self._cloud, self._subscription)
        self._over.set()
        self._thread.join(timeout=5)

    def _empty(self) -> None:
        while not self._over.is_set():
            answer = self._cloud.sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["SentTimestamp"]
            )
            for message in answer.get("Messages", []):
                self.inbox.add(json.loads(message["Body"]), int(message["Attributes"]["SentTimestamp"]))
                self._cloud.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


class _PatientServer(ThreadingHTTPServer):
    """A server with a queue for callers: alerts come ten at once, and no delivery is repeated."""

    request_queue_size = 256


class WebSubscriber:
    """A web server on 127.0.0.1 subscribed to a topic: it confirms its subscription as any subscriber must."""

    def __init__(self, cloud: Cloud, topic: str) -> None:
        """Prepare a server on a free port for the topic."""
        self.inbox = Inbox()
        self._cloud = cloud
        self._topic = topic
        self._confirmed = threading.Event()
        self._subscription = ""
        self._server = _PatientServer((HOST, 0), self._request_handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> "WebSubscriber":
        """Serve, subscribe, and wait for the confirmation."""
        self._thread.start()
        endpoint = f"http://{HOST}:{self._server.server_port}/alerts"
        try:
            self._cloud.sns.subscribe(TopicArn=self._topic, Protocol="http", Endpoint=endpoint)
            if not self._confirmed.wait(CONFIRMATION_SECONDS):
                raise NotReceivedError(
                    f"found no confirmation asked of {endpoint} in {CONFIRMATION_SECONDS} s, expected one"
                )
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Unsubscribe, then stop serving."""
        unsubscribe(self._cloud, self._subscription)
        self._close()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _take(self, message: dict[str, Any]) -> None:
        """Confirm a subscription, store a notification; messages of another topic are ignored."""
        if message.get("TopicArn") != self._topic:
            return
        if message.get("Type") == "SubscriptionConfirmation":
            answer = self._cloud.sns.confirm_subscription(TopicArn=self._topic, Token=message["Token"])
            self._subscription = answer["SubscriptionArn"]
            self._confirmed.set()
        elif message.get("Type") == "Notification":
            self.inbox.add(message, now_ms())

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Request(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = min(int(self.headers.get("Content-Length", "0")), MOST_BYTES)
                take(json.loads(self.rfile.read(length)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing: the messages are in the inbox."""

        return Request
