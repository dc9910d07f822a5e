"""The alerts about waits as they arrive in a subscriber's queue."""

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from infra.local.cloud import Cloud
from infra.local.subscribers import QueueSubscriber

#: The rules about waits, and the changes of an alert that remind somebody.
KINDS, STATES = ("answer_due", "waiting_too_long"), ("opened", "worsened", "repeated")


@dataclass
class Arrivals:
    """The instants at which reminders came into the queue, by conversation, severity and message."""

    seen: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, notification: dict[str, Any], sent_at: int) -> None:
        """Note a reminder; a second delivery of a message is no second reminder."""
        body = json.loads(notification["Message"])
        if body["kind"] in KINDS and body["state"] in STATES:
            with self._lock:
                of_turn = self.seen.setdefault(body["subject"]["id"], defaultdict(dict))
                of_turn[body["severity"]].setdefault(body["message_id"], sent_at)

    def of(self, conversation_id: str) -> dict[str, list[int]]:
        """The instants at which reminders about a conversation came, by severity, each earliest first."""
        with self._lock:
            return {name: sorted(came.values()) for name, came in self.seen.get(conversation_id, {}).items()}


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
