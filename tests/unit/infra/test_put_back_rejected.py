"""Rejected records and given-up batches put back by the operator's command, against the real commit."""

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from infra.operations.errors import OperationsError
from infra.operations.given_up import read_given_up
from infra.operations.listing import count_records, list_records
from infra.operations.rejected_objects import RejectedObjects
from infra.operations.selection import GIVEN_UP, Selection
from service_quality.adapters.buckets.rejected_store import RejectedStore
from service_quality.commit import log_reader
from service_quality.events.control_records import RecordPutBack, ShopUnparked
from service_quality.events.event_forms import event_to_json
from service_quality.events.identifiers import NO_SHOP
from service_quality.events.log_records import LogRecord, Rejection
from service_quality.events.positions import Position
from tests.stand_ins.aggregates import aggregate
from tests.stand_ins.control import record_json
from tests.stand_ins.cursed_fold import CursedFold
from tests.stand_ins.operated_line import BUCKET, KilledError, OperatedLine
from tests.unit.core.sample_events import NOON, event

EVENTS = Path(__file__).resolve().parents[2] / "events"
OBJECT = "aws/lambda/5f7b5a1e/shardId-000000000000/2026/11/26/2026-11-26T08.59.31-c9b8fa9f"


def said(event_id: str, *, shop_id: str = "shop", at: int = 0, **fields):
    return event("customer_message", at, event_id=event_id, shop_id=shop_id, **fields)


def rejection(
    reason: str, data: bytes, *, shop_id: str = "shop", position: str = "", arrived_at: int = NOON
) -> Rejection:
    return Rejection(shop_id, LogRecord(position or str(Position(1, 7)), data, arrived_at), reason, "found 1")


def store(line: OperatedLine, *rejections: Rejection) -> None:
    RejectedStore(line.s3, BUCKET).put(rejections)


def log_position(number: int) -> str:
    return str(Position(1, number))


def put_back(line: OperatedLine, **selected):
    outcome = line.command(selection=Selection(**selected)).go()
    line.advance()
    return outcome


def give_up(line: OperatedLine, *records: tuple[str, bytes], arrived_at: int = NOON) -> None:
    """Lambda gives up on a batch of the stream and writes it to the bucket."""
    form = json.loads((EVENTS / "given_up_batch.json").read_bytes())
    like = json.loads(form["payload"])["Records"][0]
    batch = [
        like
        | {
            "kinesis": {
                "partitionKey": key,
                "sequenceNumber": str(number),
                "data": b64encode(data).decode(),
                "approximateArrivalTimestamp": arrived_at / 1000,
            }
        }
        for number, (key, data) in enumerate(records)
    ]
    body = json.dumps(form | {"payload": json.dumps({"Records": batch})}).encode()
    line.s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=body)


def test_record_on_which_the_fold_failed_is_folded_once_the_fold_is_mended(monkeypatch):
    line = OperatedLine()
    with monkeypatch.context() as bad:
        bad.setattr(log_reader, "step_conversation", CursedFold("b"))
        line.send(said("a"), said("b", at=1), said("c", at=2))
        line.advance()
    assert [one["reason"] for one in line.stored()] == ["fold_failed"]

    outcome = put_back(line)

    assert (outcome.put, outcome.left) == ({("fold_failed", "shop"): 1}, {})
    assert line.folded("shop") == ["a", "c", "b"]
    assert line.stored() == []


def test_record_on_which_the_fold_fails_again_is_stored_again(monkeypatch):
    line = OperatedLine()
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("b"))
    line.send(said("a"), said("b", at=1))
    line.advance()

    put_back(line)

    (again,) = line.stored()
    assert (again["reason"], b64decode(again["raw_base64"])) == ("fold_failed", event_to_json(said("b", at=1)))


def test_what_this_release_still_rejects_is_left_where_it_lies():
    line = OperatedLine()
    store(
        line,
        rejection("unknown_kind", event_to_json(said("known-now")), position=log_position(1)),
        rejection("unknown_kind", b'{"kind": "sneezed"}', position=log_position(2)),
        rejection("malformed_json", b"{", position=log_position(3)),
    )

    outcome = put_back(line)

    assert outcome.put == {("unknown_kind", "shop"): 1}
    assert outcome.left == {("unknown_kind", "shop"): 1}
    assert [(one["reason"], one["position"]) for one in line.stored()] == [
        ("unknown_kind", log_position(2)),
        ("malformed_json", log_position(3)),
    ]
    assert line.folded("shop") == ["known-now"]


@pytest.mark.parametrize("is_dry", [False, True])
def test_what_was_asked_for_by_name_and_is_left_ends_with_3_and_without_a_name_with_0(is_dry):
    line = OperatedLine()
    store(
        line,
        rejection("unknown_kind", event_to_json(said("known-now")), position=log_position(1)),
        rejection("unknown_kind", b'{"kind": "sneezed"}', position=log_position(2)),
        rejection("wrong_type", b'{"kind": 7}', position=log_position(3)),
    )

    named = line.command(selection=Selection(reasons=frozenset({"unknown_kind"})), is_dry=is_dry).go()
    rest = line.command(is_dry=is_dry).go()

    assert (named.exit_code, named.left.total(), rest.exit_code, rest.left.total()) == (3, 1, 0, 2)
    ((subject, error),) = named.troubles
    assert (subject, str(error)) == ("left records", "found 1 records still rejected, expected 0: they stay stored")
    assert "left records: found 1 " in named.summary(is_dry=is_dry)


def test_what_was_asked_for_by_name_and_is_all_back_ends_with_0():
    line = OperatedLine()
    store(line, rejection("unknown_kind", event_to_json(said("known-now"))))

    assert put_back(line, reasons=frozenset({"unknown_kind"})).exit_code == 0


def test_trouble_of_another_kind_comes_before_what_is_left():
    line = OperatedLine(failing_functions=True)
    line.s3.put_object(Bucket=BUCKET, Key="outbox/alert/1.json", Body=unsent("shop"))
    store(line, rejection("unknown_kind", b'{"kind": "sneezed"}'))

    assert put_back(line, reasons=frozenset({"unknown_kind", "unsent"})).exit_code == 1


@pytest.mark.parametrize("reason", ["older_than_retention", "conversation_full", "from_the_future", "expired"])
def test_reason_that_no_mend_changes_is_put_back_only_by_name(reason):
    line = OperatedLine()
    store(line, rejection(reason, event_to_json(said("a"))))

    assert put_back(line).put == {}
    assert put_back(line, reasons=frozenset({reason})).put == {(reason, "shop"): 1}
    assert line.stored() == []


def test_records_are_selected_by_shop_and_first_arrival():
    line = OperatedLine()
    for number, shop_id in enumerate(("one", "one", "two")):
        data = event_to_json(said(f"e{number}", shop_id=shop_id))
        store(
            line, rejection("passed_by", data, shop_id=shop_id, position=log_position(number), arrived_at=NOON + number)
        )

    outcome = put_back(line, shop_id="one", since=NOON + 1, until=NOON + 2)

    assert outcome.put == {("passed_by", "one"): 1}
    assert (line.folded("one"), line.folded("two"), len(line.stored())) == (["e1"], [], 2)


def test_record_that_names_a_shop_in_its_json_alone_goes_to_that_shop():
    line = OperatedLine()
    store(
        line,
        rejection("no_shop", event_to_json(said("a", shop_id="named")), shop_id=NO_SHOP, position=log_position(1)),
        rejection("no_shop", b'{"kind": "rated"}', shop_id=NO_SHOP, position=log_position(2)),
        rejection("no_shop", b"\xff", shop_id=NO_SHOP, position=log_position(3)),
    )

    outcome = put_back(line, shop_id="named")
    rest = put_back(line)

    assert outcome.put == {("no_shop", "named"): 1}
    assert (rest.put, rest.left) == ({}, {("no_shop", NO_SHOP): 2})
    assert line.folded("named") == ["a"]


def test_event_that_an_inlet_rejected_is_taken_in_as_if_it_came_now():
    line = OperatedLine(now=NOON + 5000)
    store(line, rejection("missing_field", event_to_json(said("a")), position="message-7-0000"))

    put_back(line)

    assert line.folded("shop") == ["a"]
    (_, data) = line.records[0]
    assert json.loads(data)["received_at"] == "2023-08-31T12:00:05.000Z"


def test_event_that_an_inlet_rejected_comes_back_with_as_much_of_its_text_as_a_record_takes():
    line = OperatedLine(now=NOON + 5000)
    mail = json.dumps({**json.loads(event_to_json(said("a"))), "text": "it never came. " * 20_000})
    store(line, rejection("too_large", mail.encode(), position="message-7-0000"))

    put_back(line)

    assert line.folded("shop") == ["a"]
    assert len(json.loads(line.records[0][1])["text"]) == 8_000


def test_rejected_record_of_a_parked_shop_comes_back_with_the_parked_ones_in_its_place():
    line = OperatedLine()
    line.store.troubled = {"shop"}
    line.send(said("first"), said("third", at=2))
    line.advance()
    line.store.troubled = set()
    store(line, rejection("fold_failed", event_to_json(said("second", at=1)), position=str(Position(1, 0, part=5))))

    outcome = line.command().go()

    assert outcome.exit_code == 0
    assert line.folded("shop") == ["first", "second", "third"]
    assert line.stored() == []


def test_given_up_record_of_a_parked_shop_comes_back_with_the_parked_ones_in_its_place():
    line = OperatedLine()
    line.send(said("x", shop_id="other"))  # where the log has what was given up
    line.store.troubled = {"shop"}
    line.send(said("second", at=1), said("third", at=2))
    line.advance()
    line.store.troubled = set()
    line.takes_at_read = 3
    give_up(line, ("shop", event_to_json(said("first"))))

    outcome = line.command().go()

    assert (outcome.exit_code, outcome.put["parked", "shop"]) == (0, 3)
    assert line.folded("shop") == ["first", "second", "third"]
    assert line.stored() == []


def test_records_of_two_shops_that_fail_again_never_stand_in_one_batch(monkeypatch):
    line = OperatedLine()
    monkeypatch.setattr(log_reader, "step_conversation", CursedFold("bad"))
    for shop_id in ("one", "two"):
        line.send(said("bad", shop_id=shop_id))
        line.advance()

    outcome = put_back(line)  # a batch of both would be a bad release, and the line would not go on

    assert outcome.rejected_again == {("fold_failed", "one"): 1, ("fold_failed", "two"): 1}
    assert outcome.exit_code == 3
    assert [(one["shop_id"], one["reason"]) for one in line.stored()] == [
        ("one", "fold_failed"),
        ("two", "fold_failed"),
    ]


def test_run_that_is_killed_before_any_call_loses_and_doubles_nothing():
    calls = 0
    while True:
        calls += 1
        line = OperatedLine()
        for number in range(3):
            store(line, rejection("item_full", event_to_json(said(f"r{number}")), position=log_position(number)))
        store(
            line,
            rejection("passed_by", event_to_json(said("r3")), position=log_position(8)),
            rejection("malformed_json", b"{", position=log_position(9)),
        )
        give_up(line, ("shop", event_to_json(said("g0"))), ("shop", event_to_json(said("g1", at=1))))
        line.kill_at = calls
        try:
            line.command().go()
        except KilledError:
            line.kill_at = None
            put_back(line)
        else:
            break
        assert sorted(line.folded("shop")) == ["g0", "g1", "r0", "r1", "r2", "r3"], calls
        assert [one["reason"] for one in line.stored()] == ["malformed_json"], calls
    assert calls > 10


def test_sample_of_a_given_up_batch_is_read_as_lambda_writes_it():
    body = (EVENTS / "given_up_batch.json").read_bytes()

    batch = read_given_up("k", body)

    assert (batch.is_of_stream, batch.function.rpartition(":")[2]) == (True, "score-interactions")
    assert batch.event == json.loads(json.loads(body)["payload"])
    first = next(batch.records(3))
    assert (first.shop_id, first.arrived_at) == ("shop-1", 1_795_165_200_000)
    assert first.position == str(Position(3, 49590338271490256608559692538361571095921575989136588898))


NOT_JSON = "found a line that is no rejected record, expected one (JSONDecodeError)"


def test_objects_that_nobody_can_read_are_named_and_hold_nothing_else():
    line = OperatedLine()
    line.store.troubled = {"ill"}
    line.send(said("p", shop_id="ill"))
    line.advance()
    line.store.troubled = set()
    keys = ["parked/aaa/x.jsonl", "rejected/aa/x.jsonl", "rejected/shop/0.jsonl"]
    for key in keys:
        line.s3.put_object(Bucket=BUCKET, Key=key, Body=b"not json")
    store(line, rejection("fold_failed", event_to_json(said("a"))))

    for is_dry in (True, False):
        outcome = line.command(is_dry=is_dry).go()

        assert outcome.exit_code == 1
        assert outcome.put == {("fold_failed", "shop"): 1, ("parked", "ill"): 1}
        named = [f"unreadable object: {key}: {NOT_JSON}" for key in (*keys[1:], keys[0])]
        assert outcome.summary(is_dry=is_dry).splitlines()[-3:] == named
    assert (line.folded("shop"), line.folded("ill")) == (["a"], ["p"])
    assert sorted(line.s3.buckets[BUCKET]) == keys


def test_parked_shop_with_an_object_that_nobody_can_read_is_left_whole_and_others_go_on():
    line = OperatedLine()
    line.store.troubled = {"ill", "worse"}
    for shop_id in ("ill", "worse"):
        line.send(said(f"p-{shop_id}", shop_id=shop_id))
        line.advance()
    line.store.troubled = set()
    line.s3.put_object(Bucket=BUCKET, Key="parked/ill/9.jsonl", Body=b"not json")

    outcome = line.command().go()

    assert [(subject, str(error)) for subject, error in outcome.troubles] == [
        ("shop ill", f"parked/ill/9.jsonl: {NOT_JSON}")
    ]
    assert (outcome.exit_code, line.folded("ill"), line.folded("worse")) == (1, [], ["p-worse"])


def test_dry_run_names_what_nobody_can_read_of_a_parked_shop():
    line = OperatedLine()
    line.store.troubled = {"ill"}
    line.send(said("p", shop_id="ill"))
    line.advance()
    line.s3.put_object(Bucket=BUCKET, Key="parked/ill/9.jsonl", Body=b"not json")

    outcome = line.command(is_dry=True).go()

    assert [subject for subject, _ in outcome.troubles] == ["shop ill"]
    assert (outcome.exit_code, outcome.put) == (1, {})


@pytest.mark.parametrize("text", ["[]", '"text"', '{"shop_id": 7}', "\udcff", "[[", "NaN"])
def test_line_of_any_shape_is_named_with_its_key(text):
    line = OperatedLine()
    line.s3.put_object(
        Bucket=BUCKET,
        Key="rejected/aa/x.jsonl",
        Body=text.replace("[[", "[" * 100_000).encode(errors="surrogateescape"),
    )

    (trouble,) = line.command().go().troubles

    assert "rejected/aa/x.jsonl: found a line that is no rejected record" in str(trouble[1])


@pytest.mark.parametrize("field", ["shop_id", "position", "reason", "message", "raw_base64", "arrived_at"])
def test_line_with_a_field_of_another_type_is_no_stored_record(field):
    line = OperatedLine()
    store(line, rejection("fold_failed", event_to_json(said("a"))))
    ((key, body),) = line.s3.buckets[BUCKET].items()
    line.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(json.loads(body) | {field: 7}).encode())

    (trouble,) = line.command().go().troubles

    assert f"{key}: found a line that is no rejected record" in str(trouble[1])


BROKEN = [
    json.dumps({"payload": {"Records": [{"eventSource": f"aws:{source}"}]}, "requestContext": {"functionArn": "f"}})
    for source in ("kinesis", "dynamodb")
]


@pytest.mark.parametrize("body", BROKEN)
def test_batch_with_records_that_nobody_can_read_is_left_and_holds_nothing_else(body):
    line = OperatedLine()
    line.s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=body.encode())
    line.s3.put_object(Bucket=BUCKET, Key="outbox/alert/1.json", Body=b'{"Records": [{}]}')
    store(line, rejection("fold_failed", event_to_json(said("a"))))

    outcome = put_back(line)
    unreadable: list[Exception] = []
    counts = count_records(Selection(), RejectedObjects(line.s3, BUCKET), generation=1, unreadable=unreadable.append)

    named = [str(trouble) for _, trouble in outcome.troubles]
    assert (outcome.put, counts) == ({("fold_failed", "shop"): 1}, {})
    assert named == [str(error) for error in unreadable]
    assert named == [
        f"{OBJECT}: found no batch of an event source, expected one",
        "outbox/alert/1.json: found no rows of the outbox, expected them",
    ]
    assert outcome.exit_code == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"payload": "{}"}', b'{"payload": 7, "requestContext": {}}'])
def test_object_that_holds_no_batch_is_named_and_left(body):
    line = OperatedLine()
    line.s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=body)

    outcome = line.command().go()

    ((_, trouble),) = outcome.troubles
    assert str(trouble).startswith(f"{OBJECT}: found no batch")
    assert list(line.s3.buckets[BUCKET]) == [OBJECT]


def test_given_up_records_are_folded_with_the_ids_and_the_arrival_they_had():
    line = OperatedLine(now=NOON + 60_000)
    give_up(line, ("one", event_to_json(said("a", shop_id="one"))), ("two", event_to_json(said("b", shop_id="two"))))

    outcome = put_back(line)

    assert outcome.put == {(GIVEN_UP, "one"): 1, (GIVEN_UP, "two"): 1}
    assert (line.folded("one"), line.folded("two")) == (["a"], ["b"])
    assert line.shop("one").received_clock == NOON
    assert line.s3.buckets[BUCKET] == {}


def test_given_up_record_under_a_key_of_its_source_goes_to_the_shop_that_it_names():
    line = OperatedLine()
    give_up(line, ("partition 7", event_to_json(said("a", shop_id="one"))), ("\x00", event_to_json(said("b"))))

    outcome = put_back(line)

    assert outcome.put == {(GIVEN_UP, "one"): 1, (GIVEN_UP, "shop"): 1}
    assert (line.folded("one"), line.folded("shop")) == (["a"], ["b"])


def test_given_up_batch_of_two_shops_lies_there_until_both_are_back():
    line = OperatedLine()
    give_up(line, ("one", event_to_json(said("a", shop_id="one"))), ("two", event_to_json(said("b", shop_id="two"))))

    put_back(line, shop_id="one")
    assert (line.folded("one"), line.folded("two"), list(line.s3.buckets[BUCKET])) == (["a"], [], [OBJECT])

    put_back(line)
    assert (line.folded("one"), line.folded("two"), line.s3.buckets[BUCKET]) == (["a"], ["b"], {})


def test_aggregate_that_was_given_up_comes_back_one_by_one():
    line = OperatedLine()
    events = [said(f"e{number}", shop_id=shop_id) for number, shop_id in enumerate(("one", "two", "one"))]
    packed = aggregate(["one", "two"], [(("one", "two").index(one.shop_id), event_to_json(one)) for one in events])
    give_up(line, ("one", packed))

    put_back(line)

    assert (line.folded("one"), line.folded("two")) == (["e0", "e2"], ["e1"])


def test_given_up_record_that_nobody_can_read_is_rejected_with_its_reason():
    line = OperatedLine()
    give_up(line, ("shop", b"{"), ("shop", b"x" * 70_000), ("shop", event_to_json(said("a"))))

    put_back(line)

    assert sorted(one["reason"] for one in line.stored()) == ["malformed_json", "too_large"]
    assert line.folded("shop") == ["a"]


def test_put_back_record_that_was_given_up_itself_is_put_back_and_the_end_of_its_run_is_not():
    line = OperatedLine()
    back = RecordPutBack(
        shop_id="shop", run="r0", order=log_position(3), arrived_at=NOON - 5, data=event_to_json(said("a", at=-9))
    )
    end = ShopUnparked(shop_id="shop", run="r0", until=log_position(3))
    give_up(line, *(("shop", record_json(one, issued_at=NOON)) for one in (back, end)))

    outcome = put_back(line)

    assert outcome.put == {(GIVEN_UP, "shop"): 1}
    assert (line.folded("shop"), line.shop("shop").received_clock) == (["a"], NOON - 9)
    assert line.s3.buckets[BUCKET] == {}


def test_given_up_batch_of_the_outbox_is_given_to_its_function_again():
    line = OperatedLine()
    body = (EVENTS / "given_up_rows.json").read_bytes()
    line.s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=body)

    outcome = line.command().go()

    assert outcome.resent_batches == 1
    assert line.invoked == [
        {
            "function": "arn:aws:lambda:eu-west-1:123456789012:function:archive-outbox",
            "event": json.loads(json.loads(body)["payload"]),
        }
    ]
    assert line.s3.buckets[BUCKET] == {}


def test_batch_of_the_outbox_on_which_its_function_fails_again_lies_there_still():
    line = OperatedLine(failing_functions=True)
    line.s3.put_object(Bucket=BUCKET, Key=OBJECT, Body=(EVENTS / "given_up_rows.json").read_bytes())
    store(line, rejection("fold_failed", event_to_json(said("a"))))

    outcome = put_back(line)

    assert [(subject, type(error)) for subject, error in outcome.troubles] == [("given-up batches", OperationsError)]
    assert (outcome.exit_code, list(line.s3.buckets[BUCKET])) == (1, [OBJECT])
    assert line.folded("shop") == ["a"]


def unsent(shop_id: str) -> bytes:
    """A row of the outbox as its function keeps it."""
    change = {"NewImage": {"shop_id": {"S": shop_id}}, "ApproximateCreationDateTime": 1_795_165_201.5}
    return json.dumps({"reason": "rendering_failed", "message": "m", "Records": [{"dynamodb": change}]}).encode()


def test_unsent_row_is_given_to_its_function_again():
    line = OperatedLine()
    for folder in ("alert", "archive"):
        line.s3.put_object(Bucket=BUCKET, Key=f"outbox/{folder}/1.json", Body=unsent(folder))

    outcome = line.command().go()

    assert outcome.put == {("unsent", "alert"): 1, ("unsent", "archive"): 1}
    assert [one["function"] for one in line.invoked] == ["dispatch-outbox", "archive-outbox"]
    assert line.s3.buckets[BUCKET] == {}


def test_unsent_row_that_its_function_sets_aside_again_lies_there_still():
    line = OperatedLine()
    row = {"Bucket": BUCKET, "Key": "outbox/alert/1.json", "Body": unsent("shop")}
    line.s3.put_object(**row)
    line.on_invoke = lambda: line.s3.put_object(**row)

    outcome = line.command().go()

    assert (outcome.put, outcome.left) == ({}, {("unsent", "shop"): 1})
    assert outcome.exit_code == 3
    assert list(line.s3.buckets[BUCKET]) == ["outbox/alert/1.json"]


def test_dry_run_counts_and_changes_nothing():
    line = OperatedLine()
    store(
        line, rejection("fold_failed", event_to_json(said("a"))), rejection("item_full", b"{", position=log_position(9))
    )
    give_up(line, ("shop", event_to_json(said("b"))))
    before = dict(line.s3.buckets[BUCKET])

    outcome = line.command(is_dry=True).go()

    assert outcome.put == {("fold_failed", "shop"): 1, (GIVEN_UP, "shop"): 1}
    assert outcome.left == {("item_full", "shop"): 1}
    assert (line.s3.buckets[BUCKET], line.records) == (before, [])


def test_everything_that_lies_there_is_counted_by_reason_and_shop_and_listed_without_words():
    line = OperatedLine()
    line.store.troubled = {"ill"}
    line.send(said("p", shop_id="ill", text="words of a customer"))
    line.advance()
    store(line, rejection("unknown_kind", b'{"shop_id": "named"}', shop_id=NO_SHOP))
    give_up(line, ("shop", event_to_json(said("b", text="words of a customer"))))
    line.s3.put_object(Bucket=BUCKET, Key=f"{OBJECT}-2", Body=(EVENTS / "given_up_rows.json").read_bytes())
    line.s3.put_object(Bucket=BUCKET, Key="outbox/alert/1.json", Body=unsent("shop"))
    objects = RejectedObjects(line.s3, BUCKET)

    unreadable: list[OperationsError] = []
    counts = count_records(Selection(), objects, generation=1, unreadable=unreadable.append)
    wanted = Selection(reasons=frozenset({"parked", GIVEN_UP}))
    listed = list(list_records(wanted, objects, generation=1, unreadable=unreadable.append))
    assert unreadable == []

    assert counts == {
        ("parked", "ill"): 1,
        ("unknown_kind", "named"): 1,
        (GIVEN_UP, "shop"): 1,
        (GIVEN_UP, "shop-1"): 3,
        (GIVEN_UP, NO_SHOP): 2,
        ("unsent", "shop"): 1,
    }
    assert len(listed) == 7
    assert "words" not in str(listed)


@pytest.mark.parametrize(
    ("reason", "strange"),
    [
        ("ambiguous_carrier", {"events": [{"event_id": "carried"}]}),
        ("wrong_type", {"preview": "true"}),
        ("misplaced_preview", {"preview": True}),
    ],
)
def test_event_that_was_a_wish_or_carried_others_is_left_as_it_was_refused(reason, strange):
    line = OperatedLine()
    data = json.dumps(json.loads(event_to_json(said("a"))) | strange).encode()
    store(line, rejection(reason, data, position="message-0000"))

    outcome = line.command(selection=Selection(reasons=frozenset({reason}))).go()

    assert (outcome.exit_code, outcome.put, outcome.left) == (3, {}, {(reason, "shop"): 1})
    assert [one["reason"] for one in line.stored()] == [reason]
