"""The template deployed to the embedded AWS with permissions enforced: events in, alerts and archive rows out."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from cli.progress import wait_until
from infra.local.archive import list_objects, read_archive_rows
from infra.local.cloud import Cloud
from infra.local.deployment import deploy
from infra.local.emulator import Emulator
from infra.local.replaying import put_events, wait_for_archive
from infra.local.subscribers import QueueSubscriber, WebSubscriber
from service_quality.events.event_forms import event_to_dict
from service_quality.events.interaction_event import InteractionEvent
from service_quality.features.feature_set import FEATURES
from tests.infrastructure.templates import PROJECT
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
        outputs = deploy(emulator, {"SweepAfterMinutes": "0"})
        promote_tiny_model(emulator.cloud, outputs)
        yield Deployment(emulator.cloud, outputs)


def promote_tiny_model(cloud: Cloud, outputs: dict[str, str], *, bias: float = 1.5) -> None:
    """A model that finds every conversation at risk, unless its bias says otherwise."""
    model = tiny_model(bias=bias)
    cloud.s3.put_object(Bucket=outputs["ModelsBucketName"], Key="models/tiny/model.onnx", Body=model)
    pointer = {"pk": "pointer", "sk": "champion", "version": "tiny", "fingerprint": FEATURES.fingerprint}
    cloud.dynamodb.put_item(
        TableName=outputs["ModelsTableName"], Item={name: {"S": value} for name, value in pointer.items()}
    )


def opened(event_id: str, *, shop_id: str = "shop-1") -> InteractionEvent:
    now = int(time.time() * 1000)  # an inlet stamps the arrival, and an event that is too old by then is rejected
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
    assert set(received.attributes) == {"kind", "severity", "state", "shop_id", "audience", "sequence", "score"}
    assert json.loads(received.body)["kind"] == "high_risk"


def test_record_that_cannot_be_read_is_stored_and_the_others_are_taken(deployment):
    stream = deployment.outputs["EventStreamName"]

    deployment.cloud.kinesis.put_record(StreamName=stream, Data=b"{broken", PartitionKey="shop-2")
    put_events(deployment.cloud, stream, [opened("beside-a-broken-one", shop_id="shop-2")])
    deployment.await_archived("beside-a-broken-one")

    stored = read_rejected(deployment.cloud, deployment.outputs["RejectedBucketName"])
    assert [one["reason"] for one in stored if one["shop_id"] == "shop-2"] == ["malformed_json"]


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


def test_message_of_too_many_events_is_stored_as_one_record_and_stops_nothing(deployment):
    queue = deployment.outputs["EventQueueUrl"]
    after = event_to_dict(opened("after-too-many", shop_id="shop-3"))

    deployment.cloud.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"events": [1] * 80_000}))
    deployment.cloud.sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(after))
    deployment.await_archived("after-too-many")

    stored = read_rejected(deployment.cloud, deployment.outputs["RejectedBucketName"])
    assert [one["shop_id"] for one in stored if one["reason"] == "too_many_events"] == ["_invalid"]


def test_direct_caller_learns_what_was_taken(deployment):
    good = event_to_dict(opened("called", shop_id="shop-4"))

    answer = deployment.cloud.functions.invoke(
        FunctionName=deployment.outputs["IngestEventsFunctionName"],
        Payload=json.dumps({"events": [good, {**good, "event_id": "unknown", "kind": "sneezed"}]}).encode(),
    )
    taken = json.loads(answer["Payload"].read())

    assert taken["accepted"] == ["called"]
    assert [rejected["reason"] for rejected in taken["rejected"]] == ["unknown_kind"]
    deployment.await_archived("called")


def test_preview_scores_and_changes_nothing(deployment):
    previewed = event_to_dict(opened("previewed", shop_id="shop-5"))

    answer = deployment.cloud.functions.invoke(
        FunctionName=deployment.outputs["PreviewScoreFunctionName"],
        Payload=json.dumps({"events": [previewed]}).encode(),
    )
    taken = json.loads(answer["Payload"].read())

    assert 0 < taken["previews"][0]["score"] < 1
    assert "previewed" not in deployment.archived()


def test_bucket_that_requires_tls_refuses_a_function_without_it(deployment):
    bucket = deployment.outputs["RejectedBucketName"]
    policy = PROJECT.resources("AWS::S3::BucketPolicy")["RejectedBucketPolicy"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    arns = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    required = json.dumps({**policy, "Statement": [{**statement, "Resource": arns}]})
    deployment.cloud.s3.put_bucket_policy(Bucket=bucket, Policy=required)

    try:
        answer = deployment.cloud.functions.invoke(
            FunctionName=deployment.outputs["IngestEventsFunctionName"], Payload=b'{"events": [7]}'
        )
    finally:
        deployment.cloud.s3.delete_bucket_policy(Bucket=bucket)

    assert f"AccessDenied at bucket {bucket}" in answer["Payload"].read().decode()


def outbox_rows(deployment: Deployment, row_kind: str, shop_id: str) -> list[dict]:
    pages = deployment.cloud.dynamodb.get_paginator("scan").paginate(
        TableName=deployment.outputs["AlertsTableName"],
        FilterExpression="row_kind = :kind AND shop_id = :shop",
        ExpressionAttributeValues={":kind": {"S": row_kind}, ":shop": {"S": shop_id}},
    )
    return [item for page in pages for item in page["Items"]]


def await_rows(deployment: Deployment, row_kind: str, shop_id: str, count: int) -> list[dict]:
    assert wait_until(
        lambda: len(outbox_rows(deployment, row_kind, shop_id)) >= count,
        title="outbox",
        state=lambda: f"{len(outbox_rows(deployment, row_kind, shop_id))} of {count} rows",
        seconds=SECONDS,
    )
    return outbox_rows(deployment, row_kind, shop_id)


def test_row_that_is_written_again_is_not_sent_again_and_unknown_ones_hold_no_other_back(deployment):
    stream, table = deployment.outputs["EventStreamName"], deployment.outputs["AlertsTableName"]
    with QueueSubscriber(deployment.cloud, deployment.outputs["AlertTopicArn"], "shop-6") as queue:
        put_events(deployment.cloud, stream, [opened("told-once", shop_id="shop-6")])
        queue.inbox.wait_for(1, seconds=SECONDS)
        (row,) = outbox_rows(deployment, "alert", "shop-6")
        old = json.dumps(json.loads(row["body"]["B"]) | {"kind": "old"}).encode()
        again = row | {"touched": {"BOOL": True}}
        broken = row | {"sequence": {"S": "09795165140000-0007"}, "body": {"B": b"{broken"}}
        renamed = row | {"sequence": {"S": "09795165140000-0008"}, "body": {"B": old}}
        other = row | {"sequence": {"S": "09795165140000-0009"}}
        for item in (again, broken, renamed, other):
            deployment.cloud.dynamodb.put_item(TableName=table, Item=item)
        queue.inbox.wait_for(3, seconds=SECONDS)

    bodies = sorted((json.loads(one.body) for one in queue.inbox.messages.values()), key=lambda one: one["sequence"])
    assert [one["kind"] for one in bodies] == ["high_risk", "old", "high_risk"]
    assert [one["message_id"][-4:] for one in bodies] == ["0001", "0008", "0009"]
    bucket = deployment.outputs["RejectedBucketName"]
    (key,) = list_objects(deployment.cloud, bucket, "outbox/alert/")
    stored = json.loads(deployment.cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert stored["reason"] == "malformed_json"


def test_rows_that_the_archiver_missed_are_swept_into_the_archive(deployment):
    functions, stream = deployment.cloud.functions, deployment.outputs["EventStreamName"]
    (source,) = functions.list_event_source_mappings(FunctionName=deployment.outputs["ArchiveOutboxFunctionName"])[
        "EventSourceMappings"
    ]
    put_events(deployment.cloud, stream, [opened("before", shop_id="shop-7")])
    deployment.await_archived("before")
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=False)
    time.sleep(2)  # for a poll that is under way
    for number in range(3):
        put_events(deployment.cloud, stream, [opened(f"missed-{number}", shop_id="shop-7")])
        await_rows(deployment, "archive", "shop-7", number + 2)
    assert not [name for name in deployment.archived() if name.startswith("missed")]

    answer = sweep(deployment)

    assert answer["SweptRows"] >= 3
    assert {f"missed-{number}" for number in range(3)} < set(deployment.archived())
    functions.update_event_source_mapping(UUID=source["UUID"], Enabled=True)
    put_events(deployment.cloud, stream, [opened("after", shop_id="shop-7")])
    deployment.await_archived("after")
    assert wait_until(
        lambda: not sweep(deployment)["SweptRows"], title="sweep", state=lambda: "at work", seconds=SECONDS
    )
    assert len(archived_links(deployment, "shop-7")) == len(outbox_rows(deployment, "archive", "shop-7")) == 5


def sweep(deployment: Deployment) -> dict:
    answer = deployment.cloud.functions.invoke(
        FunctionName=deployment.outputs["SweepArchiveFunctionName"], Payload=b"{}"
    )
    said = json.loads(answer["Payload"].read())
    assert not answer.get("FunctionError"), said
    return said


def archived_links(deployment: Deployment, shop_id: str) -> list[tuple[str, str]]:
    """The links that follow one another from the start, second copies dropped."""
    rows = read_archive_rows(deployment.cloud, deployment.outputs["ArchiveBucketName"])
    links = {row["follows"]: row["last"] for row in rows if row["shop_id"] == shop_id}
    chain, end = [], ""
    while end in links:
        chain.append((end, links[end]))
        end = links[end]
    return chain
