"""The topic that tells people: one publication per alert message, several in a call."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.alerts.publications import Publication
from service_quality.call_failures import failure_of
from service_quality.errors import SurroundingsError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

_MOST_MESSAGES = 10
_MOST_BYTES = 200_000  # of 262,144, with room for what is quoted
_ATTRIBUTE_BYTES = 1_000  # five short ones and a subject


class AlertTopic:
    """An SNS topic whose subscribers filter by kind, severity, state, shop_id and score."""

    def __init__(self, sns: "SNSClient", arn: str) -> None:
        self._sns = sns
        self._arn = arn

    def check(self) -> None:
        """DeploymentError names the topic that is missing or forbidden; needs sns:GetTopicAttributes."""
        try:
            self._sns.get_topic_attributes(TopicArn=self._arn)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"topic {self._arn}") from error

    def publish(self, publications: Iterable[Publication]) -> None:
        """Send JSON to whoever reads JSON, and readable text to mailboxes; in order, ten at most a call.

        When the topic does not take one, nothing of a later call is sent, and no later message of its alert.
        """
        for batch in _batches(publications):
            self._publish_batch([_entry(str(number), one) for number, one in enumerate(batch)])

    def _publish_batch(self, entries: "list[PublishBatchRequestEntryTypeDef]") -> None:
        try:
            answer = self._sns.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"topic {self._arn}") from error
        failed = answer.get("Failed", [])
        if failed:
            codes = ", ".join(sorted({one["Code"] for one in failed}))
            found = f"found {codes} for {len(failed)} of {len(entries)} messages at topic {self._arn}"
            raise SurroundingsError(f"{found}, expected all to be taken")


def _batches(publications: Iterable[Publication]) -> Iterator[list[Publication]]:
    """In order; a second message of one alert, or more than a call may hold, begins the next."""
    batch: list[Publication] = []
    bytes_left = _MOST_BYTES
    for publication in publications:
        bytes_left -= _size(publication)
        again = any(one.alert_id == publication.alert_id for one in batch)
        if batch and (again or len(batch) == _MOST_MESSAGES or bytes_left < 0):
            yield batch
            batch, bytes_left = [], _MOST_BYTES - _size(publication)
        batch.append(publication)
    if batch:
        yield batch


def _size(publication: Publication) -> int:
    return len(_message(publication).encode()) + _ATTRIBUTE_BYTES


def _message(publication: Publication) -> str:
    return json.dumps({"default": publication.body, "email": publication.text}, ensure_ascii=False)


def _entry(number: str, publication: Publication) -> "PublishBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value} for name, value in publication.attributes.items()
    }
    if publication.score is not None:
        attributes["score"] = {"DataType": "Number", "StringValue": repr(publication.score)}
    return {
        "Id": number,
        "Subject": publication.subject,
        "MessageStructure": "json",
        "Message": _message(publication),
        "MessageAttributes": attributes,
    }
