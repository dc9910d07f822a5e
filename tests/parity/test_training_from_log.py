"""The training set from what was served: features as served, labels by the ratings in log order, as of an arrival."""

import json
from argparse import Namespace
from collections.abc import Sequence
from math import isnan

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from service_quality.events.control_records import SettingsChanged
from service_quality.events.control_signatures import sign_control
from service_quality.events.event_forms import event_to_json
from service_quality.events.interaction_event import FIELDS
from service_quality.events.log_records import LogRecord
from service_quality.events.parsing import parse_event
from service_quality.events.positions import Position
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, format_instant, parse_instant
from spark_jobs import judge_candidate
from spark_jobs.build_training_set import join_sources, past_source, served_source
from spark_jobs.errors import InputError
from spark_jobs.judge_candidate import judge
from spark_jobs.lake.tables import EVENTS_IN_MILLIS, with_timestamps
from spark_jobs.learning.judged_models import JudgedModel, read_model
from spark_jobs.learning.labelled_rows import ROW_COLUMNS
from spark_jobs.logs.policies import given_policies
from spark_jobs.session.start import start_session
from tests.parity.log_entries import OLDER, WIDTH, entry, log_of, rated, served
from tests.properties.online_run import new_store, new_worker
from tests.stand_ins.archive_chain import archived_entries
from tests.stand_ins.control import KEY
from tests.stand_ins.tiny_model import tiny_model

pytestmark = pytest.mark.spark

NOON = parse_instant("2025-03-03T12:00:00Z")
AS_OF = NOON + 2 * DAY


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def options(*, as_of: int = AS_OF, warm_up_days: int = 0) -> Namespace:
    return Namespace(as_of=as_of, warm_up_days=warm_up_days, source=["log"])


def training_set(log: DataFrame, chosen: Namespace) -> dict[str, Row]:
    rows = join_sources([served_source(log, chosen)]).collect()
    return {row["event_id"]: row for row in rows}


def test_rows_hold_the_features_as_served_and_share_a_rounds_weight(spark):
    log = log_of(spark, served("1", NOON, "a", 1.5), served("2", NOON + HOUR, "a", 2.5), rated("3", NOON + DAY, "a", 2))

    found = training_set(log, options())

    assert {name: row["features"][0] for name, row in found.items()} == {"event 1": 1.5, "event 2": 2.5}
    assert {(row["label"], row["weight"]) for row in found.values()} == {(1, 0.5)}


def test_conversation_that_is_not_rated_trains_nothing(spark):
    log = log_of(spark, served("1", NOON, "a"), served("2", NOON, "b"), rated("3", NOON + DAY, "b", 5))

    assert training_set(log, options()).keys() == {"event 2"}


def test_label_is_that_of_the_last_rating_whenever_it_arrived(spark):
    log = log_of(
        spark, served("1", NOON, "a"), rated("2", NOON + DAY, "a", 5), rated("3", NOON + HOUR, "a", 1, event_id="late")
    )

    assert training_set(log, options())["event 1"]["label"] == 0


def labels_of(found: dict[str, Row]) -> dict[str, tuple[int, float]]:
    return {name.removeprefix("event "): (row["label"], row["weight"]) for name, row in found.items()}


def test_each_round_has_the_label_of_its_own_last_rating(spark):
    log = log_of(
        spark,
        served("1", NOON, "a"),
        rated("2", NOON + HOUR, "a", 1),
        rated("3", NOON + 2 * HOUR, "a", 5),
        served("4", NOON + 3 * HOUR, "a", round=2),
        served("5", NOON + 4 * HOUR, "a", round=2),
        rated("6", NOON + 5 * HOUR, "a", 2, round=2),
        served("7", NOON + 6 * HOUR, "a", round=3),
    )

    assert labels_of(training_set(log, options())) == {"1": (0, 1.0), "4": (1, 0.5), "5": (1, 0.5)}


def test_rating_that_comes_after_a_new_question_is_that_of_the_answered_round(spark):
    log = log_of(
        spark,
        served("1", NOON, "a"),
        served("2", NOON + HOUR, "a", round=2),
        rated("3", NOON + 2 * HOUR, "a", 1, round=1),
    )

    assert labels_of(training_set(log, options())) == {"1": (1, 1.0)}


def test_row_behind_the_rating_of_its_round_has_no_label(spark):
    log = log_of(spark, served("1", NOON, "a"), rated("2", NOON, "a", 1), served("3", NOON + 1, "a"))

    assert labels_of(training_set(log, options())) == {"1": (1, 1.0)}


def test_rating_that_nobody_can_read_is_no_label(spark):
    log = log_of(
        spark,
        served("1", NOON, "a"), rated("2", NOON + HOUR, "a", 1), rated("3", NOON + 2 * HOUR, "a", 5, label=None),
        served("4", NOON, "b"), rated("5", NOON + HOUR, "b", 5, label=None),
    )  # fmt: skip

    assert labels_of(training_set(log, options())) == {"1": (1, 1.0)}


def test_corrected_rating_has_its_latest_content_in_its_first_place(spark):
    log = log_of(
        spark,
        served("1", NOON, "a"),
        rated("2", NOON + HOUR, "a", 5),
        rated("3", NOON + HOUR, "a", 1, event_id="event 2"),
        served("4", NOON, "b"),
        rated("5", NOON + HOUR, "b", 5),
        rated("6", NOON + 2 * HOUR, "b", 1),
        rated("7", NOON + HOUR, "b", 4, event_id="event 5"),
        served("8", NOON, "c"),
        rated("81", NOON + HOUR, "c", 5),
        rated("82", NOON + HOUR, "c", 5, event_id="event 81", label=None),
        served("91", NOON, "d"),
        rated("92", NOON + HOUR, "d", 5),
        rated("93", NOON + HOUR, "d", 5, event_id="event 92", round=2),
    )

    assert labels_of(training_set(log, options())) == {"1": (1, 1.0), "4": (1, 1.0)}


def test_corrected_message_makes_one_row_as_it_was_served_first(spark):
    log = log_of(
        spark,
        served("1", NOON, "a", 1.5),
        served("2", NOON + HOUR, "a", 2.5),
        rated("3", NOON + DAY, "a", 2),
        served("4", NOON, "a", 3.5, event_id="event 1"),
    )

    found = training_set(log, options())

    assert labels_of(found) == {"1": (1, 0.5), "2": (1, 0.5)}
    assert found["event 1"]["features"][0] == 1.5


def test_merged_conversation_trains_nothing(spark):
    log = log_of(
        spark,
        served("1", NOON, "a"),
        rated("2", NOON + HOUR, "a", 1),
        entry("3", "status_changed", NOON + HOUR, "a", merged_into="b", round=None),
        served("4", NOON, "b", event_id="event 1"),
        rated("5", NOON + HOUR, "b", 5, event_id="event 2"),
    )

    found = join_sources([served_source(log, options())]).collect()

    assert [(row["conversation_id"], row["event_id"], row["label"]) for row in found] == [("b", "event 1", 0)]


def test_as_of_leaves_out_what_was_not_in_the_log_by_then_whenever_it_occurred(spark):
    late = {"received_at": AS_OF}
    log = log_of(
        spark,
        served("1", NOON, "a"),
        served("2", NOON, "b"),
        rated("3", NOON + HOUR, "a", 5),
        served("4", NOON, "a", **late),
        rated("5", NOON + HOUR, "a", 1, **late),
        rated("6", NOON + HOUR, "b", 1),
    )

    found = training_set(log, options())

    assert {name: row["label"] for name, row in found.items()} == {"event 1": 0}
    assert training_set(log, options(as_of=AS_OF + 1)).keys() == {"event 1", "event 2", "event 4"}


def test_import_after_the_instant_changes_no_training_set(spark):
    rows = [served("1", NOON, "a"), rated("2", NOON + HOUR, "a", 2)]
    later = entry("3", "history_imported", AS_OF, "", event_id=None, conversation_id=None, import_id="i1")

    found = training_set(log_of(spark, *rows, later), options(warm_up_days=1))

    assert not found


def test_rejected_records_and_duplicates_are_no_rows_and_no_labels(spark):
    nothing = {
        "event_id": None,
        "kind": None,
        "conversation_id": None,
        "round": None,
        "occurred_at": None,
        "received_at": None,
    }
    log = log_of(
        spark,
        served("1", NOON, "a"),
        rated("2", NOON + HOUR, "a", 5),
        entry("3", "rated", NOON, "a") | nothing | {"rejected": "wrong_type"},
        entry("4", "rated", NOON, "a") | nothing | {"duplicate": True},
    )

    assert {name: row["label"] for name, row in training_set(log, options()).items()} == {"event 1": 0}


def test_features_of_an_older_declaration_are_found_by_meaning_and_missing_where_not_served(spark):
    log = log_of(
        spark,
        served("1", NOON, "a", fingerprint=OLDER.fingerprint, served_vector=[7.0, 3.0]),
        served("2", NOON, "a", 4.0),
        rated("3", NOON + HOUR, "a", 2),
    )

    found = training_set(log, options())

    older = found["event 1"]["features"]
    assert older[:2] == [3.0, 7.0]
    assert [isnan(value) for value in older[2:]] == [True] * (WIDTH - 2)
    assert len(found["event 2"]["features"]) == WIDTH


def test_first_days_of_a_shop_train_only_behind_an_import(spark):
    rows = [served("1", NOON, "a"), rated("2", NOON + HOUR, "a", 2)]
    imported = entry("0", "history_imported", NOON, "", event_id=None, conversation_id=None, import_id="i1")

    lived = served_source(log_of(spark, *rows), options(warm_up_days=1)).rows
    behind = served_source(log_of(spark, imported, *rows), options(warm_up_days=1)).rows

    assert (lived.count(), behind.count()) == (0, 1)


def lake_of(spark: SparkSession, *events: dict) -> DataFrame:
    nothing = dict.fromkeys(EVENTS_IN_MILLIS.fieldNames())
    rows = [Row(**nothing | {"precision": "ms", "source": "test"} | one) for one in events]
    return with_timestamps(spark.createDataFrame(rows, EVENTS_IN_MILLIS))


def imported(event_id: str, kind: str, at: int, conversation: str, **more: object) -> dict:
    return {
        "event_id": event_id, "shop_id": "shop", "kind": kind, "occurred_at": at, "received_at": at,
        "conversation_id": conversation, **more,
    }  # fmt: skip


def test_past_beside_a_log_ends_where_the_log_begins_and_may_be_rated_there(spark):
    log = log_of(
        spark, served("1", NOON, "new", 5.0), rated("2", NOON + HOUR, "old", 1), rated("3", NOON + HOUR, "new", 5)
    )
    events = lake_of(
        spark,
        imported("asked", "customer_message", NOON - DAY, "old"),
        imported("event 1", "agent_message", NOON, "new"),
        imported("later", "customer_message", NOON + HOUR, "new"),
    )

    found = join_sources([past_source(events, options(), log), served_source(log, options())]).collect()

    assert {row["event_id"]: row["label"] for row in found} == {"asked": 1, "event 1": 0}
    assert {row["event_id"]: row["features"][0] for row in found}["event 1"] == 5.0
    assert tuple(found[0].asDict())[: len(ROW_COLUMNS)] == ROW_COLUMNS


def answer(event_id: str, at: int, conversation: str) -> dict:
    return imported(event_id, "agent_message", at, conversation, agent_id="ann")


def test_past_has_the_rounds_of_the_fold(spark):
    events = lake_of(
        spark,
        # never answered, and rated
        imported("u1", "customer_message", NOON, "unanswered"),
        imported("u2", "rated", NOON + HOUR, "unanswered", rating=1),
        # reopened, each round rated
        imported("r1", "customer_message", NOON, "reopened"),
        answer("r2", NOON + 1000, "reopened"),
        imported("r3", "rated", NOON + 2000, "reopened", rating=2),
        imported("r4", "resolved", NOON + 3000, "reopened"),
        imported("r5", "reopened", NOON + HOUR, "reopened"),
        answer("r6", NOON + HOUR + 1000, "reopened"),
        imported("r7", "rated", NOON + HOUR + 2000, "reopened", rating=5),
        # rated late: a new question stands before the rating of the answered round
        imported("l1", "customer_message", NOON, "late"),
        answer("l2", NOON + 1000, "late"),
        imported("l3", "resolved", NOON + 2000, "late"),
        imported("l4", "customer_message", NOON + HOUR, "late"),
        imported("l5", "rated", NOON + 2 * HOUR, "late", rating=5),
        # a rating that nobody can read
        imported("n1", "customer_message", NOON, "odd"),
        imported("n2", "rated", NOON + HOUR, "odd"),
        # another agent's silence: eight days later a new round, which is not rated
        imported("s1", "customer_message", NOON - 20 * DAY, "silent"),
        answer("s2", NOON - 20 * DAY + 1000, "silent"),
        imported("s3", "customer_message", NOON - 12 * DAY, "silent"),
        imported("s4", "rated", NOON - 12 * DAY + HOUR, "silent", rating=1),
        # merged into another: void
        imported("m1", "customer_message", NOON, "merged"),
        imported("m2", "rated", NOON + HOUR, "merged", rating=1),
        imported("m3", "status_changed", NOON + 2 * HOUR, "merged", merged_into="late"),
    )

    found = join_sources([past_source(events, options(), None)]).collect()

    assert {row["event_id"]: (row["round"], row["label"], row["weight"]) for row in found} == {
        "u1": (1, 1, 0.5), "unanswered/1/1/waiting_ms:1800000": (1, 1, 0.5),
        "r1": (1, 1, 0.5), "r2": (1, 1, 0.5),
        "r5": (2, 0, 0.5), "r6": (2, 0, 0.5),
        "l1": (1, 0, 1 / 3), "l2": (1, 0, 1 / 3), "l3": (1, 0, 1 / 3),
        "s1": (1, 1, 0.5), "s2": (1, 1, 0.5),
    }  # fmt: skip
    assert all(len(row["features"]) == WIDTH for row in found)


def test_policies_given_for_the_past_judge_it_each_from_its_instant(spark):
    named = {"revision": "a", "valid_from": "2020-01-01T00:00:00Z", "rating_scale": {"names": {"good": 5, "bad": 1}}}
    stricter = {"revision": "b", "valid_from": format_instant(NOON + HOUR), "dissatisfied_at_most": 4}
    given = given_policies([("shop", json.dumps(one).encode()) for one in (named, stricter)])
    events = lake_of(
        spark,
        imported("a1", "customer_message", NOON, "a"),
        imported("a2", "rated", NOON + 1, "a", rating_given="Bad"),
        imported("b1", "customer_message", NOON, "b"),
        imported("b2", "rated", NOON + 1, "b", rating_given="good"),
        imported("c1", "customer_message", NOON + HOUR, "c"),
        imported("c2", "rated", NOON + HOUR + 1, "c", rating=4),
        imported("d1", "customer_message", NOON, "d") | {"shop_id": "other"},
        imported("d2", "rated", NOON + 1, "d", rating_given="Bad") | {"shop_id": "other"},
    )

    with_policies = join_sources([past_source(events, options(), None, given)]).collect()
    without = join_sources([past_source(events, options(), None)]).collect()

    assert {row["event_id"]: row["label"] for row in with_policies} == {"a1": 1, "b1": 0, "c1": 1}
    assert {row["event_id"]: row["label"] for row in without} == {"c1": 0}


def test_ratings_of_a_shops_own_scale_are_labelled_in_spark_as_when_they_came(spark):
    document = {"revision": "ten", "valid_from": "2020-01-01T00:00:00Z", "rating_scale": {"worst": 1, "best": 10}}
    policy = json.dumps(document).encode()
    asked_and_rated = [
        parse_event(
            {**imported(f"{kind} {given}", kind, at, f"c{given}", **said), "occurred_at": format_instant(at)},
            arrived_at=at,
        )
        for given in range(12)
        for kind, at, said in (("customer_message", NOON, {}), ("rated", NOON + HOUR, {"rating": given}))
    ]
    store = new_store()
    data = [sign_control(SettingsChanged(shop_id="shop", document=policy), KEY, issued_at=NOON)]
    data += [event_to_json(one) for one in sorted(asked_and_rated, key=lambda one: one.occurred_at)]
    records = [LogRecord(str(Position(1, number)), one, NOON + HOUR) for number, one in enumerate(data)]
    new_worker(store, FEATURES, ()).advance_shop("shop", records)

    events = lake_of(spark, *({name: getattr(one, name) for name in FIELDS} for one in asked_and_rated))
    past = join_sources([past_source(events, options(), None, given_policies([("shop", policy)]))]).collect()

    labels = {f"c{given}": int(given <= 6) for given in range(1, 11)}
    assert {row["conversation_id"]: row["label"] for row in past if row["kind"] == "customer_message"} == labels
    live = [one for one in archived_entries(store.rows, "shop") if one["event"]["kind"] == "rated" and "label" in one]
    assert {one["event"]["conversation_id"]: one["label"] for one in live} == labels


def models() -> tuple[JudgedModel, JudgedModel]:
    """A champion trained until noon and a candidate trained until an hour later, one sure and one not."""
    ends = (format_instant(NOON), format_instant(NOON + HOUR))
    made = (
        tiny_model(bias=bias, metadata={"training": json.dumps({"as_of": end})})
        for bias, end in zip((2.0, 0.0), ends, strict=True)
    )
    champion, candidate = (read_model(name, data) for name, data in zip(("old", "new"), made, strict=True))
    return champion, candidate


def test_both_models_are_judged_on_what_neither_has_seen(spark):
    since = NOON + HOUR
    log = log_of(
        spark,
        served("1", since - 1, "seen by one"),
        served("2", since, "rated before"),
        rated("3", NOON, "rated before", 1),
        served("4", since, "a"),
        served("5", since + HOUR, "a"),
        served("6", since, "b", 1.0),
        served("7", since, "not rated"),
        rated("8", since + DAY, "a", 5),
        rated("9", since + DAY, "b", 2),
        rated("91", since + DAY, "seen by one", 1),
    )

    found = judge(log, *models())

    assert (found["rows"], found["rounds"], found["dissatisfied"]) == (3, 2, 1)
    assert (found["since"], found["candidate"]["trained_as_of"]) == (format_instant(since), format_instant(since))
    # sigmoid(2), sigmoid(2 + 1.5) and sigmoid(0), sigmoid(1.5): the mean over two rounds
    assert found["champion"]["log_loss"] == pytest.approx((2.126928 + 0.029750) / 2, abs=1e-5)
    assert found["candidate"]["log_loss"] == pytest.approx((0.693147 + 0.201413) / 2, abs=1e-5)


def test_round_that_was_rated_before_is_left_out_and_a_later_one_is_judged(spark):
    since = NOON + HOUR
    log = log_of(
        spark,
        served("1", NOON, "a"),
        rated("2", NOON, "a", 1),
        served("3", since, "a"),
        served("4", since, "a", round=2),
        rated("5", since + DAY, "a", 5),
        rated("6", since + DAY, "a", 5, round=2),
        served("7", since, "b"),
        rated("8", NOON, "b", 5, label=None),
        rated("9", since + DAY, "b", 1),
    )

    found = judge(log, *models())

    assert (found["rows"], found["rounds"], found["dissatisfied"]) == (2, 2, 1)


def test_judgement_by_an_instant_is_that_of_the_log_that_ended_there(spark, tmp_path, monkeypatch):
    since, until = NOON + HOUR, NOON + 2 * DAY
    first = [
        served("1", since, "a"),
        served("2", since, "b", 1.0),
        rated("3", since + DAY, "a", 5),
        rated("4", since + DAY, "b", 2),
    ]
    behind = [
        entry("5", "status_changed", until, "b", merged_into="a", round=None),
        rated("6", since + DAY, "a", 1),
        served("7", since, "c"),
        rated("8", until, "c", 1),
    ]
    monkeypatch.setattr(judge_candidate, "read_models", lambda _: models())

    def judged(name: str, entries: Sequence[dict], *more: str) -> dict:
        monkeypatch.setattr(judge_candidate, "read_log", lambda _: log_of(spark, *entries))
        argv = ["--candidate", "new", "--bucket", "models", "--table", "models", "--json", str(tmp_path / name), *more]
        judge_candidate.main(argv)
        found: dict = json.loads((tmp_path / name).read_text("utf-8"))
        return found

    whole = judged("whole", [*first, *behind])
    by_then = judged("by then", [*first, *behind], "--as-of", format_instant(until))

    assert by_then == judged("ended", first)
    assert by_then["rounds"] == whole["rounds"] == 2
    assert by_then["champion"] != whole["champion"]


def test_nothing_to_judge_on_is_said(spark):
    with pytest.raises(InputError, match="found no round that was served and rated from 2025-03-03T13"):
        judge(log_of(spark, served("1", NOON, "a"), rated("2", NOON + DAY, "a", 1)), *models())


def test_model_that_does_not_say_when_its_training_ended_is_refused():
    with pytest.raises(InputError, match="model old: found None as the end of its training"):
        read_model("old", tiny_model())
