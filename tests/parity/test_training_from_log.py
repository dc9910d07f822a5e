"""The training set from what was served: features as served, labels by the ratings in log order, as of an arrival."""

import json
from argparse import Namespace
from math import isnan

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from service_quality.commit.transactions import declaration
from service_quality.features.declarations import FeatureSet
from service_quality.features.feature_set import FEATURES
from service_quality.instants import DAY, HOUR, format_instant, parse_instant
from spark_jobs.build_training_set import join_sources, past_source, served_source
from spark_jobs.errors import InputError
from spark_jobs.judge_candidate import judge
from spark_jobs.lake.tables import EVENTS_IN_MILLIS, with_timestamps
from spark_jobs.learning.judged_models import JudgedModel, read_model
from spark_jobs.learning.labelled_rows import ROW_COLUMNS
from spark_jobs.logs.archive import ENTRY_DDL, ENTRY_SCHEMA
from spark_jobs.session.start import start_session
from tests.stand_ins.tiny_model import tiny_model

pytestmark = pytest.mark.spark

NOON = parse_instant("2025-03-03T12:00:00Z")
WIDTH = len(FEATURES.names)
#: An older declaration: the first two features, the other way round.
OLDER = FeatureSet(FEATURES.features[1::-1])
AS_OF = NOON + 2 * DAY


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def entry(position: str, kind: str, at: int, conversation: str, **more: object) -> dict:
    return {
        "shop_id": "shop",
        "position": position,
        "event_id": f"event {position}",
        "kind": kind,
        "occurred_at": at,
        "received_at": at,
        "conversation_id": conversation,
        "fingerprint": FEATURES.fingerprint,
        "duplicate": False,
        **more,
    }


def declared(features: FeatureSet) -> dict:
    found = json.dumps(declaration(features))
    return {
        "shop_id": "shop",
        "position": "0",
        "fingerprint": features.fingerprint,
        "declared": found,
        "duplicate": False,
    }


def log_of(spark: SparkSession, *entries: dict) -> DataFrame:
    rows = [dict.fromkeys(ENTRY_SCHEMA.names) | one for one in (declared(FEATURES), declared(OLDER), *entries)]
    return spark.createDataFrame([Row(**row) for row in rows], ENTRY_DDL)


def served(position: str, at: int, conversation: str, first: float = 0.0, **more: object) -> dict:
    vector = [first, *[0.0] * (WIDTH - 1)]
    return entry(position, "agent_message", at, conversation, **{"served_vector": vector, **more})


def rated(position: str, at: int, conversation: str, rating: int, **more: object) -> dict:
    return entry(position, "rated", at, conversation, rating=rating, **more)


def options(*, as_of: int = AS_OF, warm_up_days: int = 0) -> Namespace:
    return Namespace(as_of=as_of, warm_up_days=warm_up_days, source=["log"])


def training_set(log: DataFrame, chosen: Namespace) -> dict[str, Row]:
    rows = join_sources([served_source(log, chosen)]).collect()
    return {row["event_id"]: row for row in rows}


def test_rows_hold_the_features_as_served_and_share_a_conversations_weight(spark):
    log = log_of(spark, served("1", NOON, "a", 1.5), served("2", NOON + HOUR, "a", 2.5), rated("3", NOON + DAY, "a", 2))

    found = training_set(log, options())

    assert {name: row["features"][0] for name, row in found.items()} == {"event 1": 1.5, "event 2": 2.5}
    assert {(row["label"], row["weight"]) for row in found.values()} == {(1, 0.5)}


def test_conversation_that_is_not_rated_trains_nothing(spark):
    log = log_of(spark, served("1", NOON, "a"), served("2", NOON, "b"), rated("3", NOON + DAY, "b", 5))

    assert training_set(log, options()).keys() == {"event 2"}


def test_label_is_that_of_the_last_rating_on_the_log(spark):
    log = log_of(
        spark, served("1", NOON, "a"), rated("2", NOON + DAY, "a", 5), rated("3", NOON + HOUR, "a", 1, event_id="late")
    )

    assert training_set(log, options())["event 1"]["label"] == 1


def test_as_of_leaves_out_what_was_received_later_whenever_it_occurred(spark):
    late = {"received_at": AS_OF}
    log = log_of(
        spark,
        served("1", NOON, "a"),
        served("2", NOON, "a", **late),
        rated("3", NOON + HOUR, "a", 5),
        rated("4", NOON + HOUR, "a", 1, **late),
        served("5", NOON, "b"),
        rated("6", NOON + HOUR, "b", 1, **late),
    )

    found = training_set(log, options())

    assert {name: row["label"] for name, row in found.items()} == {"event 1": 0}
    assert training_set(log, options(as_of=AS_OF + 1)).keys() == {"event 1", "event 2", "event 5"}


def test_rejected_records_and_duplicates_are_no_rows_and_no_labels(spark):
    nothing = {"event_id": None, "kind": None, "conversation_id": None, "occurred_at": None, "received_at": None}
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

    assert (found["rows"], found["conversations"], found["dissatisfied"]) == (3, 2, 1)
    assert (found["since"], found["candidate"]["trained_as_of"]) == (format_instant(since), format_instant(since))
    # sigmoid(2), sigmoid(2 + 1.5) and sigmoid(0), sigmoid(1.5): the mean over two conversations
    assert found["champion"]["log_loss"] == pytest.approx((2.126928 + 0.029750) / 2, abs=1e-5)
    assert found["candidate"]["log_loss"] == pytest.approx((0.693147 + 0.201413) / 2, abs=1e-5)


def test_nothing_to_judge_on_is_said(spark):
    with pytest.raises(InputError, match="found no conversation that was served and rated from 2025-03-03T13"):
        judge(log_of(spark, served("1", NOON, "a"), rated("2", NOON + DAY, "a", 1)), *models())


def test_model_that_does_not_say_when_its_training_ended_is_refused():
    with pytest.raises(InputError, match="model old: found None as the end of its training"):
        read_model("old", tiny_model())
