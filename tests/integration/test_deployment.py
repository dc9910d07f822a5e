"""The template deployed to the embedded AWS with permissions enforced: events in, alerts and archive rows out."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.local.archive import read_archive_rows
from infra.local.cloud import Cloud
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.progress import wait_until
from infra.local.replaying import put_events, wait_for_archive
from infra.local.subscribers import QueueSubscriber, WebSubscriber
from service_quality.events.interaction_event import InteractionEvent, event_to_dict
from service_quality.features.feature_set import FEATURES
from tests.integration.line_steps import read_rejected
from tests.stand_ins.tiny_model import tiny_model

pytestmark = [pytest.mark.aws, pytest.mark.slow]

SECONDS = 60


@dataclass(frozen=True)
class Deployment:
    cloud: Cloud
    outputs: dict[str, str]

    def archived(self) -> dict[str, dict]:
        """Archived entries by event id."""
        rows = read_archive_rows(self.cloud, self.outputs["ArchiveBucketName"])
        return {entry["event"]["event_id"]: entry for row in rows for entry in row["entries"] if "event" in entry}

    def await_archived(self, *event_ids: str) -> None:
        assert wait_until(
            lambda: set(event_ids) <= set(self.archived()),
            title="archive",
            state=lambda: "still waiting",
            seconds=SECONDS,
        ), f"found {sorted(self.archived())}, expected {event_ids}"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory) -> Iterator[Deployment]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        outputs = deploy(emulator)
        promote_tiny_model(emulator.cloud, outputs)
        yield Deployment(emulator.cloud, outputs)


def promote_tiny_model(cloud: Cloud, outputs: dict[str, str]) -> None:
    """A model that finds every conversation at risk."""
    model = tiny_model(bias=1.5)
    cloud.s3.put_object(Bucket=outputs["ModelsBucketName"], Key="models/tiny/model.onnx", Body=model)
    pointer = {"pk": "pointer", "sk": "champion", "version": "tiny", "fingerprint": FEATURES.fingerprint}
    cloud.dynamodb.put_item(
        TableName=outputs["ModelsTableName"], Item={name: {"S": value} for name, value in pointer.items()}
    )


def opened(event_id: str, *, shop_id: str = "shop-1") -> InteractionEvent:
    now = int(time.time() * 1000)  # an inlet stamps the arrival, and what is too old by then is refused
    return InteractionEvent(
        event_id=event_id,
        shop_id=shop_id,
        kind="conversation_opened",
        occurred_at=now,
        received_at=now,
        conversation_id=f"conversation of {event_id}",
        agent_id="agent-1",
    )


def test_event_on_the_stream_is_archived_and_its_alert_received(deployment):
    topic, events = deployment.outputs["AlertTopicArn"], [opened(f"streamed-{number}") for number in range(3)]

    with QueueSubscriber(deployment.cloud, topic) as queue, WebSubscriber(deployment.cloud, topic) as web:
        numbers = put_events(deployment.cloud, deployment.outputs["EventStreamName"], events)
        wait_for_archive(deployment.cloud, deployment.outputs["ArchiveBucketName"], numbers, quiet=SECONDS)
        queue.inbox.wait_for(3, seconds=SECONDS)
        web.inbox.wait_for(3, seconds=SECONDS)

    assert {event.event_id for event in events} <= set(deployment.archived())
    assert set(queue.inbox.messages) == set(web.inbox.messages)
    received = next(iter(queue.inbox.messages.values()))
    assert set(received.attributes) == {"kind", "severity", "state", "shop_id", "score"}
    assert json.loads(received.body)["kind"] == "high_risk"


def test_record_that_cannot_be_read_is_kept_and_the_others_are_taken(deployment):
    stream = deployment.outputs["EventStreamName"]

    deployment.cloud.kinesis.put_record(StreamName=stream, Data=b"{broken", PartitionKey="shop-2")
    put_events(deployment.cloud, stream, [opened("beside-a-broken-one", shop_id="shop-2")])
    deployment.await_archived("beside-a-broken-one")

    kept = read_rejected(deployment.cloud, deployment.outputs["RejectedBucketName"])
    assert [one["reason"] for one in kept if one["shop_id"] == "shop-2"] == ["malformed_json"]


def test_queue_and_bus_end_on_the_same_log(deployment):
    queued, published = (event_to_dict(opened(event_id, shop_id="shop-3")) for event_id in ("queued", "published"))

    deployment.cloud.sqs.send_message(QueueUrl=deployment.outputs["EventQueueUrl"], MessageBody=json.dumps(queued))
    deployment.cloud.events.put_events(
        Entries=[
            {
                "EventBusName": deployment.outputs["EventBusName"],
                "Source": "shop",
                "DetailType": "interaction event",
                "Detail": json.dumps(published),
            }
        ]
    )

    deployment.await_archived("queued", "published")


def test_notification_of_sns_and_a_bus_form_in_the_queue_are_unwrapped(deployment):
    notified, relayed = (event_to_dict(opened(event_id, shop_id="shop-3")) for event_id in ("notified", "relayed"))
    bodies = [
        {"Type": "Notification", "MessageId": "m", "TopicArn": "arn", "Message": json.dumps(notified)},
        {"detail-type": "interaction event", "source": "shop", "detail": {"events": [relayed]}},
    ]

    for body in bodies:
        deployment.cloud.sqs.send_message(QueueUrl=deployment.outputs["EventQueueUrl"], MessageBody=json.dumps(body))

    deployment.await_archived("notified", "relayed")


def test_message_of_too_many_events_is_kept_as_one_record_and_stops_nothing(deployment):
    queue = deployment.outputs["EventQueueUrl"]
    after = event_to_dict(opened("after-too-many", shop_id="shop-3"))

    deployment.cloud.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"events": [1] * 80_000}))
    deployment.cloud.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(after))
    deployment.await_archived("after-too-many")

    kept = read_rejected(deployment.cloud, deployment.outputs["RejectedBucketName"])
    assert [one["shop_id"] for one in kept if one["reason"] == "too_many_events"] == ["_invalid"]


def test_direct_caller_is_told_what_was_taken(deployment):
    good = event_to_dict(opened("called", shop_id="shop-4"))

    answer = deployment.cloud.functions.invoke(
        FunctionName=deployment.outputs["IngestEventsFunctionName"],
        Payload=json.dumps({"events": [good, {**good, "event_id": "unknown", "kind": "sneezed"}]}).encode(),
    )
    told = json.loads(answer["Payload"].read())

    assert told["accepted"] == ["called"]
    assert [rejected["reason"] for rejected in told["rejected"]] == ["unknown_kind"]
    deployment.await_archived("called")


def test_preview_scores_and_changes_nothing(deployment):
    foreseen = event_to_dict(opened("foreseen", shop_id="shop-5"))

    answer = deployment.cloud.functions.invoke(
        FunctionName=deployment.outputs["IngestEventsFunctionName"],
        Payload=json.dumps({"events": [foreseen], "preview": True}).encode(),
    )
    told = json.loads(answer["Payload"].read())

    assert 0 < told["previews"][0]["score"] < 1
    assert "foreseen" not in deployment.archived()
