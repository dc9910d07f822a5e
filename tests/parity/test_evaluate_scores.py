"""Scores as served, judged by the ratings of their rounds: one score a round, against figures worked out by hand."""

import pytest
from pyspark.sql import DataFrame, SparkSession

from service_quality.events.kinds import QUESTIONS
from service_quality.instants import HOUR, parse_instant
from spark_jobs.evaluate_scores import ANSWER, MOMENTS, first_scores, judge, rated_rounds, served_scores
from spark_jobs.session.start import start_session
from tests.parity.log_entries import entry, log_of, rated

pytestmark = pytest.mark.spark

NOON = parse_instant("2025-03-03T12:00:00Z")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> SparkSession:
    return start_session("test", str(tmp_path_factory.mktemp("lake")))


def scored(position: str, kind: str, at: int, conversation: str, score: float = 0.5, **more: object) -> dict:
    return entry(position, kind, at, conversation, served_score=score, model_version="v1", **more)


def rounds(labels: DataFrame) -> dict[tuple[str, int], int]:
    return {(row["conversation_id"], row["round"]): row["label"] for row in labels.collect()}


def scores(log: DataFrame, *of_kinds: str) -> dict[tuple[str, int], float]:
    found = first_scores(served_scores(log), of_kinds).collect()
    return {(row["conversation_id"], row["round"]): row["score"] for row in found}


def test_source_with_messages_and_no_opened_event_is_judged_like_any_other(spark):
    log = log_of(
        spark,
        scored("01", "customer_message", NOON, "messages", 0.3),
        scored("02", "agent_message", NOON + 1, "messages", 0.6),
        rated("03", NOON + HOUR, "messages", 1),
        scored("04", "conversation_opened", NOON, "opened", 0.2),
        scored("05", "agent_message", NOON + 1, "opened", 0.1),
        rated("06", NOON + HOUR, "opened", 5),
        scored("07", "bot_message", NOON, "greeted"),
        scored("08", "assigned", NOON + 1, "greeted"),
        scored("09", "customer_message", NOON + 2, "greeted", 0.4),
        rated("10", NOON + HOUR, "greeted", 2),
    )

    labels = rated_rounds(log)

    assert rounds(labels) == {("messages", 1): 1, ("opened", 1): 0, ("greeted", 1): 1}
    assert judge(served_scores(log), labels, {ANSWER})["metrics"] | {"log_loss": 0, "brier": 0, "ece": 0} == {
        "auc": 1.0, "average_precision": 1.0, "log_loss": 0, "brier": 0, "ece": 0, "rows": 2,
    }  # fmt: skip
    opening = judge(served_scores(log), labels, QUESTIONS)
    assert (opening["metrics"]["rows"], opening["metrics"]["auc"]) == (3, 1.0)
    assert opening["base_rate"] == pytest.approx(2 / 3)


def test_each_round_is_judged_by_its_own_first_score_and_last_rating(spark):
    log = log_of(
        spark,
        scored("01", "customer_message", NOON, "a", 0.1),
        scored("02", "agent_message", NOON + 1, "a", 0.2),
        scored("03", "agent_message", NOON + 2, "a", 0.9),
        rated("04", NOON + 3, "a", 1),
        rated("05", NOON + 4, "a", 5),
        scored("06", "reopened", NOON + HOUR, "a", 0.7, round=2),
        scored("07", "agent_message", NOON + HOUR + 1, "a", 0.8, round=2),
        rated("08", NOON + HOUR + 2, "a", 2, round=2),
        scored("09", "customer_message", NOON + 2 * HOUR, "a", 0.6, round=3),
        rated("10", NOON + 2 * HOUR + 1, "a", 1, round=2),
    )

    assert rounds(rated_rounds(log)) == {("a", 1): 0, ("a", 2): 1}
    assert scores(log, ANSWER) == {("a", 1): 0.2, ("a", 2): 0.8}
    assert scores(log, *QUESTIONS) == {("a", 1): 0.1, ("a", 2): 0.7, ("a", 3): 0.6}


def test_round_that_opened_before_the_log_or_merged_or_without_a_readable_rating_is_left_out(spark):
    log = log_of(
        spark,
        scored("01", "agent_message", NOON, "imported opening"),
        scored("02", "customer_message", NOON + 1, "imported opening"),
        rated("03", NOON + HOUR, "imported opening", 1),
        scored("04", "customer_message", NOON, "merged"),
        rated("05", NOON + HOUR, "merged", 1),
        entry("06", "status_changed", NOON + HOUR, "merged", merged_into="other", round=None),
        scored("07", "customer_message", NOON, "odd"),
        rated("08", NOON + HOUR, "odd", 1, label=None),
        scored("09", "agent_message", NOON, "arrived before its question"),
        scored("10", "customer_message", NOON, "arrived before its question"),
        rated("11", NOON + HOUR, "arrived before its question", 5),
    )

    assert rounds(rated_rounds(log)) == {("arrived before its question", 1): 0}


def test_score_behind_the_rating_is_not_judged_by_it(spark):
    log = log_of(
        spark,
        scored("01", "customer_message", NOON, "a"),
        rated("02", NOON + 1, "a", 1),
        scored("03", "agent_message", NOON + 2, "a"),
    )

    labels = rated_rounds(log)

    assert judge(served_scores(log), labels, {ANSWER})["metrics"] == {"rows": 0}
    assert judge(served_scores(log), labels, QUESTIONS)["metrics"]["rows"] == 1


def test_scores_at_reached_stages_are_judged_by_the_first_of_each_round(spark):
    log = log_of(
        spark,
        scored("01", "customer_message", NOON, "late", 0.1),
        scored("02", "time_reached", NOON + 1, "late", 0.4),
        scored("03", "time_reached", NOON + 2, "late", 0.9),
        rated("04", NOON + HOUR, "late", 1),
        scored("05", "customer_message", NOON, "soon", 0.2),
        scored("06", "time_reached", NOON + 1, "soon", 0.3),
        rated("07", NOON + HOUR, "soon", 5),
        scored("08", "customer_message", NOON, "in time", 0.8),
        rated("09", NOON + HOUR, "in time", 5),
    )

    found = judge(served_scores(log), rated_rounds(log), MOMENTS["stage"])

    assert scores(log, *MOMENTS["stage"]) == {("late", 1): 0.4, ("soon", 1): 0.3}
    assert (found["metrics"]["rows"], found["metrics"]["auc"], found["base_rate"]) == (2, 1.0, 0.5)
