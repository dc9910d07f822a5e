"""The topic that tells people: one publication per alert message."""

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from service_quality.call_failures import failure_of
from service_quality.publications import Publication

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


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

    def publish(self, publication: Publication) -> None:
        """Send JSON to whoever reads JSON, and readable text to mailboxes."""
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in publication.attributes.items()
        }
        if publication.score is not None:
            attributes["score"] = {"DataType": "Number", "StringValue": repr(publication.score)}
        try:
            self._sns.publish(
                TopicArn=self._arn,
                Subject=publication.subject,
                MessageStructure="json",
                Message=json.dumps({"default": publication.body, "email": publication.text}, ensure_ascii=False),
                MessageAttributes=attributes,
            )
        except (ClientError, BotoCoreError) as error:
            raise failure_of(error, f"topic {self._arn}") from error
