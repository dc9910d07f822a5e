"""A batch of the stream into state, outbox and rejected store."""

import json
import zlib
from base64 import b64decode, b64encode
from copy import deepcopy

import pytest

from service_quality.commit.archived_ranges import FIRST_ROW
from service_quality.commit.shop_item import decode_shop
from service_quality.commit.state_items import decode_histories, stored_key
from service_quality.errors import DependencyError, DeploymentError
from service_quality.events.control_records import SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.time_reached import TimeReached
from service_quality.features.feature_set import FEATURES
from service_quality.instants import MINUTE
from service_quality.tasks.declared_tasks import CHURN
from tests.stand_ins.aggregates import aggregate
from tests.stand_ins.control import KEY
from tests.stand_ins.tiny_model import breaking_model, tiny_model
from tests.unit.functions.conftest import CONTEXT, MODEL, read_event

BEFORE = "2026-11-20T08:00:00Z"
ARRIVED = 1_795_165_200.0
GOOD = {
    "event_id": "good",
    "shop_id": "shop-1",
    "kind": "conversation_opened",
    "occurred_at": BEFORE,
    "conversation_id": "contact-5",
}


def batch(*records: bytes | dict, key: str = "shop-1", shard: str = "shardId-000000000000", first: int = 0) -> dict:
    """A batch of one shard with these records of one partition key."""
    data = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    return {
        "Records": [
            {
                "kinesis": {
                    "partitionKey": key,
                    "sequenceNumber": str(10**55 + number),
                    "data": b64encode(one).decode(),
                    "approximateArrivalTimestamp": ARRIVED,
                },
                "eventID": f"{shard}:{10**55 + number}",
            }
            for number, one in enumerate(data, first)
        ]
    }


def entries(aws) -> list[dict]:
    """All archived entries of shop-1, in order."""
    rows = sorted(
        (key[1], zlib.decompress(item["body"]["B"]))
        for key, item in aws.dynamodb.tables["alerts"].items()
        if key[0] == "shop-1\x1farchive"
    )
    return [
        entry for _, body in sorted(rows, key=lambda row: row[0] != FIRST_ROW) for entry in json.loads(body)["entries"]
    ]


def test_batch_is_scored_committed_and_left_in_the_outbox(load, aws):
    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)

    shop_1, shop_2 = (
        decode_shop(aws.dynamodb.tables["state"][f"{s}\x1fshop",]["data"]["B"]) for s in ("shop-1", "shop-2")
    )
    scored = [entry["model"] for entry in entries(aws) if "score" in entry]
    kinds = {item["row_kind"]["S"] for item in aws.dynamodb.tables["alerts"].values()}
    assert shop_1.last_position == f"0001-{49590338271490256608559692538361571095921575989136588898 + 35}-0000"
    assert shop_2.version == 1
    assert scored == [MODEL] * 3
    assert [entry.get("duplicate", False) for entry in entries(aws)] == [False] * 4 + [True]
    assert kinds == {"alert", "state", "archive", "archive_ledger", "timer"}


def test_alerts_own_id_is_made_with_the_salt_at_the_commit(load, aws):
    alert_ids = []
    for salt in ("a long random string", "another"):
        aws.secretsmanager.secrets[aws.environment["ID_SALT_SECRET"]] = salt
        aws.dynamodb.tables["alerts"].clear()
        aws.dynamodb.tables["state"].clear()
        load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)
        rows = [one for one in aws.dynamodb.tables["alerts"].values() if one["row_kind"]["S"] in ("alert", "state")]
        alert_ids.append({one["stream_key"]["S"].rpartition("\x1f")[2] for one in rows})

    assert [len(found) for found in alert_ids] == [1, 1]
    assert alert_ids[0] != alert_ids[1]


def test_salt_that_is_missing_stops_the_batch_that_opens_an_alert(load, aws):
    app = load("score_interactions")
    aws.secretsmanager.secrets.pop(aws.environment["ID_SALT_SECRET"])

    with pytest.raises(DeploymentError, match="secret:salt"):
        app.handler(read_event("kinesis_batch"), CONTEXT)


def test_unreadable_record_is_stored_with_reason_and_position_and_the_rest_is_scored(load, aws):
    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)

    (stored,) = aws.rejected()
    assert (stored["shop_id"], stored["reason"]) == ("shop-1", "malformed_json")
    assert stored["position"].split("-")[1].endswith("588919")
    assert b64decode(stored["raw_base64"]).startswith(b'{"event_id": "cut off"')


def test_batch_that_comes_again_changes_nothing_and_is_counted(load, aws, capsys):
    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)
    first = capsys.readouterr().out
    before = deepcopy((aws.dynamodb, aws.s3))

    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)

    assert (aws.dynamodb, aws.s3) == before
    assert '"RedeliveredWithoutConflict":[0.0]' in first
    assert '"RedeliveredWithoutConflict":[6.0]' in capsys.readouterr().out


def test_aggregate_of_a_producer_library_is_scored_event_by_event(load, aws):
    events = [{**GOOD, "event_id": name} for name in ("one", "two")]
    packed = aggregate(["shop-1"], [(0, json.dumps(event).encode()) for event in events])

    load("score_interactions").handler(batch(packed, key="any"), CONTEXT)

    taken = [(entry["position"], entry["event"]["event_id"]) for entry in entries(aws)]
    assert taken == [(f"0001-{10**55}-0000", "one"), (f"0001-{10**55}-0001", "two")]
    assert (aws.kinesis.records, aws.rejected()) == ([], [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "malformed_json"),
        (b'{"event_id": ', "malformed_json"),
        (b"\xff\xfe\x00", "malformed_json"),
        (b"[" * 60_000, "malformed_json"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        ({**GOOD, "kind": "teleported"}, "unknown_kind"),
        ({**GOOD, "kind": "'; DROP TABLE state; --"}, "unknown_kind"),
        ({key: value for key, value in GOOD.items() if key != "conversation_id"}, "missing_field"),
        ({key: value for key, value in GOOD.items() if key != "event_id"}, "missing_field"),
        ({key: value for key, value in GOOD.items() if key != "occurred_at"}, "missing_field"),
        ({**GOOD, "occurred_at": "2026-11-20T08:00:00"}, "out_of_range"),
        ({**GOOD, "occurred_at": "yesterday"}, "out_of_range"),
        ({**GOOD, "occurred_at": "2020-01-01T00:00:00Z"}, "older_than_retention"),
        ({**GOOD, "event_id": 7}, "wrong_type"),
        ({**GOOD, "occurred_at": 1_795_165_200_000}, "wrong_type"),
        ({**GOOD, "event_id": "e\x1fe"}, "out_of_range"),
        ({**GOOD, "conversation_id": "c\x00"}, "out_of_range"),
        ({**GOOD, "event_id": "e" * 129}, "out_of_range"),
        ({**GOOD, "occurred_at": "9999-12-31T23:59:59-12:00"}, "out_of_range"),
        ({**GOOD, "text": "t" * 300_000}, "too_large"),
        ({**GOOD, "shop_id": None}, "missing_field"),
        ({**GOOD, "shop_id": 7}, "wrong_type"),
        (
            json.dumps({"of": {"shop_id": "shop-1"}, **GOOD})
            .replace('"shop_id": "shop-1", "kind"', r'"sh\u006fp_id": "shop-2", "kind"')
            .encode(),
            "wrong_shop",
        ),
        ({"kind": "history_imported", "shop_id": "shop-1"}, "unsigned"),
        ({"kind": "time_reached", "shop_id": "shop-1"}, "unsigned"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:40],
)
def test_bad_record_is_rejected_stored_and_counted_and_the_rest_is_scored(load, aws, capsys, bad, reason):
    app = load("score_interactions")

    app.handler(batch(GOOD, bad, {**GOOD, "event_id": "next", "kind": "customer_message", "text": "在吗"}), CONTEXT)

    (stored,) = aws.rejected()
    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if f'"reason":"{reason}"' in line]
    raw = bad if isinstance(bad, bytes) else json.dumps(bad).encode()
    assert (stored["reason"], b64decode(stored["raw_base64"])) == (reason, raw)
    assert stored["position"] == f"0001-{10**55 + 1}-0000"
    assert [entry.get("rejected") for entry in entries(aws)] == [None, reason, None]
    assert [one["RejectedEvents"] for one in counted] == [[1.0]]
    assert all("score" in entry for entry in (entries(aws)[0], entries(aws)[2]))


def test_odd_values_are_left_out_and_counted_by_field_and_the_event_is_scored(load, aws, capsys, caplog):
    odd = {"rating": "Good", "amount_minor": -1, "customer_id": "a\x1fb", "text": ["a"], "precision": "hour"}
    app = load("score_interactions")

    app.handler(batch({**GOOD, "event_id": "odd", **odd}, {**GOOD, "event_id": "odd-too", "sku": 7}), CONTEXT)

    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = {one["field"]: one["OddValues"] for one in written if "OddValues" in one and "field" in one}
    assert counted == {name: [1.0] for name in (*odd, "sku")}
    assert [vars(one)["odd_fields"] for one in caplog.records if "odd_fields" in vars(one)] == [
        dict.fromkeys(counted, 1)
    ]
    assert [one["OddValues"] for one in written if "AcceptedEvents" in one and "field" not in one] == [[6.0]]
    (first, _) = entries(aws)
    assert not first["event"].keys() & odd.keys()
    assert first["event"]["rating_given"] == "Good"
    assert all("score" in entry for entry in entries(aws))
    assert aws.rejected() == []


#: A scale from 1 to 10 on which up to 6 is dissatisfied: 6 is 3 of 5, and 7 is 4 of 5.
TEN_STARS = {"revision": "ten", "valid_from": "2020-01-01T00:00:00Z", "rating_scale": {"worst": 1, "best": 10}}


def rated_of_ten(given: int | str) -> dict:
    """A batch of a shop with that scale: a contact that ann answers and its customer rates."""
    policy = SettingsChanged(shop_id="shop-1", document=json.dumps(TEN_STARS).encode())
    answered = {**GOOD, "event_id": "answered", "kind": "agent_message", "agent_id": "ann"}
    rated = {**GOOD, "event_id": "rated", "kind": "rated", "rating": given}
    return batch(sign_control(policy, KEY, issued_at=int(ARRIVED * 1000)), GOOD, answered, rated)


def ratings_of_ann(aws) -> tuple[int, int]:
    """The ratings and the dissatisfied ones in the agent's history of 30 days."""
    shop, key = decode_shop(aws.dynamodb.tables["state"]["shop-1\x1fshop",]["data"]["B"]), "agent\x1fann"
    item = aws.dynamodb.tables["state"][f"shop-1\x1f{stored_key(key, shop.generation)}",]
    history = decode_histories(item["data"]["B"], FEATURES.plan).histories[key]
    ratings, dissatisfied = (history.get("30d", name, clock=shop.clock) for name in ("ratings", "dissatisfied_ratings"))
    return ratings, dissatisfied


@pytest.mark.parametrize(
    ("given", "is_dissatisfied"), [(1, 1), (5, 1), (6, 1), (7, 0), (10, 0), ("6", 1), ("6.5", 1), ("10", 0)]
)
def test_rating_of_a_shops_own_scale_counts_and_labels_as_its_policy_says(load, aws, given, is_dissatisfied):
    load("score_interactions").handler(rated_of_ten(given), CONTEXT)

    rated = entries(aws)[-1]
    assert (rated["event"]["event_id"], rated["label"]) == ("rated", is_dissatisfied)
    assert ratings_of_ann(aws) == (1, is_dissatisfied)
    assert aws.rejected() == []


@pytest.mark.parametrize("given", [0, 11, "5/5", "Good"])
def test_rating_outside_a_shops_own_scale_is_kept_as_given_and_counts_nothing(load, aws, given):
    load("score_interactions").handler(rated_of_ten(given), CONTEXT)

    rated = entries(aws)[-1]
    assert (rated["event"]["rating_given"], "label" in rated) == (str(given), False)
    assert ratings_of_ann(aws) == (0, 0)


def test_record_without_a_shop_is_stored_apart(load, aws):
    load("score_interactions").handler(batch(b"{", {**GOOD, "shop_id": ""}, key="shop\x1f1"), CONTEXT)

    assert [(stored["shop_id"], stored["reason"]) for stored in aws.rejected()] == [("_invalid", "no_shop")] * 2
    assert len(aws.s3.buckets["rejected"]) == 1
    assert aws.dynamodb.tables["state"] == {}


def test_failing_dependency_raises_so_that_the_batch_comes_again(load, aws):
    app = load("score_interactions")
    aws.dynamodb.failing = "ThrottlingException"

    with pytest.raises(DependencyError, match="ThrottlingException"):
        app.handler(batch(GOOD), CONTEXT)


def test_record_that_cannot_be_stored_is_not_passed_over(load, aws):
    app = load("score_interactions")
    aws.s3.failing = "SlowDown"

    with pytest.raises(DependencyError, match="bucket rejected"):
        app.handler(batch(b"{"), CONTEXT)

    assert aws.dynamodb.tables["state"] == {}


def test_log_holds_no_words_and_no_ids_of_persons(load, capsys, caplog):
    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)

    said = capsys.readouterr().out + "".join(str(vars(record)) for record in caplog.records)
    assert "batch_committed" in said
    assert not any(name in said for name in ("customer-7", "agent-3", "contact-1", "包裹", "cut off"))


def promote_after(aws, data: bytes) -> None:
    """Make a model the champion, with that of the fixture behind it."""
    aws.s3.buckets["models"]["models/newer/model.onnx"] = data
    models = aws.dynamodb.tables["models"]
    models["log", f"{1:012d}"] = {"version": {"S": MODEL}, "behind": {"N": "0"}}
    models["log", f"{2:012d}"] = {"version": {"S": "newer"}, "behind": {"N": "1"}}
    pointer = {"version": {"S": "newer"}, "fingerprint": {"S": FEATURES.fingerprint}, "revision": {"N": "2"}}
    models["pointer", "champion"] = pointer


@pytest.mark.parametrize(
    "data",
    [breaking_model(), tiny_model(metadata={"feature_names": "no JSON"}), b"no model"],
    ids=["no number on rows", "metadata no JSON", "no ONNX"],
)
def test_bad_model_is_refused_counted_and_logged_and_every_event_is_scored_by_the_one_before_it(
    load, aws, data, capsys, caplog
):
    promote_after(aws, data)

    load("score_interactions").handler(read_event("kinesis_batch"), CONTEXT)

    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "RefusedModels" in line]
    assert [line.version for line in caplog.records if line.getMessage() == "model_refused"] == ["newer"]
    assert [(line["RefusedModels"], line["service"]) for line in metrics] == [([1.0], "score_interactions")]
    assert [entry["model"] for entry in entries(aws) if "score" in entry] == [MODEL] * 3


def test_junk_under_made_up_keys_founds_no_shop_and_is_one_object(load, aws):
    keys = [f"made-up-{number}" for number in range(200)]
    junk = [(number, b"{" if number % 2 else b'{"kind": 7}') for number in range(200)]
    before = deepcopy(aws.dynamodb)

    load("score_interactions").handler(batch(aggregate(keys, junk), key="any"), CONTEXT)

    assert aws.dynamodb == before
    assert len(aws.s3.buckets["rejected"]) == 1
    assert {one["shop_id"] for one in aws.rejected()} == set(keys)


def test_event_behind_junk_founds_its_shop_and_the_archive_holds_both(load, aws):
    load("score_interactions").handler(batch(b"{", GOOD), CONTEXT)

    assert [entry.get("rejected") for entry in entries(aws)] == ["malformed_json", None]
    assert [one["reason"] for one in aws.rejected()] == ["malformed_json"]


@pytest.mark.parametrize(
    ("strange", "reason"),
    [
        ({"preview": True}, "misplaced_preview"),
        ({"preview": "true"}, "misplaced_preview"),
        ({"events": [{**GOOD, "event_id": "carried"}]}, "ambiguous_carrier"),
        ({"events": "[]"}, "ambiguous_carrier"),
        ({"shop_id": "_invalid"}, "out_of_range"),
    ],
)
def test_event_that_only_an_inlet_could_read_is_rejected_and_kept_whole(load, aws, strange, reason):
    load("score_interactions").handler(batch(GOOD | {"event_id": "first"}, GOOD | strange, key="shop-1"), CONTEXT)

    (kept,) = aws.rejected()
    assert kept["reason"] == reason
    assert json.loads(b64decode(kept["raw_base64"])) == GOOD | strange


@pytest.mark.parametrize("harmless", [{"preview": False}, {"events": []}, {"events": None}])
def test_field_of_an_inlet_that_holds_nothing_is_left_out(load, aws, harmless):
    load("score_interactions").handler(batch(GOOD | harmless), CONTEXT)

    assert ([entry["event"]["event_id"] for entry in entries(aws)], aws.rejected()) == (["good"], [])


SOUND = batch(GOOD)["Records"][0]


@pytest.mark.parametrize(
    ("payload", "counts"),
    [
        (None, (0, 0)),
        (7, (0, 0)),
        ("x", (0, 0)),
        ([], (0, 0)),
        ({}, (0, 0)),
        ({"Records": None}, (0, 0)),
        ({"Records": {}}, (0, 0)),
        *[
            ({"Records": [SOUND, bad]}, (2, 1))
            for bad in (
                7,
                {},
                {"kinesis": {}},
                {"kinesis": [7]},
                *(
                    SOUND | {"kinesis": SOUND["kinesis"] | {name: value}}
                    for name, values in {
                        "sequenceNumber": ("abc", "-1", "1" * 57, "", 7, None),
                        "partitionKey": (7, None),
                        "data": ("a", "\ud800", 7, None),
                        "approximateArrivalTimestamp": ("x", float("nan"), float("inf"), -1, 1e300, None),
                    }.items()
                    for value in values
                ),
            )
        ],
    ],
)
def test_what_is_no_batch_of_a_stream_gets_an_answer_and_what_is_sound_is_scored(load, aws, payload, counts):
    answer = load("score_interactions").handler(payload, CONTEXT)

    assert (answer["ReceivedRecords"], answer["UnreadableRecords"]) == counts
    assert [entry["event"]["event_id"] for entry in entries(aws)] == ["good"] * (counts[0] > 0)


def test_shop_whose_calendar_lacks_the_next_year_is_counted_from_december_on(load, aws, capsys):
    document = {"revision": "a", "valid_from": "2026-01-01T00:00:00Z", "holidays": "CN"}
    policy = SettingsChanged(shop_id="shop-1", document=json.dumps(document).encode())
    november = batch(sign_control(policy, KEY, issued_at=int(ARRIVED * 1000)))
    december = batch(GOOD | {"occurred_at": "2026-12-01T08:00:00Z"}, first=1)
    december["Records"][0]["kinesis"]["approximateArrivalTimestamp"] = ARRIVED + 11 * 86_400

    load("score_interactions").handler(november, CONTEXT)
    before = capsys.readouterr().out
    load("score_interactions").handler(december, CONTEXT)

    assert '"MissingCalendars":[0.0]' in before
    assert '"MissingCalendars":[1.0]' in capsys.readouterr().out


def test_reached_stages_and_timers_from_which_nothing_follows_are_counted(load, aws, capsys):
    due_at = int(ARRIVED * 1000) + 30 * MINUTE
    reached = TimeReached(
        shop_id="shop-1", conversation_id="contact-5", round=1, turn=1, stage="waiting_ms:1800000", due_at=due_at
    )
    ring = sign_control(reached, KEY, issued_at=due_at)
    rung = batch(ring, ring, first=1)
    for record in rung["Records"]:
        record["kinesis"]["approximateArrivalTimestamp"] = due_at / 1000 + 1

    load("score_interactions").handler(batch(GOOD), CONTEXT)
    before = capsys.readouterr().out
    load("score_interactions").handler(rung, CONTEXT)

    after = capsys.readouterr().out
    assert '"ReachedStages":[0.0]' in before
    assert '"ReachedStages":[1.0]' in after
    assert '"SilentTimers":[1.0]' in after


ORDERED = {
    "event_id": "ordered",
    "shop_id": "shop-1",
    "kind": "order_placed",
    "occurred_at": BEFORE,
    "customer_id": "ann",
}


def test_promoted_model_of_a_task_scores_who_orders(load, aws):
    aws.promote("churn-1", pointer="churn", task=CHURN)
    app = load("score_interactions")

    app.handler(batch(ORDERED, GOOD), CONTEXT)

    ordered, opened = entries(aws)
    assert (ordered["tasks"]["churn"]["model"], "score" in ordered) == ("churn-1", False)
    assert ("tasks" in opened, opened["model"]) == (False, MODEL)


def test_task_without_a_promoted_model_stops_nothing(load, aws):
    app = load("score_interactions")

    app.handler(batch(ORDERED, GOOD), CONTEXT)

    assert ["tasks" in entry for entry in entries(aws)] == [False, False]


@pytest.mark.parametrize("model", [{"task": CHURN, "bias": float("nan")}, {}])
def test_model_of_a_task_that_must_not_score_stops_nothing(load, aws, model, capsys):
    aws.promote("churn-1", pointer="churn", **model)
    app = load("score_interactions")

    app.handler(batch(ORDERED, GOOD), CONTEXT)

    assert ["tasks" in entry for entry in entries(aws)] == [False, False]
    assert '"RefusedModels":[1.0]' in capsys.readouterr().out
