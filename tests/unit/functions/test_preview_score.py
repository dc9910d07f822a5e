"""Previews: the score that an event would get now, from a function that changes nothing."""

import json
from copy import deepcopy

import pytest

from service_quality.errors import ModelError
from service_quality.instants import DAY, format_instant
from tests.unit.functions.conftest import CONTEXT, MODEL, NOW, read_event

EVENT = read_event("direct")["events"][0]


def test_preview_gives_score_and_reasons_and_changes_nothing(previews, aws):
    before = deepcopy((aws.dynamodb, aws.s3))

    answer = previews.handler(read_event("direct"), CONTEXT)

    found = {one["event_id"]: one for one in answer["previews"]}
    assert answer["accepted"] == ["contact-1-opened", "contact-1-said", "contact-1-answered"]
    assert [one["reason"] for one in answer["rejected"]] == ["unknown_kind"]
    assert found["contact-1-opened"] == {
        "event_id": "contact-1-opened",
        "score": 0.37754,
        "reasons": [],
        "model_version": MODEL,
    }
    assert found["contact-1-answered"]["score"] == 0.73106
    assert found["contact-1-answered"]["reasons"] == [{"feature": "answered", "value": 1, "contribution": 1.5}]
    assert aws.kinesis.records == []
    assert (aws.dynamodb, aws.s3) == before


def test_preview_is_what_the_stream_then_serves(load, previews):
    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)
    event = {**read_event("direct")["events"][1], "event_id": "later", "occurred_at": "2026-11-20T09:00:00Z"}

    (preview,) = previews.handler({"events": [event]}, CONTEXT)["previews"]

    assert preview["score"] == 0.73106


def test_preview_names_the_values_that_could_not_be_used(previews):
    answer = previews.handler({"events": [EVENT | {"agent_id": 7, "text": "x" * 100_000}]}, CONTEXT)

    assert answer["odd_fields"] == [{"index": 0, "event_id": EVENT["event_id"], "fields": ["agent_id"]}]
    assert [one["event_id"] for one in answer["previews"]] == [EVENT["event_id"]]


def test_events_of_several_shops_are_previewed_in_the_order_of_the_call(previews):
    events = [{**EVENT, "event_id": f"e-{number}", "shop_id": f"shop-{number % 2}"} for number in range(4)]

    answer = previews.handler({"events": events}, CONTEXT)

    assert [one["event_id"] for one in answer["previews"]] == ["e-0", "e-1", "e-2", "e-3"]


@pytest.mark.parametrize(("days", "reasons"), [(30, []), (31, ["older_than_retention"])])
def test_preview_rejects_what_an_inlet_would_reject(previews, days, reasons):
    event = EVENT | {"occurred_at": format_instant(NOW - days * DAY)}

    answer = previews.handler({"events": [event]}, CONTEXT)

    assert [one["reason"] for one in answer["rejected"]] == reasons
    assert len(answer["previews"]) == 1 - len(reasons)


def test_preview_rejects_what_the_fold_would_reject(previews, load):
    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)
    events = [{**EVENT, "event_id": f"filler-{number}", "kind": "agent_message"} for number in range(501)]

    answer = previews.handler({"events": events}, CONTEXT)

    assert {one["reason"] for one in answer["rejected"]} == {"conversation_full"}
    assert len(answer["accepted"]) == len(answer["previews"]) == 501 - len(answer["rejected"])
    assert all(events[one["index"]]["event_id"] == one["event_id"] for one in answer["rejected"])


@pytest.mark.parametrize("event", [7, "text", None, [], {}, {"events": []}, {"Records": [{"messageId": "m"}]}])
def test_wrong_shape_gets_an_answer(previews, event):
    answer = previews.handler(event, CONTEXT)

    assert answer["accepted"] == answer["previews"] == []
    assert all(one["reason"] and one["message"] for one in answer["rejected"])
    assert answer["rejected"]


def test_previews_are_counted_and_nothing_of_them_is_logged(previews, capsys, caplog):
    previews.handler(read_event("direct"), CONTEXT)

    said = capsys.readouterr().out + "".join(str(vars(record)) for record in caplog.records)
    assert '"PreviewedEvents":[3.0]' in said
    assert "events_previewed" in said
    assert not any(name in said for name in ("customer-7", "agent-3", "contact-1", "包裹"))


def test_refused_model_is_counted_under_the_name_of_the_function(load, aws, capsys):
    aws.promote(other_meaning=True)

    with pytest.raises(ModelError):
        load("preview_score")

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RefusedModels" in line]
    assert [(line["RefusedModels"], line["service"]) for line in counted] == [([1.0], "preview_score")]
