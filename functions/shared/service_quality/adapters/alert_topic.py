"""The alert topic: one publication per alert message, several in a call."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.alerts.publications import Publication
from service_quality.aws_errors import failure_code, failure_of
from service_quality.errors import DependencyError

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

_MOST_MESSAGES = 10
_MOST_BYTES = 200_000  # of 262,144, with room for what is quoted
_ATTRIBUTE_BYTES = 4_000  # seven, none longer than 128 characters of four bytes, and a subject
_INVALID = frozenset(
    {"InvalidParameter", "InvalidParameterException", "InvalidParameterValue", "ParameterValueInvalid"}
)


class AlertTopic:
    """An SNS topic whose subscribers filter by kind, severity, state, audience, shop_id, sequence and score."""

    def __init__(self, sns: "SNSClient", arn: str) -> None:
        self._sns = sns
        self._arn = arn

    def check(self) -> None:
        """DeploymentError names the topic that is missing or forbidden; needs sns:GetTopicAttributes."""
        try:
            self._sns.get_topic_attributes(TopicArn=self._arn)
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"topic {self._arn}") from error

    def publish(self, publications: Sequence[Publication]) -> dict[int, str]:
        """Publish in order, at most ten messages a call: JSON for programs, readable text for mailboxes.

        Returns the indexes of the messages that the topic calls invalid, each with its code; no later attempt would
        send them. DependencyError when the topic rejects a message for another reason; then no message of a later call
        is sent, and no later message of the same alert.
        """
        rejected: dict[int, str] = {}
        for batch in _batches(publications):
            rejected |= self._publish_batch({index: publications[index] for index in batch})
        return rejected

    def _publish_batch(self, batch: Mapping[int, Publication]) -> dict[int, str]:
        entries = [_entry(str(index), one) for index, one in batch.items()]
        try:
            answer = self._sns.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as error:
            code = failure_code(error)
            if code not in _INVALID:
                raise failure_of(error, f"topic {self._arn}") from error
            if len(batch) == 1:
                return dict.fromkeys(batch, code)
            alone = [self._publish_batch({index: one}) for index, one in batch.items()]
            return {index: code for rejected in alone for index, code in rejected.items()}
        failed = answer.get("Failed", [])
        others = sorted({one["Code"] for one in failed if one["Code"] not in _INVALID})
        if others:
            found = f"{', '.join(others)} for {len(failed)} of {len(entries)} messages"
            raise DependencyError(f"topic {self._arn}: {found}; the batch will be retried")
        return {int(one["Id"]): one["Code"] for one in failed}


def _batches(publications: Sequence[Publication]) -> Iterator[list[int]]:
    """Indexes in order, by call; a second message of one alert, or more than a call may hold, begins the next call."""
    batch: list[int] = []
    bytes_left = _MOST_BYTES
    for index, publication in enumerate(publications):
        bytes_left -= _size(publication)
        again = any(publications[one].alert_id == publication.alert_id for one in batch)
        if batch and (again or len(batch) == _MOST_MESSAGES or bytes_left < 0):
            yield batch
            batch, bytes_left = [], _MOST_BYTES - _size(publication)
        batch.append(index)
    if batch:
        yield batch


def _size(publication: Publication) -> int:
    return len(_message(publication).encode()) + _ATTRIBUTE_BYTES


def _message(publication: Publication) -> str:
    return json.dumps({"default": publication.body, "email": publication.text}, ensure_ascii=False)


def _entry(entry_id: str, publication: Publication) -> "PublishBatchRequestEntryTypeDef":
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": text} for name, text in publication.attributes.items()
    }
    for name, texts in publication.lists.items():
        attributes[name] = {"DataType": "String.Array", "StringValue": json.dumps(texts, ensure_ascii=False)}
    for name, value in publication.numbers.items():
        attributes[name] = {"DataType": "Number", "StringValue": repr(value)}
    return {
        "Id": entry_id,
        "Subject": publication.subject,
        "MessageStructure": "json",
        "Message": _message(publication),
        "MessageAttributes": attributes,
    }
