"""The alerts of waiting turns as they arrive in a subscriber's queue."""

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from infra.local.cloud import Cloud
from infra.local.subscribers import QueueSubscriber

STATE = "opened"


@dataclass
class Arrivals:
    """The instants at which opened alerts came into the queue, by conversation and then by message."""

    seen: dict[str, dict[str, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, notification: dict[str, Any], sent_at: int) -> None:
        """Note an alert that was opened; a second delivery of a message is no second alert."""
        body = json.loads(notification["Message"])
        if body["state"] == STATE:
            with self._lock:
                messages = self.seen.setdefault(body["subject"]["id"], {})
                messages.setdefault(body["message_id"], sent_at)

    def of(self, conversation_id: str) -> list[int]:
        """The instants at which alerts of a conversation came, earliest first."""
        return sorted(self.seen.get(conversation_id, {}).values())


class NotingSubscriber(QueueSubscriber):
    """A queue of people's whose messages are noted with the instant at which the queue took them."""

    def __init__(self, cloud: Cloud, topic: str, name: str) -> None:
        """Prepare a queue of this name for the topic."""
        super().__init__(cloud, topic, name)
        self.arrivals = Arrivals()

    def _empty(self) -> None:
        while not self._over.is_set():
            answer = self._cloud.sqs.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1, AttributeNames=["SentTimestamp"]
            )
            for message in answer.get("Messages", []):
                self.arrivals.add(json.loads(message["Body"]), int(message["Attributes"]["SentTimestamp"]))
                self._cloud.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
