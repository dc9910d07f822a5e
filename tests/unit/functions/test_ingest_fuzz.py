"""Any input of the inlet gets an answer, is put or stored, and is not repeated."""

import json
from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service_quality.events.interaction_event import FIELDS
from tests.unit.functions.conftest import CONTEXT, put_events, read_event

WORD = "hopelessly_incompetent_anna_meier"
GOOD = read_event("direct")["events"][0]
NAMES = (
    *("Records", "messageId", "body", "attributes", "SentTimestamp", "events", "detail-type", "detail", "Type"),
    *("Message", "specversion", "data", "data_base64", "preview", *FIELDS),
)
SCALARS = st.sampled_from((None, True, False, 0, 7, -1, 0.5, 10**30, "", "x", "Notification", "\ud800", WORD))


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Lists, objects with names that the inlet reads, and texts of such JSON."""
    objects = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=4)
    wrapped = st.tuples(st.sampled_from(("events", "detail", "Message", "data", "body")), inner).map(wrap)
    return st.one_of(
        st.lists(inner, max_size=4), objects, objects.map(lambda one: {**GOOD, **one}), wrapped, inner.map(json.dumps)
    )


def wrap(named: tuple[str, object]) -> object:
    name, inner = named
    marks: Mapping[str, Mapping[str, object]] = {
        "detail": {"detail-type": "t"},
        "Message": {"Type": "Notification"},
        "data": {"specversion": "1.0"},
        "body": {"messageId": "m"},
    }
    return {**marks.get(name, {}), name: inner}


PAYLOADS = st.recursive(SCALARS | st.just(GOOD), nested, max_leaves=12)
BATCHES = st.lists(
    st.builds(lambda body: {"messageId": "m", "body": body}, PAYLOADS) | PAYLOADS, min_size=1, max_size=4
)


def answer_to(event: object, ingest, aws) -> dict:
    """The answer, over empty stores."""
    aws.kinesis.records.clear()
    aws.s3.buckets["rejected"].clear()
    return json.loads(json.dumps(ingest.handler(event, CONTEXT)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # stores are emptied each time
@given(PAYLOADS)
def test_direct_caller_learns_of_everything(ingest, aws, event):
    answer = answer_to(event, ingest, aws)

    if "batchItemFailures" in answer:
        assert len(put_events(aws)) + len(aws.rejected()) >= len(event["Records"])
        return
    assert answer["accepted"] or answer["rejected"]
    assert not any(WORD in one["message"] for one in answer["rejected"])
    assert len(answer["accepted"]) == len(put_events(aws))
    assert [one["reason"] for one in answer["rejected"]] == [one["reason"] for one in aws.rejected()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BATCHES)
def test_every_message_of_a_queue_is_put_or_stored(ingest, aws, messages):
    first = {"messageId": "first", "body": json.dumps(GOOD)}
    others = [
        {**one, "messageId": f"m-{number}"} if isinstance(one, dict) and "messageId" in one else one
        for number, one in enumerate(messages)
    ]

    answer = answer_to({"Records": [first, *others]}, ingest, aws)

    assert answer == {"batchItemFailures": []}
    assert len(put_events(aws)) + len(aws.rejected()) >= 1 + len(messages)
    assert not any(WORD in one["message"] for one in aws.rejected())
