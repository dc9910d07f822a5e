"""Events onto the stream, in order, with what is refused for a moment put again."""

from typing import Any

import pytest

from service_quality.adapters.event_stream import EventStream
from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import InteractionEvent
from service_quality.events.log_records import StreamEntry

TAKEN = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
REFUSED = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "slow down"}


def event(name: str, **values) -> InteractionEvent:
    fields: dict[str, Any] = {"shop_id": "s", "kind": "page_viewed", "occurred_at": 1, "received_at": 1}
    return InteractionEvent(event_id=name, **(fields | values))


def request(*events: InteractionEvent) -> dict[str, object]:
    records = [{"Data": event_to_json(one), "PartitionKey": one.shop_id} for one in events]
    return {"StreamName": "events", "Records": records}


def make_stream(stubber, pauses=None) -> EventStream:
    return EventStream(stubber.client, "events", pause=(pauses if pauses is not None else []).append)


def test_events_go_in_order_with_their_shop_as_partition_key(kinesis):
    one, two = event("1"), event("2", shop_id="other")
    kinesis.add_response("put_records", {"Records": [TAKEN, TAKEN]}, request(one, two))

    assert make_stream(kinesis).put([one, two]) == set()


def test_only_what_was_refused_is_put_again(kinesis):
    one, two, three = event("1"), event("2"), event("3")
    pauses: list[float] = []
    kinesis.add_response("put_records", {"Records": [TAKEN, REFUSED, TAKEN]}, request(one, two, three))
    kinesis.add_response("put_records", {"Records": [TAKEN]}, request(two))

    assert make_stream(kinesis, pauses).put([one, two, three]) == set()
    assert len(pauses) == 1


def test_what_is_refused_to_the_end_is_named_by_its_index(kinesis):
    kinesis.add_response("put_records", {"Records": [TAKEN, REFUSED]})
    for _ in range(4):
        kinesis.add_response("put_records", {"Records": [REFUSED]})

    assert make_stream(kinesis).put([event("1"), event("2")]) == {1}


def test_no_request_holds_more_than_500_records(kinesis):
    events = [event(str(number)) for number in range(501)]
    kinesis.add_response("put_records", {"Records": [TAKEN] * 500}, request(*events[:500]))
    kinesis.add_response("put_records", {"Records": [TAKEN]}, request(*events[500:]))

    assert make_stream(kinesis).put(events) == set()


def test_no_request_is_too_large(kinesis):
    events = [event(str(number), text="字" * 8000) for number in range(200)]
    kinesis.add_response("put_records", {"Records": [TAKEN] * 186})
    kinesis.add_response("put_records", {"Records": [TAKEN] * 14})

    assert make_stream(kinesis).put(events) == set()


def test_nothing_to_put_asks_nothing(kinesis):
    assert make_stream(kinesis).put([]) == set()


def test_failing_stream_is_a_dependency_error(kinesis):
    kinesis.add_client_error("put_records", "InternalFailure", http_status_code=500)

    with pytest.raises(DependencyError, match="stream events"):
        make_stream(kinesis).put([event("1")])


def test_missing_stream_is_named(kinesis):
    kinesis.add_client_error("describe_stream_summary", "ResourceNotFoundException")

    with pytest.raises(DeploymentError, match="stream events"):
        make_stream(kinesis).check()


def test_records_of_any_bytes_go_in_order_under_their_shops_ids(kinesis):
    entries = [StreamEntry("s", b"{"), StreamEntry("other", b"\xff"), StreamEntry("s", b"")]
    records = [{"Data": entry.data, "PartitionKey": entry.shop_id} for entry in entries]
    kinesis.add_response("put_records", {"Records": [TAKEN] * 3}, {"StreamName": "events", "Records": records})

    make_stream(kinesis).put_entries(entries)


def test_records_that_are_refused_to_the_end_are_counted_as_a_failure(kinesis):
    kinesis.add_response("put_records", {"Records": [TAKEN, REFUSED]})
    for _ in range(4):
        kinesis.add_response("put_records", {"Records": [REFUSED]})

    with pytest.raises(DependencyError, match="stream events: found 1 of 2 records not taken"):
        make_stream(kinesis).put_entries([StreamEntry("s", b"1"), StreamEntry("s", b"2")])


class NarrowStream:
    """Takes the first hundred records of each request."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def put_records(self, *, StreamName, Records):
        self.taken += [record["Data"] for record in Records[:100]]
        return {"Records": [TAKEN] * len(Records[:100]) + [REFUSED] * len(Records[100:])}


def test_stream_that_takes_some_of_each_request_takes_all_and_each_once():
    narrow: Any = NarrowStream()
    entries = [StreamEntry("s", str(number).encode()) for number in range(10_000)]

    EventStream(narrow, "events", pause=lambda seconds: None).put_entries(entries)

    assert sorted(map(int, narrow.taken)) == list(range(10_000))
