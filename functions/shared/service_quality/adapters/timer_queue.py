"""The queue of timers: a message is delayed until its timer rings."""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.aws_errors import failure_of
from service_quality.commit.timer_messages import TimerMessage
from service_quality.errors import DependencyError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_MOST_MESSAGES = 10


class TimerQueue:
    """An SQS queue that is fair to shops: many timers of one do not hold up those of the others."""

    def __init__(
        self, sqs: "SQSClient", url: str, now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        """Prepare the queue at an address; `now` gives the wall clock in epoch milliseconds."""
        self._sqs = sqs
        self._url = url
        self._now = now

    def check(self) -> None:
        """DeploymentError names the queue that is missing or forbidden; needs sqs:GetQueueAttributes."""
        try:
            self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"queue {self._url}") from error

    def send(self, messages: Sequence[TimerMessage]) -> None:
        """Send messages, ten a call; DependencyError where the queue does not take all, then all must be sent again."""
        for first in range(0, len(messages), _MOST_MESSAGES):
            self._send_batch(messages[first : first + _MOST_MESSAGES])

    def _send_batch(self, messages: Sequence[TimerMessage]) -> None:
        now = self._now()
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(index),
                "MessageBody": one.body,
                "DelaySeconds": one.delay_seconds(now),
                "MessageGroupId": _group(one.shop_id),
            }
            for index, one in enumerate(messages)
        ]
        try:
            failed = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries).get("Failed", [])
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"queue {self._url}") from error
        if failed:
            codes = ", ".join(sorted({one["Code"] for one in failed}))
            found = f"{codes} for {len(failed)} of {len(entries)} messages"
            raise DependencyError(f"queue {self._url}: {found}; the batch will be retried")


def _group(shop_id: str) -> str:
    """The group of a shop's messages: a hash, since a group's name takes fewer characters than an id."""
    return hashlib.sha256(shop_id.encode()).hexdigest()[:32]
